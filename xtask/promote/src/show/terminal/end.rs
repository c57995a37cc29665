//! What a promotion came to, and what can be done next.

use super::{Terminal, brief};
use crate::show::Ended;
use report::Exit;
use screen::look::Ink;
use screen::text;

impl Terminal {
    pub(super) fn ended(&mut self, ended: &Ended) {
        let Ended { release, took, went_live, turned_back, .. } = ended;
        let look = self.look.clone();
        let took = brief::span(*took);
        let mut lines = match (turned_back, ended.exit) {
            (Some((environment, _)), _) => {
                let heading = format!("{} Turned back in {environment}", self.bad().0);
                format!("\n{}: {release}, after {took}\n", look.paint(Ink::Bad, &heading))
            }
            (None, Exit::Passed) => {
                let places = went_live.join(", ");
                let heading = format!("{} Promoted", self.good().0);
                format!("\n{} {release} to {places} in {took}\n", look.paint(Ink::Good, &heading))
            }
            (None, _) => {
                let heading = format!("{} Stopped", self.careful().0);
                format!(
                    "\n{} on the way of {release}, after {took}\n",
                    look.paint(Ink::Careful, &heading)
                )
            }
        };
        if let Some((_, reason)) = turned_back {
            let room = look.measure().saturating_sub(12);
            for (index, line) in
                text::wrap(&text::block(reason.as_bytes(), false), room).iter().enumerate()
            {
                let label = if index == 0 { "because" } else { "" };
                lines += &format!("  {label:<9} {line}\n");
            }
        }
        for record in &ended.records {
            lines += &format!("  {:<9} {record}\n", "record");
        }
        if let (None, Some(last)) = (turned_back, went_live.last()) {
            lines += &format!("  {:<9} cargo xtask rollback --env {last}\n", "go back");
        }
        self.print(&lines);
    }
}
