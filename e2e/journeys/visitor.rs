//! Someone who wants to know whether things work.

use e2e::{Page, Result};

pub fn reads_the_status(page: &Page) -> Result {
    page.goto("/")?;
    page.expect().to_have_title("Beacon status")?;
    page.any_role("heading").first().expect().to_be_visible()?;
    // The region is named by the sentence that says how things are.
    page.css("#overall").expect().to_be_visible()?;
    page.role("heading", "Components").expect().to_be_visible()?;
    for component in ["Website", "API", "Sign-in", "Payments", "Email"] {
        let row = page.css(".components > li").having_text(component).first();
        row.clone().css(".state").first().expect().to_be_visible()?;
        row.any_role("img").first().expect().to_be_visible()?;
    }
    page.role("heading", "Emails arrive late").expect().to_be_visible()?;
    page.role("link", "All incidents").click()?;
    page.expect().to_have_url("/history")
}

pub fn reads_the_status_without_javascript(page: &Page) -> Result {
    page.set_javascript(false)?;
    page.goto("/")?;
    page.css("#overall").expect().to_be_visible()?;
    page.css(".components > li").first().expect().to_be_visible()?;
    page.role("link", "Report a problem").click()?;
    page.role("heading", "Report a problem").expect().to_be_visible()
}

pub fn reads_an_incident(page: &Page) -> Result {
    page.goto("/")?;
    page.role("link", "Card payments were slow").click()?;
    page.role("heading", "Card payments were slow").expect().to_be_visible()?;
    page.text("Affects").expect().to_be_visible()?;
    page.css(".timeline > li").expect().to_have_count(3)?;
    // What was said last comes first.
    page.css(".timeline > li").first().expect().to_contain_text("the usual 2 seconds")?;
    page.role("link", "To the status page").click()?;
    page.expect().to_have_url("/")
}

pub fn reads_the_history(page: &Page) -> Result {
    page.goto("/")?;
    page.role("link", "History").click()?;
    page.expect().to_have_title("History · Beacon")?;
    page.role("link", "History").expect().to_have_attribute("aria-current", "page")?;
    page.role("link", "One in five API requests failed").click()?;
    page.role("heading", "One in five API requests failed").expect().to_be_visible()
}

pub fn reports_a_problem(page: &Page) -> Result {
    page.goto("/report")?;
    page.label("What is it about?").select("Payments")?;
    page.label("What is wrong?").fill("The journey's card is declined")?;
    page.label("Details (optional)").fill("Every time.\n\nSince this morning.")?;
    page.label("Your email address (optional)").fill("visitor@example.com")?;
    page.role("button", "Send report").click()?;
    page.expect().to_have_url("/report/thanks")?;
    page.role("heading", "Thank you").expect().to_be_visible()?;
    // Loading the page again sends nothing twice.
    page.reload()?;
    page.role("heading", "Thank you").expect().to_be_visible()
}

pub fn is_told_what_is_wrong_with_a_report(page: &Page) -> Result {
    page.goto("/report")?;
    page.label("What is it about?").select("API")?;
    page.label("Details (optional)").fill("I wrote this and want to keep it")?;
    page.label("Your email address (optional)").fill("not an address")?;
    page.role("button", "Send report").click()?;

    page.any_role("alert").expect().to_contain_text("There is a problem")?;
    page.css("#summary").expect().to_have_attribute("aria-invalid", "true")?;
    page.css("#email").expect().to_have_attribute("aria-invalid", "true")?;
    page.css("#details").expect().to_have_value("I wrote this and want to keep it")?;
    page.css("#email").expect().to_have_value("not an address")?;
    page.css("#component option:checked").expect().to_have_text("API")?;
    // The summary leads to the field.
    page.any_role("alert").any_role("link").first().click()?;
    page.css("#summary").expect().to_be_focused()?;

    page.css("#summary").fill("The journey's request fails")?;
    page.css("#email").fill("")?;
    page.role("button", "Send report").click()?;
    page.role("heading", "Thank you").expect().to_be_visible()
}

pub fn meets_a_page_that_is_not_there(page: &Page) -> Result {
    page.goto("/no-such-page")?;
    page.role("heading", "There is nothing at this address").expect().to_be_visible()?;
    let requests = page.network();
    let document = requests.iter().find(|request| request.url.ends_with("/no-such-page"));
    assert_eq!(document.map(|document| document.status), Some(404));
    page.role("link", "To the status page").click()?;
    page.expect().to_have_url("/")
}
