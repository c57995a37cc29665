use crate::browser::{Browser, EMAIL, PASSWORD};
use app::model::{Email, Moment};
use app::store::operators;

#[tokio::test]
async fn operator_pages_ask_for_a_sign_in_and_come_back() {
    let mut browser = Browser::on_demo().await;
    for path in [
        "/operator",
        "/operator/incidents/new",
        "/operator/incidents/1",
        "/operator/components",
        "/operator/components/1",
        "/operator/components/1/remove",
        "/operator/reports",
        "/operator/reports/1",
    ] {
        let page = browser.get(path).await;
        page.is(303);
        assert!(page.header("location").starts_with("/sign-in"), "{path}");
        assert_eq!(page.header("cache-control"), "no-store");
    }
    for path in [
        "/operator/incidents",
        "/operator/incidents/1/updates",
        "/operator/components",
        "/operator/components/1",
        "/operator/components/1/state",
        "/operator/components/1/remove",
        "/operator/reports/1",
    ] {
        browser.post(path, &[]).await.leads_to("/sign-in");
    }
    let page = browser.get("/sign-in?next=/operator/components").await;
    page.is(200).says("name=\"next\" value=\"/operator/components\"");
    let fields = [("email", EMAIL), ("password", PASSWORD), ("next", "/operator/components")];
    browser.post("/sign-in", &fields).await.leads_to("/operator/components");
    browser.get("/operator/components").await.is(200).says(EMAIL);
    browser.get("/sign-in").await.leads_to("/operator");
}

#[tokio::test]
async fn sign_in_never_leads_to_another_site() {
    let mut browser = Browser::new().await;
    let fields = [("email", EMAIL), ("password", PASSWORD), ("next", "//evil.example/")];
    browser.post("/sign-in", &fields).await.leads_to("/operator");
}

#[tokio::test]
async fn an_unknown_account_and_a_wrong_password_look_alike() {
    let mut browser = Browser::new().await;
    let wrong = browser.sign_in("wrong horse battery").await;
    let fields = [("email", "who@example.com"), ("password", "wrong horse battery")];
    let unknown = browser.post("/sign-in", &fields).await;
    for page in [&wrong, &unknown] {
        page.is(422).says("The email address or the password is wrong").lacks("wrong horse");
    }
    assert_eq!(wrong.text.replace(EMAIL, ""), unknown.text.replace("who@example.com", ""));
    assert!(browser.cookie.is_none());
    browser
        .post("/sign-in", &[])
        .await
        .is(422)
        .says("Enter your email address")
        .says("Enter your password");
}

#[tokio::test]
async fn failures_are_limited_by_address_and_by_account_successes_are_not() {
    let mut browser = Browser::new().await;
    for _ in 0..12 {
        browser.sign_in(PASSWORD).await.is(303);
    }
    for _ in 0..10 {
        browser.sign_in("wrong horse battery").await.is(422);
    }
    let page = browser.sign_in(PASSWORD).await;
    assert!(!page.is(429).header("retry-after").is_empty());
    // From another address the account is still guarded, and no other account is.
    let mut elsewhere = browser.at("203.0.113.9");
    elsewhere.sign_in(PASSWORD).await.is(429);
    elsewhere.post("/sign-in", &[("email", "b@example.com"), ("password", "x")]).await.is(422);
}

#[tokio::test]
async fn a_session_ends_with_sign_out_a_new_sign_in_and_its_account() {
    let mut browser = Browser::signed_in().await;
    let first = browser.cookie.clone();
    browser.sign_in(PASSWORD).await.is(303);
    let second = browser.cookie.clone();
    assert_ne!(first, second);
    browser.cookie = first;
    browser.get("/operator").await.leads_to("/sign-in");

    browser.cookie.clone_from(&second);
    browser.post("/sign-out", &[]).await.leads_to("/sign-in?signed-out");
    assert_eq!(browser.cookie, None);
    browser.get("/sign-in?signed-out").await.is(200).says("You are signed out.");
    browser.cookie = second;
    browser.get("/operator").await.leads_to("/sign-in");

    browser.cookie = None;
    browser.sign_in(PASSWORD).await.is(303);
    browser.change(|t| operators::remove(t, &Email::parse(EMAIL).unwrap())).await;
    browser.get("/operator").await.leads_to("/sign-in");
}

#[tokio::test]
async fn a_session_ends_when_idle_and_in_the_end_anyway() {
    const HOUR_MS: i64 = 3_600_000;
    for (column, hours) in [("last_seen_ms", 13), ("created_ms", 24 * 7 + 1)] {
        let mut browser = Browser::signed_in().await;
        let past = Moment(Moment::now().0 - hours * HOUR_MS);
        browser
            .change(move |t| {
                t.execute(&format!("UPDATE sessions SET {column} = ?1"), [past])?;
                Ok(())
            })
            .await;
        browser.get("/operator").await.leads_to("/sign-in");
    }
}

#[tokio::test]
async fn the_cookie_is_bound_to_the_site() {
    let mut browser = Browser::new().await;
    let page = browser.sign_in(PASSWORD).await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("beacon="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800"), "{cookie}");

    let mut browser = Browser::with(&[("BEACON_PUBLIC_URL", "https://status.example.com")]).await;
    let page = browser.sign_in(PASSWORD).await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-beacon="), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800; Secure"),
        "{cookie}"
    );
    // The name that works on http does not work here.
    browser.get("/operator").await.is(200);
    browser.cookie = browser.cookie.map(|c| c.replace("__Host-", ""));
    browser.get("/operator").await.leads_to("/sign-in");
}

#[tokio::test]
async fn the_database_holds_no_token() {
    let browser = Browser::signed_in().await;
    let token = browser.cookie.clone().unwrap().replace("beacon=", "");
    let kept: Vec<u8> = browser
        .change(|t| Ok(t.query_row("SELECT token_hash FROM sessions", [], |row| row.get(0))?))
        .await;
    assert_eq!(kept.len(), 32);
    assert_ne!(app::token::hex(&kept), token);
}
