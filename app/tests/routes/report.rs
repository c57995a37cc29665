use crate::browser::Browser;
use app::model::Triage;
use app::store::reports;

#[tokio::test]
async fn a_report_reaches_the_operator() {
    let mut browser = Browser::signed_in().await;
    browser.get("/report").await.is(200).says("Report a problem").says(">Website</option>");
    let fields = [
        ("component", "1"),
        ("summary", "  Search shows   an error "),
        ("details", "First.\r\n\r\nSecond."),
        ("email", "Visitor@Example.com"),
        ("nothing", ""),
    ];
    browser.post("/report", &fields).await.leads_to("/report/thanks");
    browser.get("/report/thanks").await.is(200).says("Thank you");
    browser.get("/operator").await.says("Search shows an error");
    let page = browser.get("/operator/reports/1").await;
    page.is(200).says("visitor@example.com").says("<p>First.</p><p>Second.</p>").says(">Website<");
}

#[tokio::test]
async fn mistakes_are_named_and_the_input_is_kept() {
    let mut browser = Browser::on_demo().await;
    let long = "x".repeat(4_001);
    let fields = [
        ("component", "77"),
        ("summary", ""),
        ("details", long.as_str()),
        ("email", "no <address>"),
    ];
    let page = browser.post("/report", &fields).await;
    page.is(422)
        .says("<title>Error: Report a problem")
        .says("href=\"#component\"")
        .says("href=\"#summary\"")
        .says("Shorten this to 4000 characters; it has 4001")
        .says("aria-describedby=\"email-hint email-error\" aria-invalid=\"true\"")
        .says("value=\"no &lt;address&gt;\"")
        .says(&long);
    let count = browser.state.store.read(|c| reports::count(c, Triage::New)).await.unwrap();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn programs_that_fill_in_everything_are_stopped_in_plain_sight() {
    let mut browser = Browser::new().await;
    let fields = [("component", ""), ("summary", "Buy now"), ("nothing", "x")];
    browser.post("/report", &fields).await.is(422).says("Leave this field empty").lacks("decoy");
}

#[tokio::test]
async fn one_address_cannot_flood_the_operator() {
    let mut browser = Browser::new().await;
    let fields = [("component", ""), ("summary", "Again")];
    for _ in 0..20 {
        browser.post("/report", &fields).await.is(303);
    }
    let page = browser.post("/report", &fields).await;
    page.is(429).says("Too many attempts");
    let wait: u64 = page.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let mut elsewhere = browser.at("203.0.113.9");
    elsewhere.post("/report", &fields).await.is(303);
}
