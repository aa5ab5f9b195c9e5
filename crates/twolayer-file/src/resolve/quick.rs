//! `--quick`: the experiment at a tenth of its sizes, for a first look.
//!
//! Of d, n, n_b, replicates (four at least: fewer tell nothing) and long numbers of steps a tenth is left; p and k stay, and
//! with them what there is to be learnt. d does not fall below p + k; where it therefore stays, the time is cut instead.
//! Sizes written as expressions follow d by themselves.

use twolayer::problem::{Dimension, Problem};

use crate::{
    experiment::NamedView,
    text::tree::{Node, Table, Value},
};

/// A run of fewer steps is left as it is: each of them counts.
const FEW_STEPS: f64 = 100.0;

/// So many samples measure an error to some per cent.
const FEW_TEST_SAMPLES: f64 = 1000.0;

/// A tenth of d, but at least p + k where there is that much.
pub fn dimension(d: Dimension, problem: &Problem) -> Dimension {
    let least = (problem.width() + problem.directions()) as u64;
    match d {
        Dimension::Finite(d) => Dimension::Finite((d as f64 / 10.0).round().max(d.min(least) as f64) as u64),
        Dimension::Infinite => Dimension::Infinite,
    }
}

/// Writes the sizes of a quick run into what a view sees; `full` is the view at its full sizes.
pub fn shrink(tree: &mut Table, full: &NamedView) {
    let problem = &full.problem;
    let d = problem.training.dimension;
    if let Dimension::Finite(less) = dimension(d, problem) {
        put(tree, "training.dimension", less as f64);
        if less as f64 > 0.5 * d.as_f64() {
            tenth(tree, "training.time", 0.0);
        }
    }
    tenth(tree, "training.samples", 1.0);
    tenth(tree, "training.batch", 1.0);
    tenth(tree, "training.steps", FEW_STEPS);
    tenth(tree, "readout.samples", 1.0);
    tenth(tree, "readout.test_samples", FEW_TEST_SAMPLES);
    // The grid must start before the end, which may have come nearer.
    tenth(tree, "record.first", 0.0);
    let replicates = full.view.replicates;
    put(tree, "view.replicates", (replicates as f64 / 10.0).round().max(replicates.min(4) as f64));
}

/// A tenth of a plain number larger than `least`.
fn tenth(tree: &mut Table, path: &str, least: f64) {
    if let Some(number) = tree.get(path).and_then(|entry| entry.node.number())
        && number > least
    {
        let tenth = number / 10.0;
        put(tree, path, if least > 0.0 { tenth.round().max(1.0) } else { tenth });
    }
}

fn put(tree: &mut Table, path: &str, number: f64) {
    let place = tree.get(path).map(|entry| (entry.at.clone(), entry.node.span.clone()));
    let (at, span) = place.unwrap_or((0..0, 0..0));
    tree.set(path, at, Node { span, value: Value::Float(number) });
}
