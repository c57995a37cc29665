use crate::browser::Browser;

const NEW: [(&str, &str); 7] = [
    ("title", "Sign-in fails"),
    ("impact", "major"),
    ("status", "investigating"),
    ("message", "We are looking."),
    ("component", "3"),
    ("component", "1"),
    ("component_state", "partial-outage"),
];

#[tokio::test]
async fn an_incident_is_opened_updated_and_resolved() {
    let mut browser = Browser::signed_in().await;
    browser.get("/operator/incidents/new").await.is(200).says("Open an incident");
    browser.post("/operator/incidents", &NEW).await.leads_to("/operator/incidents/5");
    let page = browser.get("/operator/incidents/5").await;
    page.is(200).says("role=\"status\">The incident is open").says("Website, Sign-in");
    // Said once.
    browser.get("/operator/incidents/5").await.lacks("role=\"status\"");
    browser
        .get("/")
        .await
        .says("Partial outage</h1>")
        .says("Sign-in fails")
        .says("We are looking.");

    let update = [("status", "monitoring"), ("message", "It looks better.")];
    browser.post("/operator/incidents/5/updates", &update).await.leads_to("/operator/incidents/5");
    let end = [("status", "resolved"), ("message", "It works again."), ("restore", "yes")];
    browser.post("/operator/incidents/5/updates", &end).await.leads_to("/operator/incidents/5");
    let page = browser.get("/incidents/5").await;
    page.says("It works again.").says("It looks better.").says("We are looking.").says("Lasted");
    // Only Email, of the other incident, is still not well.
    browser.get("/").await.says("Some systems are slow").lacks("Partial outage</h1>");

    let again = [("status", "investigating"), ("message", "It is back.")];
    browser.post("/operator/incidents/5/updates", &again).await.is(303);
    browser.get("/incidents/5").await.lacks("Lasted");
}

#[tokio::test]
async fn a_component_stays_down_while_another_incident_holds_it() {
    let mut browser = Browser::signed_in().await;
    browser.post("/operator/incidents", &NEW).await.is(303);
    browser.post("/operator/incidents", &NEW).await.leads_to("/operator/incidents/6");
    let end = [("status", "resolved"), ("message", "Done."), ("restore", "yes")];
    browser.post("/operator/incidents/5/updates", &end).await.is(303);
    browser.get("/").await.says("Partial outage</h1>");
    browser.post("/operator/incidents/6/updates", &end).await.is(303);
    browser.get("/").await.lacks("Partial outage</h1>");
}

#[tokio::test]
async fn an_incident_with_mistakes_is_not_opened() {
    let mut browser = Browser::signed_in().await;
    let fields = [
        ("title", " "),
        ("impact", "huge"),
        ("status", "resolved"),
        ("message", "Kept."),
        ("component", "2"),
        ("component", "99"),
        ("component_state", "operational"),
    ];
    let page = browser.post("/operator/incidents", &fields).await;
    page.is(422).says("Give the incident a title").says("Kept.").says("href=\"#component\"");
    page.says("value=\"2\" checked");
    page.says("aria-describedby=\"component-error\"").says("id=\"component-error\"");
    page.says("type=\"checkbox\" id=\"component\"");
    browser
        .post("/operator/incidents/4/updates", &[("status", "monitoring")])
        .await
        .is(422)
        .says("Say what is known now");
    browser.post("/operator/incidents/99/updates", &NEW).await.is(404);
    browser.get("/operator/incidents/5").await.is(404);
}

#[tokio::test]
async fn components_are_added_renamed_and_removed() {
    let mut browser = Browser::signed_in().await;
    let search = [("name", "Search"), ("description", "Words in, pages out")];
    browser.post("/operator/components", &search).await.leads_to("/operator/components");
    browser.get("/operator/components").await.says("Search is on the status page.");
    browser.get("/").await.says("Words in, pages out");
    browser
        .post("/operator/components", &search)
        .await
        .is(422)
        .says("Another component has this name");

    browser.get("/operator/components/6").await.is(200).says("value=\"Words in, pages out\"");
    browser
        .post("/operator/components/6", &[("name", "API")])
        .await
        .is(422)
        .says("Another component has this name");
    browser
        .post("/operator/components/6", &[("name", "Finder")])
        .await
        .leads_to("/operator/components");
    browser.get("/").await.says("Finder").lacks("Words in");

    browser
        .get("/operator/components/6/remove")
        .await
        .is(200)
        .says("Remove Finder?")
        .says("cannot be undone");
    browser.post("/operator/components/6/remove", &[]).await.leads_to("/operator/components");
    browser.get("/").await.lacks("Finder");
    browser.get("/operator/components/6").await.is(404);
    // Its name is free again, and incidents of the past keep theirs.
    browser.post("/operator/components", &[("name", "Finder")]).await.is(303);
    browser.post("/operator/components/2/remove", &[]).await.is(303);
    browser.get("/incidents/2").await.is(200).says(">API<");
}

#[tokio::test]
async fn a_state_is_set_from_the_overview() {
    let mut browser = Browser::signed_in().await;
    let state = [("state", "major-outage")];
    browser.post("/operator/components/2/state", &state).await.leads_to("/operator");
    browser.get("/operator").await.says("API is now: major outage.");
    browser.get("/").await.says("Major outage</h1>");
    browser.post("/operator/components/2/state", &[("state", "on fire")]).await.is(400);
    browser.post("/operator/components/99/state", &state).await.is(404);
}

#[tokio::test]
async fn reports_are_triaged_and_become_incidents() {
    let mut browser = Browser::signed_in().await;
    for summary in ["First", "Second", "Third"] {
        browser.post("/report", &[("component", "2"), ("summary", summary)]).await.is(303);
    }
    browser
        .post("/operator/reports/1", &[("triage", "dismissed")])
        .await
        .leads_to("/operator/reports");
    browser.get("/operator/reports").await.says("The report is dismissed.").lacks("First");
    browser.get("/operator/reports?triage=dismissed").await.is(200).says("First");

    browser.post("/operator/reports/2", &[("incident", "4")]).await.is(303);
    browser.get("/operator/reports/2").await.says("/operator/incidents/4");

    let page = browser.get("/operator/incidents/new?report=3").await;
    page.is(200).says("value=\"Third\"").says("value=\"2\" checked");
    let fields: Vec<_> = NEW.into_iter().chain([("report", "3")]).collect();
    browser.post("/operator/incidents", &fields).await.is(303);
    browser.get("/operator/reports/3").await.says("/operator/incidents/5").says("Acknowledged");

    browser.post("/operator/reports/1", &[]).await.is(400);
    browser.post("/operator/reports/9", &[("triage", "new")]).await.is(404);
    browser.post("/operator/reports/1", &[("incident", "99")]).await.is(404);
    browser.get("/operator/reports?triage=lost").await.is(404);
}
