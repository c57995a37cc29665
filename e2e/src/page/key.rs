//! The keyboard: what the browser must be told for a key to act as on a real one.

use crate::{Error, Result};
use serde_json::{Value, json};

/// A key: its DOM `key`, `code`, Windows key code and the text that it types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    key: String,
    code: String,
    key_code: u32,
    text: String,
}

/// Keys that have a name: `key`, Windows key code, text.
const NAMED: [(&str, u32, &str); 15] = [
    ("Enter", 13, "\r"),
    ("Tab", 9, ""),
    ("Escape", 27, ""),
    ("Backspace", 8, ""),
    ("Delete", 46, ""),
    ("ArrowLeft", 37, ""),
    ("ArrowUp", 38, ""),
    ("ArrowRight", 39, ""),
    ("ArrowDown", 40, ""),
    ("PageUp", 33, ""),
    ("PageDown", 34, ""),
    ("End", 35, ""),
    ("Home", 36, ""),
    ("Insert", 45, ""),
    ("Space", 32, " "),
];

const MODIFIERS: [(&str, u32); 4] = [("Alt", 1), ("Control", 2), ("Meta", 4), ("Shift", 8)];

impl Key {
    /// Parses `"Enter"`, `"a"`, `"Shift+Tab"` into the modifiers and the key.
    pub(super) fn parse(text: &str) -> Result<(Vec<&str>, Key)> {
        let unknown = || Error::UnknownKey(text.to_owned());
        // "Control++" is the plus key.
        let (modifiers, name) = match text.strip_suffix("++") {
            Some(before) => (Some(before), "+"),
            None => match text.rsplit_once('+') {
                Some((before, name)) if !name.is_empty() => (Some(before), name),
                _ => (None, text),
            },
        };
        let modifiers: Vec<&str> =
            modifiers.map(|list| list.split('+').collect()).unwrap_or_default();
        if !modifiers.iter().all(|each| MODIFIERS.iter().any(|(known, _)| known == each)) {
            return Err(unknown());
        }
        // With these held, a key is a command and types nothing.
        let is_command = modifiers.iter().any(|each| *each != "Shift");
        let mut key = Key::named(name).ok_or_else(unknown)?;
        if is_command {
            key.text.clear();
        }
        Ok((modifiers, key))
    }

    fn named(name: &str) -> Option<Key> {
        if let Some((key, key_code, text)) = NAMED.iter().find(|(known, _, _)| *known == name) {
            let dom_key = if *key == "Space" { " " } else { key };
            return Some(Key {
                key: dom_key.to_owned(),
                code: (*key).to_owned(),
                key_code: *key_code,
                text: (*text).to_owned(),
            });
        }
        let mut characters = name.chars();
        let (Some(character), None) = (characters.next(), characters.next()) else { return None };
        let upper = character.to_ascii_uppercase();
        let (code, key_code) = match upper {
            'A'..='Z' => (format!("Key{upper}"), u32::from(upper)),
            '0'..='9' => (format!("Digit{upper}"), u32::from(upper)),
            _ => (String::new(), 0),
        };
        Some(Key { key: name.to_owned(), code, key_code, text: name.to_owned() })
    }

    /// The parameters of `Input.dispatchKeyEvent`.
    pub(super) fn event(&self, kind: &str, modifiers: u32) -> Value {
        let mut event = json!({
            "type": kind, "modifiers": modifiers, "key": self.key, "code": self.code,
            "windowsVirtualKeyCode": self.key_code,
        });
        if kind == "keyDown" {
            if self.text.is_empty() {
                event["type"] = "rawKeyDown".into();
            } else {
                event["text"] = self.text.clone().into();
            }
        }
        event
    }
}

/// The protocol's bits for held modifiers.
pub(super) fn modifier_bits(modifiers: &[&str]) -> u32 {
    MODIFIERS.iter().filter(|(name, _)| modifiers.contains(name)).map(|(_, bit)| bit).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_parsed_with_their_modifiers() {
        let (modifiers, key) = Key::parse("Shift+Tab").unwrap();
        assert_eq!(modifier_bits(&modifiers), 8);
        assert_eq!(key.event("keyDown", 8)["type"], "rawKeyDown");
        let (modifiers, key) = Key::parse("Control+a").unwrap();
        assert_eq!((modifier_bits(&modifiers), key.text.as_str()), (2, ""));
        assert_eq!(Key::parse("+").unwrap().1.key, "+");
        assert_eq!(Key::parse("Control++").unwrap().1.key, "+");
        assert_eq!(Key::parse("Enter").unwrap().1.text, "\r");
    }

    #[test]
    fn what_no_keyboard_has_is_refused() {
        for text in ["", "Entre", "Hyper+a", "ab"] {
            assert!(matches!(Key::parse(text), Err(Error::UnknownKey(_))), "{text}");
        }
    }
}
