//! Forms: read within limits, checked field by field, and kept with what was typed so that a page
//! with errors shows the visitor's own words.

use crate::error::AppError;
use crate::state::AppState;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;

/// Fields in one form: the largest of ours has one per component besides its own.
const FIELD_LIMIT: usize = 256;

/// A form as it was sent, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Form {
    fields: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

/// Something to mend in one field; `field` is the id of its input.
#[derive(Debug, Clone)]
pub struct FieldError {
    pub field: &'static str,
    pub message: String,
}

impl Form {
    /// A form that is filled in beforehand.
    #[must_use]
    pub fn prefilled(fields: &[(&str, &str)]) -> Form {
        let fields = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Form { fields, errors: Vec::new() }
    }

    /// The first value of a field; empty when absent.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    #[must_use]
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|e| e.field == name).map(|e| e.message.as_str())
    }

    pub fn reject(&mut self, field: &'static str, message: impl Into<String>) {
        self.errors.push(FieldError { field, message: message.into() });
    }

    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    /// One line of text, trimmed; empty only if `required` is no sentence.
    pub fn line(&mut self, field: &'static str, limit: usize, required: Option<&str>) -> String {
        let text = self.value(field).split_whitespace().collect::<Vec<_>>().join(" ");
        self.bounded(field, text, limit, required)
    }

    /// Text of several lines, trimmed, line ends as `\n`.
    pub fn text(&mut self, field: &'static str, limit: usize, required: Option<&str>) -> String {
        let text = self.value(field).replace("\r\n", "\n").replace('\r', "\n").trim().to_owned();
        self.bounded(field, text, limit, required)
    }

    /// A choice out of a list; the `None` of `parse` is for values that the page never offered.
    pub fn choice<T>(
        &mut self,
        field: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let chosen = parse(self.value(field));
        if chosen.is_none() {
            self.reject(field, "Choose one of the options");
        }
        chosen
    }

    fn bounded(
        &mut self,
        field: &'static str,
        text: String,
        limit: usize,
        required: Option<&str>,
    ) -> String {
        let length = text.chars().count();
        if let (0, Some(sentence)) = (length, required) {
            self.reject(field, sentence);
        } else if length > limit {
            self.reject(field, format!("Shorten this to {limit} characters; it has {length}"));
        } else if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            self.reject(field, "Remove the control characters from this text");
        }
        text
    }
}

impl FromRequest<AppState> for Form {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &AppState) -> Result<Form, AppError> {
        let is_form = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| {
                kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
            });
        if !is_form {
            return Err(AppError::NotAForm);
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| {
            use axum::response::IntoResponse;
            match rejection.into_response().status() {
                axum::http::StatusCode::PAYLOAD_TOO_LARGE => AppError::TooLarge,
                _ => AppError::BadRequest,
            }
        })?;
        let fields: Vec<(String, String)> =
            form_urlencoded::parse(&body).into_owned().take(FIELD_LIMIT + 1).collect();
        if fields.len() > FIELD_LIMIT {
            return Err(AppError::TooLarge);
        }
        Ok(Form { fields, errors: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_and_bounded() {
        let mut form =
            Form::prefilled(&[("a", "  two \n words "), ("b", "x\r\ny\r\n"), ("c", "\u{7}")]);
        assert_eq!(form.line("a", 20, None), "two words");
        assert_eq!(form.text("b", 20, None), "x\ny");
        assert!(form.is_valid());
        form.line("missing", 20, Some("Say something"));
        form.line("a", 3, None);
        form.text("c", 3, None);
        let messages: Vec<_> = form.errors().iter().map(|e| e.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "Say something",
                "Shorten this to 3 characters; it has 9",
                "Remove the control characters from this text"
            ]
        );
    }
}
