//! Everything that is done with results that are there.

use std::path::Path;

use twolayer_lab::{answer::answer, compare, report, results::Results};
use twolayer_plot::svg;
use twolayer_view::draw;

/// Opens them; where that is possible, cites, and if `thoroughly` compares, draws and reports too. Whether they opened.
pub fn read(directory: &Path, thoroughly: bool) -> bool {
    let Ok(results) = Results::open(directory) else { return false };
    results.citations();
    if thoroughly {
        let Results { manifest, experiment, outcomes, .. } = &results;
        let agreement = compare::compare(&experiment.views, outcomes);
        answer(experiment, outcomes, &agreement, manifest.seconds, directory);
        let drawing = draw(experiment, outcomes, &manifest.version);
        report::html(experiment, outcomes, manifest, &svg(&drawing));
    }
    true
}

/// A rare choice that the input determines.
pub fn one_in(n: u64, input: &[u8]) -> bool {
    twolayer_file::hash::checksum(input).is_multiple_of(n)
}
