//! A record of a journal, as a person reads it.

use super::brief;
use crate::acts;
use crate::journal::Record;
use screen::look::{Ink, Look};
use screen::text;

/// Lines of one act; the whole of it stands in the journal, and in the rollout's record.
const MAX_LINES: usize = 3;

/// One record, on one line where it fits.
pub fn record_text(look: &Look, record: &Record) -> String {
    let at = record.at.get(..19).unwrap_or(&record.at).replace('T', " ");
    let rollout = record.rollout.map(|id| format!("  {id}")).unwrap_or_default();
    let who = text::line(record.who.as_bytes());
    let head = format!("  {:>4}  {at}  {who}{rollout}", record.number);
    let words = text::block(acts::words(&record.act).as_bytes(), false).replace('\n', " ");
    let words = words.trim();
    if text::width(&head) + 2 + text::width(words) <= look.measure() {
        return format!("{}  {words}\n", look.paint(Ink::Quiet, &head));
    }
    let room = look.measure().saturating_sub(8).max(20);
    let lines = brief::lines(words, room, MAX_LINES, look.ellipsis());
    let lines: String = lines.iter().map(|line| format!("        {line}\n")).collect();
    format!("{}\n{lines}", look.paint(Ink::Quiet, &head))
}
