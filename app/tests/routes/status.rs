use crate::browser::Browser;
use app::model::{ComponentId, ComponentState, Moment};
use app::store::components;

#[tokio::test]
async fn an_empty_site_says_what_to_do() {
    let mut browser = Browser::new().await;
    let page = browser.get("/").await;
    page.is(200).says("Ready for its first component").says("No incidents.");
    page.says("href=\"/operator/components\"").says("banner planned");
    browser.get("/history").await.is(200).says("No incidents so far");
}

#[tokio::test]
async fn the_worst_component_makes_the_headline() {
    let mut browser = Browser::new().await;
    browser
        .change(|t| {
            components::add(t, "Website", "", Moment::now())?;
            components::add(t, "API", "", Moment::now())
        })
        .await;
    browser.get("/").await.says("All systems operational");
    for (state, headline) in [
        (ComponentState::Maintenance, "Maintenance under way"),
        (ComponentState::Degraded, "Some systems are slow"),
        (ComponentState::PartialOutage, "Partial outage</h1>"),
        (ComponentState::MajorOutage, "Major outage</h1>"),
    ] {
        browser
            .change(move |t| components::set_state(t, ComponentId(2), state, Moment::now()))
            .await;
        browser.get("/").await.is(200).says(headline).says(state.label());
    }
}

#[tokio::test]
async fn incidents_are_on_the_page_in_the_history_and_on_their_own() {
    let mut browser = Browser::on_demo().await;
    let page = browser.get("/").await;
    page.is(200)
        .says("Emails arrive late")
        .says("Identified")
        .says("One in five API requests failed");
    page.lacks("Moving the website");
    browser.get("/history").await.is(200).says("Moving the website to new servers");
    let page = browser.get("/incidents/2").await;
    page.is(200).says("A connection pool was exhausted").says("Lasted").says(">API<");
    for missing in ["/incidents/99", "/incidents/0", "/incidents/x", "/incidents/1x"] {
        browser.get(missing).await.is(404).says("There is nothing at this address");
    }
}

#[tokio::test]
async fn a_long_history_has_pages() {
    let mut browser = Browser::new().await;
    browser
        .change(|t| {
            for number in 1..=65 {
                t.execute(
                    "INSERT INTO incidents (title, impact, status, opened_ms) VALUES (?1, 'minor', 'monitoring', 5)",
                    [format!("Number {number}.")],
                )?;
            }
            Ok(())
        })
        .await;
    let mut seen = 0;
    let mut path = "/history".to_owned();
    loop {
        let page = browser.get(&path).await;
        seen += page.is(200).text.matches("Number ").count();
        let Some((_, rest)) = page.text.split_once("href=\"/history?") else { break };
        path = format!("/history?{}", rest.split_once('"').unwrap().0);
    }
    assert_eq!(seen, 65);
    for bad in ["/history?before=x", "/history?page=2"] {
        browser.get(bad).await.is(404);
    }
}

#[tokio::test]
async fn an_unchanged_page_is_not_sent_again() {
    let mut browser = Browser::on_demo().await;
    let page = browser.get("/incidents/1").await;
    let tag = page.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    browser.headers.push(("if-none-match", format!("\"other\", {tag}")));
    let again = browser.get("/incidents/1").await;
    again.is(304);
    assert_eq!((again.text.as_str(), again.header("etag")), ("", tag.as_str()));
    browser.get("/incidents/2").await.is(200);
}

#[tokio::test]
async fn what_people_write_is_text() {
    let mut browser = Browser::new().await;
    browser
        .change(|t| components::add(t, "<script>alert(1)</script>", "\"><img>", Moment::now()))
        .await;
    let page = browser.get("/").await;
    page.says("&lt;script&gt;").lacks("<script").lacks("<img");
}

#[tokio::test]
async fn assets_are_kept_for_as_long_as_their_name_allows() {
    let mut browser = Browser::new().await;
    let page = browser.get("/").await;
    let styles = page.text.split("rel=\"stylesheet\" href=\"").nth(1).unwrap();
    let styles = styles.split('"').next().unwrap().to_owned();
    let sheet = browser.get(&styles).await;
    assert_eq!(sheet.is(200).header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(sheet.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(browser.get("/favicon.svg").await.is(200).header("content-type"), "image/svg+xml");
    browser.get("/robots.txt").await.is(200).says("Disallow: /operator");
    browser.get("/assets/beacon.000000000000.css").await.is(404);
}

#[tokio::test]
async fn a_security_contact_is_published_when_there_is_one() {
    Browser::new().await.get("/.well-known/security.txt").await.is(404);
    let mut browser = Browser::with(&[
        ("BEACON_SECURITY_CONTACT", "mailto:security@example.com"),
        ("BEACON_PUBLIC_URL", "https://status.example.com"),
    ])
    .await;
    let page = browser.get("/.well-known/security.txt").await;
    page.is(200)
        .says("Contact: mailto:security@example.com\nExpires: ")
        .says("Canonical: https://status.example.com/.well-known/security.txt");
}
