//! Which arrays the files of a view have.

use std::collections::BTreeMap;

use twolayer::record::{Axis, OBSERVABLES, Observable, Trajectory};

use super::layout::WORDS;

/// A number of a replicate.
pub(super) type OfRun = fn(&Trajectory) -> f64;

/// What the file has of each replicate besides its observables: how it ended, and how many of its entries are valid.
pub(super) const ENDED: [(&str, OfRun); 2] =
    [("status", |run| f64::from(run.status.code())), ("valid", |run| run.valid as f64)];

/// The observables that are written into the file with this word: all replicates have all of their numbers.
pub(super) fn written(runs: &[Trajectory], word: Option<&str>) -> impl Iterator<Item = &'static Observable> {
    let whole = move |array: &&Observable| array.place().0 == word && runs.iter().all(|run| run.is_whole(array));
    OBSERVABLES.iter().copied().filter(whole)
}

/// The axes of each array of the file, by name.
pub(super) fn axes(runs: &[Trajectory]) -> BTreeMap<String, Vec<String>> {
    let names = |axes: &[Axis]| axes.iter().map(|axis| axis.name().to_string()).collect();
    let observables = WORDS.into_iter().flat_map(|word| written(runs, word));
    let observables = observables.map(|array| (array.name.to_string(), names(array.axes)));
    observables.chain(ENDED.map(|(name, _)| (name.to_string(), names(&[Axis::Replicate])))).collect()
}
