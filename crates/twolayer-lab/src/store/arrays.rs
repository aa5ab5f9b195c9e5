//! Which arrays the file of a view has.

use std::collections::BTreeMap;

use twolayer::record::{Axis, OBSERVABLES, Observable, Trajectory};

/// A number of a replicate.
pub(super) type OfRun = fn(&Trajectory) -> f64;

/// What the file has of each replicate besides its observables: how it ended, and how many of its entries are valid.
pub(super) const ENDED: [(&str, OfRun); 2] =
    [("status", |run| f64::from(run.status.code())), ("valid", |run| run.valid as f64)];

/// The observables that are written: all replicates have all of their numbers.
pub(super) fn written(runs: &[Trajectory]) -> impl Iterator<Item = &'static Observable> {
    OBSERVABLES.iter().copied().filter(move |array| runs.iter().all(|run| run.is_whole(array)))
}

/// The axes of each array of the file, by name.
pub(super) fn axes(runs: &[Trajectory]) -> BTreeMap<String, Vec<String>> {
    let names = |axes: &[Axis]| axes.iter().map(|axis| axis.name().to_string()).collect();
    let observables = written(runs).map(|array| (array.name.to_string(), names(array.axes)));
    observables.chain(ENDED.map(|(name, _)| (name.to_string(), names(&[Axis::Replicate])))).collect()
}
