//! From outcomes to curves: means over replicates, labels, colours.

use twolayer::{
    agree::match_neurons,
    problem::{Engine, StartMode},
    record::{
        Status, Trajectory,
        observable::{SAMPLES, STEP, TIME},
    },
};

use super::{
    Dash, Dot, Key, Marker, Sample, Scale, Style,
    number::{readable, superscript},
    same_problem,
};
use twolayer_file::experiment::{Axis, Experiment, NamedView};

use crate::outcome::Outcome;

/// One view, ready to be drawn.
pub(crate) struct Series<'a> {
    pub experiment: &'a Experiment,
    pub view: &'a NamedView,
    pub runs: &'a [Trajectory],
    /// Which of the experiment's settings it belongs to: views of one setting see the same problem.
    pub setting: usize,
    /// Its number among the limits, or among the simulations, of its setting.
    pub rank: usize,
    /// Its number among the kinds of limits, or of simulations, of all settings: what has other sizes has another, what
    /// plays the same part in another setting the same.
    pub part: usize,
    /// Its number among all views.
    pub index: usize,
    /// Which neurons of which runs are averaged.
    pub neurons: Neurons,
}

/// Which neurons of several runs are averaged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Neurons {
    /// Neuron j with neuron j: the start is shared.
    Shared,
    /// Neuron `[run][j]` as neuron j of the first view: the starts are independent, the neurons matched.
    Matched(Vec<Vec<usize>>),
    /// None: the first run stands alone.
    First,
}

/// The mean over replicates, and twice its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    pub mean: f64,
    pub bar: f64,
}

/// A curve, mean ± 2 standard errors.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Traced {
    /// `along z₁`; empty where there is only one.
    pub title: String,
    /// What its colour stands for beside the swept values: `step 3`; empty where there is nothing else.
    pub level: String,
    /// A lower bound, not what a view gave.
    pub bound: bool,
    pub x: Vec<f64>,
    pub y: Vec<Estimate>,
}

impl Traced {
    /// What a view gave, alone in its panel.
    pub fn of(title: String, x: Vec<f64>, y: Vec<Estimate>) -> Self {
        Self { title, level: String::new(), bound: false, x, y }
    }

    /// The last estimate that there is.
    pub fn end(&self) -> Option<Estimate> {
        self.y.iter().rev().copied().find(|e| e.mean.is_finite())
    }
}

/// All views with at least one trajectory, and the number of settings.
pub(crate) fn series<'a>(experiment: &'a Experiment, outcomes: &'a [Outcome]) -> (Vec<Series<'a>>, usize) {
    let mut all: Vec<Series<'_>> = Vec::new();
    let mut settings = 0;
    for (index, (view, outcome)) in experiment.views.iter().zip(outcomes).enumerate() {
        if outcome.trajectories.is_empty() {
            continue;
        }
        let setting = all.iter().find(|other| same_problem(other.view, view)).map_or_else(
            || {
                settings += 1;
                settings - 1
            },
            |other| other.setting,
        );
        let limit = view.view.engine == Engine::Limit;
        let rank = all.iter().filter(|other| other.setting == setting && other.is_limit() == limit).count();
        let runs = &outcome.trajectories[..];
        let neurons = match view.problem.network.start {
            StartMode::Shared => Neurons::Shared,
            StartMode::Independent if runs.len() < 2 => Neurons::Shared,
            StartMode::Independent => {
                // The first view of the setting, a limit as a rule, is who is who.
                let reference =
                    all.iter().find(|other| other.setting == setting).map_or(&runs[0], |other| &other.runs[0]);
                let matched = match_neurons(reference, runs, &view.problem.target.overlaps);
                matched.map_or(Neurons::First, Neurons::Matched)
            }
        };
        all.push(Series { experiment, view, runs, setting, rank, part: 0, index, neurons });
    }
    parts(&mut all);
    (all, settings)
}

/// Numbers the kinds of limits and of simulations; the second one of a kind in a setting is another kind.
fn parts(all: &mut [Series<'_>]) {
    let mut known: Vec<(bool, String, usize)> = Vec::new();
    for i in 0..all.len() {
        let (limit, kind) = (all[i].is_limit(), all[i].kind());
        let again = all[..i].iter().filter(|other| other.setting == all[i].setting && other.kind() == kind).count();
        let own = (limit, kind, again);
        if !known.contains(&own) {
            known.push(own.clone());
        }
        let alike = known.iter().filter(|(other, ..)| *other == limit);
        all[i].part = alike.take_while(|other| **other != own).count();
    }
}

impl Series<'_> {
    pub fn is_limit(&self) -> bool {
        self.view.view.engine == Engine::Limit
    }

    /// Line of a limit, or dots of a simulation, in the `color`-th colour, with the `nth` dashes or marker.
    pub fn style(&self, color: usize, nth: usize) -> Style {
        if self.is_limit() { Style::line(color, Dash::nth(nth)) } else { Style::dots(color, Marker::nth(nth)) }
    }

    /// One colour for each setting; where there is only one, one for each view.
    pub fn color(&self, settings: usize) -> usize {
        if settings > 1 { self.setting } else { self.index }
    }

    /// `reduced, d = 10⁵, 16 runs`, beginning with the view's name.
    pub fn label(&self) -> String {
        self.label_from(&self.view.name)
    }

    /// The same for all views with this engine and these sizes.
    pub fn kind(&self) -> String {
        self.label_from(self.view.view.engine.name())
    }

    fn label_from(&self, name: &str) -> String {
        let mut label = name.to_string();
        if !self.is_limit() {
            if let Some(d) = self.view.problem.dimension() {
                label += &format!(", d = {}", whole(d));
            }
            if self.runs.len() > 1 {
                label += &format!(", {} runs", self.runs.len());
            }
        }
        if let Some(run) = self.runs.iter().find(|run| run.status.word() != "done") {
            label += &format!(" [{}]", run.status.word());
        }
        label
    }

    /// Whether some runs are held at the level at which they stopped, while others go on.
    pub fn holds(&self) -> bool {
        let last = self.runs.iter().map(|run| run.valid).max().unwrap_or(0);
        self.runs.iter().any(|run| stopped(run) && run.valid < last)
    }

    /// The horizontal positions. A limit may not know its steps and samples; the problem it stands for does.
    pub fn abscissa(&self, axis: &Axis) -> Vec<f64> {
        let run = &self.runs[0];
        let steps = || -> Vec<f64> {
            let known = run.of(&STEP).iter().any(|nu| nu.is_finite());
            let step_time = self.view.problem.step_time();
            if known { run.of(&STEP).to_vec() } else { run.of(&TIME).iter().map(|t| t / step_time).collect() }
        };
        match axis {
            Axis::Step => steps(),
            Axis::Samples if run.of(&SAMPLES).iter().any(|n| n.is_finite() && *n > 0.0) => run.of(&SAMPLES).to_vec(),
            Axis::Samples => {
                let (batch, most) = (self.view.problem.batch() as f64, self.view.problem.sizes().n);
                let seen = |nu: f64| if most.is_finite() { (nu * batch).min(most) } else { nu * batch };
                steps().into_iter().map(seen).collect()
            }
            Axis::Time | Axis::Swept(_) => run.of(&TIME).to_vec(),
        }
    }

    /// The estimates of `value(run, t, j)` for neuron j, over the runs in which it can be told which one that is.
    pub fn of_neuron(&self, j: usize, value: impl Fn(&Trajectory, usize, usize) -> f64) -> Vec<Estimate> {
        match &self.neurons {
            Neurons::Shared => self.estimates(usize::MAX, |_, run, t| value(run, t, j)),
            Neurons::Matched(which) => self.estimates(usize::MAX, |r, run, t| value(run, t, which[r][j])),
            Neurons::First => self.estimates(1, |_, run, t| value(run, t, j)),
        }
    }

    /// The estimates of `value(r, run, t)` at every recorded moment, over the first `most` replicates that are valid. One
    /// that stopped at its level is held there as long as another goes on: the mean over those alone would be of other
    /// runs than before.
    pub fn estimates(&self, most: usize, value: impl Fn(usize, &Trajectory, usize) -> f64) -> Vec<Estimate> {
        let last = self.runs.iter().take(most).map(|run| run.valid).max().unwrap_or(0);
        let estimate = |t: usize| {
            let entry = |run: &Trajectory| match (t < run.valid, stopped(run) && t < last) {
                (true, _) => Some(t),
                (false, true) => Some(run.valid - 1),
                (false, false) => None,
            };
            let known = self.runs.iter().enumerate().take(most);
            let values = known.filter_map(|(r, run)| Some(value(r, run, entry(run)?)));
            Estimate::of(&values.collect::<Vec<_>>())
        };
        (0..self.runs[0].len()).map(estimate).collect()
    }
}

/// Whether a crossing ended the run before its last moment.
fn stopped(run: &Trajectory) -> bool {
    run.status == Status::Done && (1..run.len()).contains(&run.valid)
}

/// Said where [`Series::holds`].
pub(crate) const HELD: &str = "Runs that stopped at their level are held there.";

impl Estimate {
    /// Of the finite ones among these values.
    pub fn of(values: &[f64]) -> Self {
        let values: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        Self { mean, bar: if n > 1.0 { 2.0 * (squares / (n * (n - 1.0))).sqrt() } else { 0.0 } }
    }
}

/// The legend of a figure with one key for each view: a row for each setting, headed by what it changes.
pub(crate) fn legend(all: &[Series<'_>], settings: usize, key: impl Fn(&Series<'_>) -> Key) -> Vec<Vec<Key>> {
    let row = |setting: usize| {
        let heading = setting_label(all, setting, settings);
        // A setting that is called as its view is.
        let heading = if heading == names(all, setting) { String::new() } else { heading };
        let words = Key { label: format!("{heading}:"), sample: Sample::Words, style: Style::line(0, Dash::Solid) };
        let keys = all.iter().filter(|series| series.setting == setting).map(&key);
        (!heading.is_empty()).then_some(words).into_iter().chain(keys).collect()
    };
    (0..settings).map(row).collect()
}

/// Characters of a setting's name that fit into a line.
const LONGEST_LABEL: usize = 60;

/// The names of the views of a setting.
fn names(all: &[Series<'_>], setting: usize) -> String {
    let own = all.iter().filter(|series| series.setting == setting).map(|series| series.view.name.as_str());
    own.collect::<Vec<_>>().join(", ")
}

/// What a setting changes, in words: `data = fresh`; empty where there is only one. Where the words for one setting are too
/// many, all are called by their views.
pub(crate) fn setting_label(all: &[Series<'_>], setting: usize, settings: usize) -> String {
    if settings < 2 {
        return String::new();
    }
    let longest = (0..settings).map(|other| changes_in_words(all, other).chars().count()).max().unwrap_or(0);
    if longest > LONGEST_LABEL { names(all, setting) } else { changes_in_words(all, setting) }
}

fn changes_in_words(all: &[Series<'_>], setting: usize) -> String {
    let own = |series: &Series<'_>| -> Vec<(String, String)> {
        let kept = |key: &str| !matches!(key, "training.dimension" | "training.time" | "training.steps");
        series.view.overrides.iter().filter(|(key, _)| kept(key)).cloned().collect()
    };
    let mut keys: Vec<String> = Vec::new();
    for (key, _) in all.iter().flat_map(own) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let Some(first) = all.iter().find(|series| series.setting == setting) else { return String::new() };
    let overrides = own(first);
    let word = |key: &String| {
        let short = key.rsplit('.').next().unwrap_or(key);
        let overridden = overrides.iter().find(|(k, _)| k == key).map(|(_, value)| value.trim_matches('"').to_string());
        let value = overridden.or_else(|| first.experiment.value_in_words(first.index, key));
        let value = value.unwrap_or_else(|| "as in the file".into());
        format!("{short} = {}", readable(&value))
    };
    keys.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// 5000, 10⁵.
pub(crate) fn whole(d: u64) -> String {
    let power = d.checked_ilog10().unwrap_or(0);
    if power >= 4 && d == 10_u64.pow(power) { format!("10{}", superscript(power as i32)) } else { d.to_string() }
}

/// About `count` of the points, evenly spread on the axis, with error bars; `phase` in [0, 1) sets the curves of
/// several views against each other.
pub(crate) fn dots(
    x: &[f64],
    y: &[Estimate],
    scale: Scale,
    limits: (f64, f64),
    (count, phase): (usize, f64),
) -> Vec<Dot> {
    let dot = |i: usize| Dot { x: x[i], y: y[i].mean, low: y[i].mean - y[i].bar, high: y[i].mean + y[i].bar };
    let seen: Vec<usize> = (0..x.len())
        .filter(|&i| x[i] >= limits.0 * (1.0 - 1e-9) && x[i] <= limits.1 * (1.0 + 1e-9) && y[i].mean.is_finite())
        .collect();
    if seen.len() <= count + 3 {
        return seen.into_iter().map(dot).collect();
    }
    let place = |v: f64| if scale == Scale::Log { v.ln() } else { v };
    let (low, high) = (place(x[seen[0]]), place(x[seen[seen.len() - 1]]));
    let mut chosen = Vec::new();
    for n in 0..count {
        let goal = low + (high - low) * (n as f64 + phase) / (count as f64 - 1.0 + phase).max(1.0);
        let after = seen.partition_point(|&i| place(x[i]) < goal);
        let nearest = [after.checked_sub(1), Some(after)]
            .into_iter()
            .flatten()
            .filter_map(|n| seen.get(n).copied())
            .min_by(|&a, &b| (place(x[a]) - goal).abs().total_cmp(&(place(x[b]) - goal).abs()));
        if let Some(i) = nearest
            && chosen.last() != Some(&i)
        {
            chosen.push(i);
        }
    }
    chosen.into_iter().map(dot).collect()
}
