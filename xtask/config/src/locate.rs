//! Where in the file a key stands, for rules that are checked after the types.

use crate::Position;
use std::ops::Range;
use toml::de::{DeArray, DeTable, DeValue};

/// One part of the way to a value: a key of a table, or an index of an array.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> From<&'a str> for Part<'a> {
    fn from(key: &'a str) -> Part<'a> {
        Part::Key(key)
    }
}

impl From<usize> for Part<'_> {
    fn from(index: usize) -> Self {
        Part::Index(index)
    }
}

/// The place of the value at the end of the way: of the key itself where the value is a table, else
/// of the value. A way that leads nowhere ends at the last part that is there.
pub(crate) fn locate(text: &str, way: &[Part<'_>]) -> Option<Position> {
    let root = DeTable::parse(text).ok()?;
    let mut place: Range<usize> = 0..0;
    let mut table = Some(root.get_ref());
    let mut array: Option<&DeArray<'_>> = None;
    for part in way {
        let next = match (part, table, array) {
            (Part::Key(key), Some(table), _) => {
                table.get_key_value(*key).map(|(key, value)| (key.span(), value))
            }
            (Part::Index(index), _, Some(array)) => {
                array.get(*index).map(|value| (value.span(), value))
            }
            _ => None,
        };
        let Some((key_span, value)) = next else { break };
        (table, array) = (None, None);
        place = match value.get_ref() {
            DeValue::Table(inner) => {
                table = Some(inner);
                key_span
            }
            DeValue::Array(inner) => {
                array = Some(inner);
                key_span
            }
            _ => value.span(),
        };
    }
    Some(Position::of(text, &place))
}
