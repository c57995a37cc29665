//! Beacon's journeys: what a visitor and an operator do, in a browser, against the built release
//! with its made-up components. Those tagged `smoke` need neither these nor an account and change
//! nothing: they may look at production.

mod appearance;
mod everyone;
mod operator;
mod visitor;

fn main() -> std::process::ExitCode {
    e2e::journeys(e2e::list![
        visitor::reads_the_status,
        visitor::reads_the_status_without_javascript,
        visitor::reads_an_incident,
        visitor::reads_the_history,
        visitor::reports_a_problem,
        visitor::is_told_what_is_wrong_with_a_report,
        visitor::meets_a_page_that_is_not_there => ["smoke"],
        operator::is_refused_with_a_wrong_password,
        operator::must_sign_in_first,
        operator::opens_updates_and_resolves_an_incident,
        operator::signs_out,
        everyone::is_protected_by_headers_on_every_page => ["smoke"],
        everyone::reaches_all_by_keyboard,
        everyone::loads_nothing_from_elsewhere_and_meets_no_error,
        appearance::fits_a_phone,
        appearance::follows_the_dark_scheme => ["smoke"],
    ])
}
