//! Compares a candidate with the live release over the same minutes.
//!
//! Numbers come in as a [`Sample`] per release: from the edge ([`Snapshot`], [`Window`], [`Watch`]),
//! or from another source ([`prometheus`], [`beacon`]). [`Rule`]s say what is allowed, and
//! [`analyse`] gives an [`Analysis`]: a verdict, and for every limit a [`Judgement`] with the numbers
//! that it stands on and one sentence for a person.
//!
//! Pure: no clock, no network, no chance. The same numbers give the same verdict.
//!
//! - No data, or too little, is inconclusive; never pass.
//! - A candidate that is worse in every number never gets a better verdict.
//! - Over all looks and limits of a rollout, a candidate that is no worse than allowed fails with at
//!   most the chance `1 - confidence`.
//!
//! The formulas and their sources stand beside the functions; docs/src/analysis.md tells them in one
//! place.

pub mod beacon;
mod compared;
mod distribution;
mod histogram;
mod interval;
mod judge;
mod metric;
pub mod prometheus;
mod proportion;
mod rank_test;
mod rule;
mod sample;
mod settings;
mod show;
mod snapshot;
mod special;
mod verdict;
mod watch;
mod window;

pub use compared::Compared;
pub use distribution::{Percentile, Percentiles, UnorderedPercentiles};
pub use histogram::{Histogram, HistogramError};
pub use interval::Interval;
pub use judge::analyse;
pub use metric::{Metric, Quantile, Vital};
pub use proportion::Proportion;
pub use rank_test::RankTest;
pub use rule::{AgainstLive, InvalidRule, Rule, Source};
pub use sample::Sample;
pub use settings::{Confidence, Settings};
pub use snapshot::{ReleaseCounts, Snapshot, SnapshotError};
pub use verdict::{Analysis, Judgement, Limit, Reading, Verdict};
pub use watch::Watch;
pub use window::Window;
