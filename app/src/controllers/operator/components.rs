//! Adding, renaming and removing components, and setting their state.

use super::{invalid, redirect, say};
use crate::error::{AppError, AppResult};
use crate::forms::Form;
use crate::model::{Component, ComponentId, ComponentState, Moment};
use crate::session::CurrentOperator;
use crate::state::AppState;
use crate::store::{StoreError, components};
use crate::views::operator::components as views;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

const LIST: &str = "/operator/components";
const TAKEN: &str = "Another component has this name";

pub async fn list(State(state): State<AppState>, operator: CurrentOperator) -> AppResult<Response> {
    let all = state.store.read(components::all).await?;
    Ok(views::list(&state.site.name, &operator, &all, &Form::default()).into_response())
}

pub async fn add(
    State(state): State<AppState>,
    operator: CurrentOperator,
    mut form: Form,
) -> AppResult<Response> {
    if let Some((name, description)) = parse(&mut form) {
        let token = operator.token;
        let added = state
            .store
            .write(move |t| {
                components::add(t, &name, &description, Moment::now())?;
                say(t, token, &format!("{name} is on the status page."))
            })
            .await;
        match added {
            Err(StoreError::Taken) => form.reject("name", TAKEN),
            Err(StoreError::Full) => form.reject(
                "name",
                format!(
                    "There are {} components, the most that one page holds",
                    Component::COUNT_LIMIT
                ),
            ),
            other => {
                other?;
                return Ok(redirect(LIST));
            }
        }
    }
    let all = state.store.read(components::all).await?;
    Ok(invalid(views::list(&state.site.name, &operator, &all, &form)))
}

pub async fn show(
    State(state): State<AppState>,
    Path(id): Path<String>,
    operator: CurrentOperator,
) -> AppResult<Response> {
    let component = find(&state, &id).await?;
    let form =
        Form::prefilled(&[("name", &component.name), ("description", &component.description)]);
    Ok(views::edit(&state.site.name, &operator, &component, &form).into_response())
}

pub async fn describe(
    State(state): State<AppState>,
    Path(id): Path<String>,
    operator: CurrentOperator,
    mut form: Form,
) -> AppResult<Response> {
    let component = find(&state, &id).await?;
    if let Some((name, description)) = parse(&mut form) {
        let (id, token) = (component.id, operator.token);
        let described = state
            .store
            .write(move |t| {
                components::describe(t, id, &name, &description)?;
                say(t, token, &format!("{name} is saved."))
            })
            .await;
        match described {
            Err(StoreError::Taken) => form.reject("name", TAKEN),
            other => {
                other?;
                return Ok(redirect(LIST));
            }
        }
    }
    Ok(invalid(views::edit(&state.site.name, &operator, &component, &form)))
}

pub async fn set_state(
    State(state): State<AppState>,
    Path(id): Path<String>,
    operator: CurrentOperator,
    form: Form,
) -> AppResult<Response> {
    let component = find(&state, &id).await?;
    let chosen = ComponentState::parse(form.value("state")).ok_or(AppError::BadRequest)?;
    state
        .store
        .write(move |t| {
            components::set_state(t, component.id, chosen, Moment::now())?;
            let label = chosen.label().to_lowercase();
            say(t, operator.token, &format!("{} is now: {label}.", component.name))
        })
        .await?;
    Ok(redirect("/operator"))
}

pub async fn confirm_removal(
    State(state): State<AppState>,
    Path(id): Path<String>,
    operator: CurrentOperator,
) -> AppResult<Response> {
    let component = find(&state, &id).await?;
    Ok(views::confirm_removal(&state.site.name, &operator, &component).into_response())
}

pub async fn remove(
    State(state): State<AppState>,
    Path(id): Path<String>,
    operator: CurrentOperator,
) -> AppResult<Response> {
    let component = find(&state, &id).await?;
    state
        .store
        .write(move |t| {
            components::remove(t, component.id, Moment::now())?;
            say(t, operator.token, &format!("{} is off the status page.", component.name))
        })
        .await?;
    Ok(redirect(LIST))
}

async fn find(state: &AppState, id: &str) -> AppResult<Component> {
    let id = ComponentId::parse(id).ok_or(AppError::NotFound)?;
    Ok(state.store.read(move |c| components::find(c, id)).await?)
}

fn parse(form: &mut Form) -> Option<(String, String)> {
    let name = form.line("name", Component::NAME_LIMIT, Some("Give the component a name"));
    let description = form.line("description", Component::DESCRIPTION_LIMIT, None);
    form.is_valid().then_some((name, description))
}
