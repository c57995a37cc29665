//! Renderers: one file each. All are fed the same events; none asks a step anything.

use crate::pipeline::event::Event;

/// Shows a run while it happens, or writes it down at its end. Renderers never fail a run: what
/// goes wrong while rendering is returned and becomes a warning.
pub trait Renderer {
    /// Called for every event, in order, from one thread.
    fn on(&mut self, event: &Event<'_>) -> anyhow::Result<()>;

    /// Called about ten times a second while steps run, for live lines.
    fn tick(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}
