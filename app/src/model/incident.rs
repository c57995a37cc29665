//! Something that went wrong, and what was said about it while it did.

use super::{ComponentId, ComponentState, Moment, row_id, vocabulary};

row_id!(
    /// Which incident; part of its public address.
    IncidentId
);

vocabulary!(
    /// How much an incident hurts.
    Impact {
        Minor = "minor", "Minor";
        Major = "major", "Major";
        Critical = "critical", "Critical";
    }
);

vocabulary!(
    /// How far along it is.
    IncidentStatus {
        Investigating = "investigating", "Investigating";
        Identified = "identified", "Identified";
        Monitoring = "monitoring", "Monitoring";
        Resolved = "resolved", "Resolved";
    }
);

/// An incident as a line in a list.
#[derive(Debug, Clone)]
pub struct IncidentSummary {
    pub id: IncidentId,
    pub title: String,
    pub impact: Impact,
    pub status: IncidentStatus,
    pub opened: Moment,
    pub resolved: Option<Moment>,
    pub latest: Option<IncidentUpdate>,
}

/// An incident with all that was said, latest first.
#[derive(Debug, Clone)]
pub struct Incident {
    pub summary: IncidentSummary,
    pub updates: Vec<IncidentUpdate>,
    /// Names of the affected components, also of those removed since.
    pub components: Vec<(ComponentId, String)>,
}

#[derive(Debug, Clone)]
pub struct IncidentUpdate {
    pub status: IncidentStatus,
    pub message: String,
    pub at: Moment,
}

impl IncidentUpdate {
    pub const MESSAGE_LIMIT: usize = 4_000;
}

/// What an operator says when opening one.
#[derive(Debug, Clone)]
pub struct NewIncident {
    pub title: String,
    pub impact: Impact,
    pub status: IncidentStatus,
    pub message: String,
    pub components: Vec<ComponentId>,
    /// The state that the affected components enter.
    pub component_state: ComponentState,
}

impl NewIncident {
    pub const TITLE_LIMIT: usize = 120;
}
