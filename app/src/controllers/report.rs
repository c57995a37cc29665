//! `/report`: a visitor tells of a problem.

use super::public_page;
use crate::client_address::ClientAddress;
use crate::error::{AppError, AppResult};
use crate::forms::Form;
use crate::model::{ComponentId, Email, Moment, NewReport};
use crate::state::AppState;
use crate::store::{components, reports};
use crate::views;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use std::time::Instant;

pub async fn form(State(state): State<AppState>) -> AppResult<Response> {
    let components = state.store.read(components::all).await?;
    Ok(public_page(views::report::form(&state.site.name, &components, &Form::default())))
}

pub async fn submit(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    mut form: Form,
) -> AppResult<Response> {
    let components = state.store.read(components::all).await?;
    let is_known = |id: &ComponentId| components.iter().any(|c| c.id == *id);
    let Some(report) = parse(&mut form, is_known) else {
        let page = views::report::form(&state.site.name, &components, &form);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    state.limits.report_by_address.take(address, Instant::now())?;
    state.store.write(move |t| reports::add(t, &report, Moment::now())).await?;
    Ok(Redirect::to("/report/thanks").into_response())
}

pub async fn thanks(State(state): State<AppState>) -> Result<Response, AppError> {
    Ok(public_page(views::report::thanks(&state.site.name)))
}

fn parse(form: &mut Form, is_known: impl Fn(&ComponentId) -> bool) -> Option<NewReport> {
    // The first option is "not sure", with an empty value.
    let component = form.choice("component", |text| match text {
        "" => Some(None),
        id => ComponentId::parse(id).filter(&is_known).map(Some),
    });
    let summary =
        form.line("summary", NewReport::SUMMARY_LIMIT, Some("Say in a few words what is wrong"));
    let details = form.text("details", NewReport::DETAILS_LIMIT, None);
    let email = match form.value("email").trim() {
        "" => None,
        text => {
            let email = Email::parse(text);
            if email.is_none() {
                form.reject("email", "Enter an address like name@example.com, or leave this empty");
            }
            email
        }
    };
    // Out of sight for people; programs that fill in every field give themselves away.
    if !form.value("nothing").is_empty() {
        form.reject("nothing", "Leave this field empty");
    }
    form.is_valid().then_some(NewReport { component: component?, summary, details, email })
}
