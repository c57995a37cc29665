//! A problem that a visitor told of.

use super::{ComponentId, Email, IncidentId, Moment, row_id, vocabulary};

row_id!(
    /// Which report.
    ReportId
);

vocabulary!(
    /// What became of a report.
    Triage {
        New = "new", "New";
        Acknowledged = "acknowledged", "Acknowledged";
        Dismissed = "dismissed", "Dismissed";
    }
);

#[derive(Debug, Clone)]
pub struct Report {
    pub id: ReportId,
    /// Name of the component that it is about, if it names one.
    pub component: Option<String>,
    pub summary: String,
    pub details: String,
    pub email: Option<String>,
    pub triage: Triage,
    pub incident: Option<IncidentId>,
    pub received: Moment,
}

/// What a visitor says.
#[derive(Debug, Clone)]
pub struct NewReport {
    pub component: Option<ComponentId>,
    pub summary: String,
    pub details: String,
    pub email: Option<Email>,
}

impl NewReport {
    pub const SUMMARY_LIMIT: usize = 120;
    pub const DETAILS_LIMIT: usize = 4_000;
    /// Reports that wait for triage; past it the form says that it is full rather than let anyone
    /// fill the disk.
    pub const WAITING_LIMIT: u32 = 5_000;
}
