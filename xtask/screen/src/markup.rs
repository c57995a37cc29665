//! HTML that is escaped by construction: markup can only be a literal of this program's source, and
//! whatever is not goes through the escape.

use crate::text;
use std::fmt::Display;

/// The look of every page: light and dark, on a phone, on paper.
pub const STYLE: &str = include_str!("style.css");

/// A piece of HTML being written.
#[derive(Debug, Default)]
pub struct Markup(String);

impl Markup {
    /// Markup of ours.
    pub fn raw(&mut self, markup: &'static str) -> &mut Markup {
        self.0.push_str(markup);
        self
    }

    /// Text in an element or a quoted attribute.
    pub fn text(&mut self, value: impl Display) -> &mut Markup {
        let value = value.to_string();
        let clean = text::block(value.as_bytes(), false);
        let clean = if value.ends_with('\n') { &clean[..] } else { clean.trim_end_matches('\n') };
        self.escaped(clean)
    }

    /// Text that went through [`text::block`] already; escaped all the same.
    pub fn escaped(&mut self, clean: &str) -> &mut Markup {
        let mut from = 0;
        for (at, byte) in clean.bytes().enumerate() {
            let entity = match byte {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                b'\'' => "&#39;",
                _ => continue,
            };
            self.0.push_str(&clean[from..at]);
            self.0.push_str(entity);
            from = at + 1;
        }
        self.0.push_str(&clean[from..]);
        self
    }

    /// A sentence in which what stands between backticks is code.
    pub fn prose(&mut self, sentence: &str) -> &mut Markup {
        let parts: Vec<&str> = sentence.split('`').collect();
        if parts.len().is_multiple_of(2) {
            return self.text(sentence);
        }
        for (index, part) in parts.into_iter().enumerate() {
            if index % 2 == 0 {
                self.text(part);
            } else {
                self.raw("<code>").text(part).raw("</code>");
            }
        }
        self
    }

    /// An attribute with a space before it. `name` must not be one that runs script.
    pub fn attribute(&mut self, name: &'static str, value: impl Display) -> &mut Markup {
        self.raw(" ").raw(name).raw("=\"").text(value).raw("\"")
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_in_pairs_mark_code() {
        let prose = |sentence: &str| {
            let mut markup = Markup::default();
            markup.prose(sentence);
            markup.into_string()
        };
        assert_eq!(prose("use `a<b>` here"), "use <code>a&lt;b&gt;</code> here");
        assert_eq!(prose("it`s one"), "it`s one");
        assert_eq!(prose(""), "");
    }

    #[test]
    fn text_stays_text() {
        let mut markup = Markup::default();
        markup.raw("<p").attribute("title", "\"><script>").raw(">").text("a & 'b'\u{1b}[1m<i>\n");
        assert_eq!(
            markup.into_string(),
            "<p title=\"&quot;&gt;&lt;script&gt;\">a &amp; &#39;b&#39;&lt;i&gt;\n"
        );
    }
}
