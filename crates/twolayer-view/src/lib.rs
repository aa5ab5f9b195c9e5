//! An experiment and what its views gave, as a drawing.
//!
//! Nothing here knows a file, a directory or a terminal: experiments come from `twolayer-file`, arrays from `twolayer`,
//! and a [`Drawing`] goes to `twolayer-plot`.
//!
//! One drawing holds all figures of an experiment, one [`Block`] below the other. Limits are lines, simulations are
//! dots with error bars of ± 2 standard errors.

mod axes;
mod clouds;
mod curves;
mod direction;
#[cfg(any(test, feature = "fabricated"))]
pub mod fabricated;
mod gradients;
mod grid;
mod histogram;
mod moments;
mod of_run;
pub mod outcome;
pub mod phases;
mod plateaus;
mod readout;
mod scatter;
mod series;
mod spectrum;
mod summary;
pub mod sweep;

use twolayer_file::experiment::{self, Axis, Experiment, NamedView, Quantity};
use twolayer_plot::{
    AxisOf, Block, Dash, Dot, Drawing, Key, Mark, Marker, PALETTE, Panel, Sample, Scale, Style, number,
};

pub use outcome::Outcome;

pub use sweep::{Summary, draw_sweep};

/// All figures of `experiment` but those against a swept key, which are of the sweep ([`draw_sweep`]). `version` is that of
/// the program, for the small print.
pub fn draw(experiment: &Experiment, outcomes: &[Outcome], version: &str) -> Drawing {
    let own = experiment.figures.iter().filter(|figure| !matches!(figure.x, Axis::Swept(_)));
    let blocks = own.flat_map(|figure| match figure.y {
        Quantity::Risk | Quantity::TwiceRisk | Quantity::TrainingRisk => {
            let scalar = curves::scalar(figure.y);
            scalar.map(|scalar| curves::risk(experiment, outcomes, figure, scalar)).into_iter().collect()
        }
        Quantity::Overlap | Quantity::Cosine => curves::overlaps(experiment, outcomes, figure),
        Quantity::Crossing => vec![sweep::crossings(experiment, outcomes, figure)],
        Quantity::Plateau | Quantity::HalfTime => vec![of_run::by_view(experiment, outcomes, figure)],
        Quantity::Scatter | Quantity::Cloud => vec![scatter::scatter(experiment, outcomes, figure)],
        Quantity::Gradient => vec![gradients::gradients(experiment, outcomes, figure)],
        Quantity::Histogram => vec![histogram::histogram(experiment, outcomes, figure)],
        Quantity::Readout => vec![readout::readout(experiment, outcomes, figure)],
        Quantity::Spectrum => vec![spectrum::spectrum(experiment, outcomes, figure)],
    });
    let small_print = small_print(experiment, version);
    Drawing { title: experiment.title.clone(), blocks: blocks.collect(), small_print }
}

/// Whether two views look at the same problem: they override the same keys with the same values, apart from the
/// dimension, the duration and what is recorded.
pub fn same_problem(first: &NamedView, second: &NamedView) -> bool {
    let meaning = |view: &NamedView| {
        let mut keys: Vec<(String, String)> = (view.overrides.iter())
            .filter(|(key, _)| {
                !matches!(key.as_str(), "training.dimension" | "training.time" | "training.steps")
                    && !key.starts_with("record.")
            })
            .cloned()
            .collect();
        keys.sort();
        keys
    };
    meaning(first) == meaning(second)
}

/// The settings of an experiment: what each changes, in words (empty where there is only one), and its views.
pub fn settings(experiment: &Experiment, outcomes: &[Outcome]) -> Vec<(String, Vec<usize>)> {
    let (all, count) = series::series(experiment, outcomes);
    let one = |setting: usize| {
        let own = all.iter().filter(|series| series.setting == setting).map(|series| series.index);
        (series::setting_label(&all, setting, count), own.collect())
    };
    (0..count).map(one).collect()
}

/// The scale that a figure asks for.
fn scale_of(asked: Option<experiment::Scale>) -> Option<Scale> {
    asked.map(|scale| match scale {
        experiment::Scale::Linear => Scale::Linear,
        experiment::Scale::Log => Scale::Log,
    })
}

/// What stands below every drawing.
fn small_print(experiment: &Experiment, version: &str) -> Vec<String> {
    vec![format!("twolayer {version}; {}; dots ± 2 standard errors over replicates", experiment.seeds())]
}

#[cfg(test)]
mod kinds;
#[cfg(test)]
mod tests;
