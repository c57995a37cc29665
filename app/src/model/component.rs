//! A part of the service that people know by name, and the state it is in.

use super::{Moment, row_id, vocabulary};

row_id!(
    /// Which component.
    ComponentId
);

vocabulary!(
    /// How a component is, from best to worst: the order is what "the worst of" means.
    ComponentState {
        Operational = "operational", "Operational";
        Maintenance = "maintenance", "Under maintenance";
        Degraded = "degraded", "Degraded performance";
        PartialOutage = "partial-outage", "Partial outage";
        MajorOutage = "major-outage", "Major outage";
    }
);

#[derive(Debug, Clone)]
pub struct Component {
    pub id: ComponentId,
    pub name: String,
    /// One line for readers; may be empty.
    pub description: String,
    pub state: ComponentState,
    pub created: Moment,
}

impl Component {
    /// Characters of a name: it must fit beside its state at 360 px.
    pub const NAME_LIMIT: usize = 60;
    pub const DESCRIPTION_LIMIT: usize = 160;
    /// Components on one page; more would need groups to be readable.
    pub const COUNT_LIMIT: usize = 100;
}

/// A component entered a state.
#[derive(Debug, Clone, Copy)]
pub struct ComponentChange {
    pub component: ComponentId,
    pub state: ComponentState,
    pub at: Moment,
}
