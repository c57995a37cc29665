//! The operator of the site, who says what is going on.

use config::Config;
use e2e::{Page, Result};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The operator that the throw-away server starts with; `xtask.toml` says so to it and to us. The
/// same variables in the environment name another one, for a server that was started otherwise.
fn credentials() -> &'static (String, String) {
    const EMAIL: &str = "BEACON_SEED_OPERATOR_EMAIL";
    const PASSWORD: &str = "BEACON_SEED_OPERATOR_PASSWORD";
    static CREDENTIALS: OnceLock<(String, String)> = OnceLock::new();
    CREDENTIALS.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let config = Config::load(&root).ok();
        let server = config.and_then(|config| config.build).and_then(|build| build.server);
        let check_env = server.map(|server| server.check_env).unwrap_or_default();
        let read = |name: &str| {
            std::env::var(name).ok().or_else(|| check_env.get(name).cloned()).unwrap_or_default()
        };
        (read(EMAIL), read(PASSWORD))
    })
}

pub fn sign_in(page: &Page) -> Result {
    let (email, password) = credentials();
    page.goto("/sign-in")?;
    page.label("Email address").fill(email)?;
    page.label("Password").fill(password)?;
    page.role("button", "Sign in").click()?;
    page.role("heading", "Overview").expect().to_be_visible()
}

pub fn is_refused_with_a_wrong_password(page: &Page) -> Result {
    // An address of its own: failed attempts count against an account.
    page.goto("/sign-in")?;
    page.label("Email address").fill("stranger@example.com")?;
    page.label("Password").fill("not the password at all")?;
    page.role("button", "Sign in").click()?;
    page.any_role("alert").expect().to_be_visible()?;
    page.label("Email address").expect().to_have_value("stranger@example.com")?;
    // A password is never sent back into a page.
    page.css("#password").expect().to_have_value("")?;
    page.goto("/operator")?;
    page.role("heading", "Sign in").expect().to_be_visible()
}

pub fn must_sign_in_first(page: &Page) -> Result {
    for path in ["/operator/reports", "/operator/incidents/new"] {
        page.goto(path)?;
        page.role("heading", "Sign in").expect().to_be_visible()?;
        page.any_role("status").expect().to_have_text("Sign in to see that page.")?;
    }
    // And then gets to where the way led.
    let (email, password) = credentials();
    page.label("Email address").fill(email)?;
    page.label("Password").fill(password)?;
    page.role("button", "Sign in").click()?;
    page.role("heading", "Open an incident").expect().to_be_visible()
}

pub fn opens_updates_and_resolves_an_incident(page: &Page) -> Result {
    // Of its own in each run, so that the journey can be repeated against the same server.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let title = format!("Search finds nothing, journey {}", now.as_millis());
    sign_in(page)?;
    page.role("link", "Open an incident").click()?;

    // Nothing said: nothing opened, and what was chosen is kept.
    page.label("Impact").select("Major")?;
    page.role("button", "Open incident").click()?;
    page.any_role("alert").expect().to_contain_text("There is a problem")?;
    page.css("#impact option:checked").expect().to_have_text("Major")?;

    page.css("#title").fill(&title)?;
    page.css("#message").fill("We are looking at why the index is empty.")?;
    page.role("checkbox", "Website").check()?;
    page.role("button", "Open incident").click()?;
    page.role("heading", &title).expect().to_be_visible()?;
    let operators_page = page.url();

    page.goto("/")?;
    let current = page.css("article.current").having_text(&title);
    current.expect().to_contain_text("We are looking at why the index is empty.")?;
    current.expect().to_contain_text("Major impact")?;

    page.goto(&operators_page)?;
    page.label("Status").select("Monitoring")?;
    page.label("Message").fill("The index is being filled again.")?;
    page.role("button", "Post update").click()?;
    page.css(".timeline > li").expect().to_have_count(2)?;
    page.goto("/")?;
    current.expect().to_contain_text("The index is being filled again.")?;

    page.goto(&operators_page)?;
    page.label("Status").select("Resolved")?;
    page.label("Message").fill("Search finds everything again.")?;
    page.role("button", "Post update").click()?;
    page.css(".timeline > li").expect().to_have_count(3)?;
    page.role("link", "Public page").click()?;
    page.css(".timeline > li")
        .first()
        .expect()
        .to_contain_text("Search finds everything again.")?;

    page.goto("/")?;
    current.expect().to_have_count(0)?;
    page.css("[aria-labelledby=recent]").role("link", &title).expect().to_be_visible()
}

pub fn signs_out(page: &Page) -> Result {
    sign_in(page)?;
    page.role("button", "Sign out").click()?;
    page.any_role("status").expect().to_have_text("You are signed out.")?;
    page.goto("/operator")?;
    page.role("heading", "Sign in").expect().to_be_visible()
}
