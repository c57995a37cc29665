//! Beacon's journeys: what a visitor and an operator do, in a browser, against the built release.

fn main() -> std::process::ExitCode {
    e2e::journeys(e2e::list![])
}
