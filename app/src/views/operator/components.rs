//! The list of components, and one of them.

use super::{Tab, page};
use crate::forms::Form;
use crate::model::Component;
use crate::session::CurrentOperator;
use crate::views::form::{Kind, Text, error_summary, title};
use crate::views::text;
use maud::{Markup, html};

#[must_use]
pub fn list(
    site_name: &str,
    operator: &CurrentOperator,
    components: &[Component],
    form: &Form,
) -> Markup {
    page(
        site_name,
        operator,
        Tab::Components,
        &title(form, "Components"),
        &html! {
            (error_summary(form))
            h1 { "Components" }
            div .columns {
                section aria-labelledby="listed" {
                    h2 #listed { "On the status page" }
                    @if components.is_empty() {
                        p .empty { "None yet. A component is a part of your service that people know by name: Website, API, Payments." }
                    } @else {
                        ul .card .list {
                            @for component in components {
                                li .split {
                                    div {
                                        h3 { (component.name) }
                                        @if !component.description.is_empty() { p .meta { (component.description) } }
                                        p .meta { (text::state(component.state)) }
                                    }
                                    a href={ "/operator/components/" (component.id) } aria-label={ "Edit " (component.name) } { "Edit" }
                                }
                            }
                        }
                    }
                }
                section aria-labelledby="add" {
                    h2 #add { "Add a component" }
                    form .card method="post" action="/operator/components" novalidate {
                        (fields(form))
                        p .actions { button type="submit" { "Add component" } }
                    }
                }
            }
        },
    )
}

#[must_use]
pub fn edit(
    site_name: &str,
    operator: &CurrentOperator,
    component: &Component,
    form: &Form,
) -> Markup {
    page(
        site_name,
        operator,
        Tab::Components,
        &title(form, &component.name),
        &html! {
            div .reading {
                (error_summary(form))
                h1 { (component.name) }
                form .card method="post" action={ "/operator/components/" (component.id) } novalidate {
                    (fields(form))
                    p .actions {
                        button type="submit" { "Save" }
                        a href="/operator/components" { "Cancel" }
                    }
                }
                p .more { a .danger-link href={ "/operator/components/" (component.id) "/remove" } { "Remove this component" } }
            }
        },
    )
}

#[must_use]
pub fn confirm_removal(
    site_name: &str,
    operator: &CurrentOperator,
    component: &Component,
) -> Markup {
    let heading = format!("Remove {}?", component.name);
    page(
        site_name,
        operator,
        Tab::Components,
        &heading,
        &html! {
            div .reading {
                h1 { (heading) }
                p .lead { "It leaves the status page with its history. Incidents that affected it keep its name. This cannot be undone." }
                form method="post" action={ "/operator/components/" (component.id) "/remove" } {
                    p .actions {
                        button .danger type="submit" { "Remove " (component.name) }
                        a href={ "/operator/components/" (component.id) } { "Cancel" }
                    }
                }
            }
        },
    )
}

fn fields(form: &Form) -> Markup {
    html! {
        (Text { form, name: "name", label: "Name", hint: "", kind: Kind::Line, limit: Component::NAME_LIMIT, required: true })
        (Text { form, name: "description", label: "Description", hint: "One line that says what belongs to it.", kind: Kind::Line, limit: Component::DESCRIPTION_LIMIT, required: false })
    }
}
