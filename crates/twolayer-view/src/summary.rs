//! What of one point of a sweep its figures need: curves and crossings, no trajectories.

use twolayer::{
    agree::{Crossed, crossings},
    problem::Engine,
    record::observable::SECOND_LAYER,
};

use super::{
    curves::scalar,
    direction::directions,
    moments::{Moment, moments},
    of_run,
    plateaus::levels,
    readout::{Errors, errors},
    series::{Estimate, Series, Traced, series, whole},
};
use twolayer_file::experiment::{Experiment, Figure, Quantity};

use crate::outcome::Outcome;

/// One point of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The swept keys, by path, and what they are here: `("training.dimension", "1000")`.
    pub values: Vec<(String, String)>,
    pub(crate) views: Vec<ViewSummary>,
}

/// One view at one point.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ViewSummary {
    pub name: String,
    pub limit: bool,
    /// Its number among all views, and among the limits or the simulations.
    pub index: usize,
    pub rank: usize,
    pub runs: usize,
    pub dimension: Option<u64>,
    /// For each figure of the experiment, its curves: one, or one for each direction.
    pub figures: Vec<Vec<Traced>>,
    pub crossed: Vec<Crossed>,
    /// Levels at which theory expects plateaus of the risk.
    pub levels: Vec<f64>,
    /// Whether curves hold runs at the level at which they stopped.
    pub holds: bool,
}

impl Summary {
    /// Of the outcomes of `experiment`, as it is at the point with these values.
    pub fn of(values: &[(String, String)], experiment: &Experiment, outcomes: &[Outcome]) -> Self {
        let (all, _) = series(experiment, outcomes);
        let limits = |limit: bool, before: usize| {
            let earlier = experiment.views.iter().take(before);
            earlier.filter(|view| (view.view.engine == Engine::Limit) == limit).count()
        };
        // Clouds of all views at the same moments.
        let seen: Vec<Vec<Moment>> = (experiment.figures.iter())
            .map(|figure| if figure.y == Quantity::Cloud { moments(&all, &figure.at).0 } else { Vec::new() })
            .collect();
        let drawn = |one: &Series<'_>, figure: &Figure, moments: &[Moment]| match figure.y {
            Quantity::Cloud => moments.iter().map(|moment| cloud(one, figure, moment)).collect(),
            y if y.is_of_run() => {
                let expected = outcomes.get(one.index).map(|outcome| &outcome.expected[..]).unwrap_or_default();
                of_run::of_view(one, expected, y)
            }
            _ => traced(one, figure),
        };
        let views = (all.iter()).map(|one| ViewSummary {
            name: one.view.name.clone(),
            limit: one.is_limit(),
            index: one.index,
            rank: limits(one.is_limit(), one.index),
            runs: one.runs.len(),
            dimension: one.view.problem.dimension().filter(|_| !one.is_limit()),
            figures: experiment.figures.iter().zip(&seen).map(|(figure, seen)| drawn(one, figure, seen)).collect(),
            crossed: crossings(&one.view.problem, &one.view.record.crossings, one.runs),
            levels: outcomes.get(one.index).map(|outcome| levels(&outcome.expected)).unwrap_or_default(),
            holds: one.holds(),
        });
        Self { values: values.to_vec(), views: views.collect() }
    }
}

impl ViewSummary {
    /// `reduced, d = 1000, 16 runs`, with what is the same in `all` points.
    pub fn label(&self, all: &[Summary]) -> String {
        let own = || all.iter().flat_map(|point| &point.views).filter(|view| view.name == self.name);
        let mut label = self.name.clone();
        if let Some(d) = self.dimension.filter(|_| own().all(|view| view.dimension == self.dimension)) {
            label += &format!(", d = {}", whole(d));
        }
        if self.runs > 1 && own().all(|view| view.runs == self.runs) {
            label += &format!(", {} runs", self.runs);
        }
        label
    }
}

/// The errors of a readout, and their lower bound where it is known.
fn both(errors: Errors) -> Vec<Traced> {
    let Errors { level, x, y, bound } = errors;
    let known = bound.iter().any(|bound| bound.is_finite());
    let exact = bound.into_iter().map(|mean| Estimate { mean, bar: 0.0 }).collect();
    let bound = Traced { level: level.clone(), bound: true, ..Traced::of(String::new(), x.clone(), exact) };
    let found = Traced { level, ..Traced::of(String::new(), x, y) };
    std::iter::once(found).chain(known.then_some(bound)).collect()
}

/// The curves of one figure: with many curves side by side, of the neurons only the largest |overlap| or |cosine|, or the
/// one neuron that the figure asks for, with its sign.
fn traced(series: &Series<'_>, figure: &Figure) -> Vec<Traced> {
    let x = series.abscissa(&figure.x);
    match figure.y {
        Quantity::Risk | Quantity::TwiceRisk | Quantity::TrainingRisk => {
            let Some((_, value)) = scalar(figure.y) else { return Vec::new() };
            vec![Traced::of(String::new(), x, series.estimates(usize::MAX, |_, run, t| value(run, t)))]
        }
        Quantity::Overlap | Quantity::Cosine => {
            let every = directions(figure, &series.view.problem.target.overlaps);
            let several = every.len() > 1;
            (every.iter())
                .map(|direction| {
                    let value = |run: &twolayer::record::Trajectory, t: usize, j: usize| {
                        if figure.y == Quantity::Cosine {
                            direction.cosine(run, t, j)
                        } else {
                            direction.overlap(run, t, j)
                        }
                    };
                    let y = match figure.neurons[..] {
                        [j] => series.of_neuron(j, value),
                        _ => series.estimates(usize::MAX, |_, run, t| {
                            let some = |j: &usize| figure.neurons.is_empty() || figure.neurons.contains(j);
                            (0..run.width).filter(some).map(|j| value(run, t, j).abs()).fold(f64::NAN, f64::max)
                        }),
                    };
                    let title = if several { format!("along {}", direction.name) } else { String::new() };
                    Traced::of(title, x.clone(), y)
                })
                .collect()
        }
        Quantity::Readout => errors(series, &figure.x).into_iter().flat_map(both).collect(),
        Quantity::Crossing
        | Quantity::Plateau
        | Quantity::HalfTime
        | Quantity::Scatter
        | Quantity::Histogram
        | Quantity::Cloud
        | Quantity::Gradient
        | Quantity::Spectrum => Vec::new(),
    }
}

/// The particles of the first run at a moment: cosines, and the second layer.
fn cloud(one: &Series<'_>, figure: &Figure, moment: &Moment) -> Traced {
    let run = &one.runs[0];
    let every = directions(figure, &one.view.problem.target.overlaps);
    let known = moment.entry(one).filter(|t| *t < run.valid).zip(every.first());
    let dots = known.into_iter().flat_map(|(t, across)| {
        let some = |j: &usize| figure.neurons.is_empty() || figure.neurons.contains(j);
        (0..run.width).filter(some).map(move |j| (across.cosine(run, t, j), run.of(&SECOND_LAYER)[t * run.width + j]))
    });
    let (x, y) = dots.map(|(s, a)| (s, Estimate { mean: a, bar: 0.0 })).unzip();
    Traced::of(moment.title.clone(), x, y)
}
