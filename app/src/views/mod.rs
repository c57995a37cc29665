//! Pages. A view is a function from data to markup: it asks nothing and decides nothing but how
//! things look. All of them are complete without script.

pub mod error;
mod form;
pub mod history;
mod icon;
pub mod incident;
mod layout;
pub mod operator;
pub mod report;
pub mod sign_in;
pub mod status;
mod text;
