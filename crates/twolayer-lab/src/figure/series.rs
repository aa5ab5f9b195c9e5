//! From outcomes to curves: means over replicates, labels, colours.

use twolayer::{
    problem::{Engine, StartMode},
    trajectory::{KeepQ, Trajectory},
};

use super::{Dash, Dot, Key, Marker, Sample, Style, ticks::superscript};
use crate::{
    compare::same_problem,
    experiment::{Axis, Experiment, NamedView, Scale},
    outcome::Outcome,
};

/// One view, ready to be drawn.
pub(super) struct Series<'a> {
    pub experiment: &'a Experiment,
    pub view: &'a NamedView,
    pub runs: &'a [Trajectory],
    /// Which of the experiment's settings it belongs to: views of one setting see the same problem.
    pub setting: usize,
    /// Its number among the limits, or among the simulations, of its setting.
    pub rank: usize,
    /// Its number among all views.
    pub index: usize,
}

/// The mean over replicates, and twice its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub mean: f64,
    pub bar: f64,
}

/// All views with at least one trajectory, and the number of settings.
pub(super) fn series<'a>(experiment: &'a Experiment, outcomes: &'a [Outcome]) -> (Vec<Series<'a>>, usize) {
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
        all.push(Series { experiment, view, runs: &outcome.trajectories, setting, rank, index });
    }
    (all, settings)
}

impl Series<'_> {
    pub fn is_limit(&self) -> bool {
        self.view.view.engine == Engine::Limit
    }

    /// Line of a limit, or dots of a simulation, in the `color`-th colour; dashes and markers are `shift`ed.
    pub fn style(&self, color: usize, shift: usize) -> Style {
        if self.is_limit() {
            Style::line(color, Dash::nth(self.rank + shift))
        } else {
            Style::dots(color, Marker::nth(self.rank + shift))
        }
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

    /// The horizontal positions.
    pub fn abscissa(&self, axis: Axis) -> Vec<f64> {
        let run = &self.runs[0];
        match axis {
            Axis::Time => run.time.clone(),
            // A limit may not know its steps; the problem it stands for does.
            Axis::Step if run.step.iter().all(|nu| nu.is_nan()) => {
                run.time.iter().map(|t| t / self.view.problem.step_time()).collect()
            }
            Axis::Step => run.step.clone(),
        }
    }

    /// Whether the mean over replicates means something for M: a shared start does not average over symmetric ones.
    pub fn shared_start(&self) -> bool {
        self.view.problem.network.start == StartMode::Shared
    }

    /// The estimates of `value(run, t)` at every recorded moment, over the first `most` replicates that are valid.
    pub fn estimates(&self, most: usize, value: impl Fn(&Trajectory, usize) -> f64) -> Vec<Estimate> {
        let estimate = |t: usize| {
            let values: Vec<f64> = (self.runs.iter().take(most))
                .filter(|run| t < run.valid)
                .map(|run| value(run, t))
                .filter(|x| x.is_finite())
                .collect();
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
            Estimate { mean, bar: if n > 1.0 { 2.0 * (squares / (n * (n - 1.0))).sqrt() } else { 0.0 } }
        };
        (0..self.runs[0].len()).map(estimate).collect()
    }

    /// M_jr.
    pub fn overlap(run: &Trajectory, t: usize, j: usize, r: usize) -> f64 {
        run.student_teacher[(t * run.width + j) * run.directions + r]
    }

    /// M_jr/√(Q_jj P_rr); NaN where Q was not recorded.
    pub fn cosine(&self, run: &Trajectory, t: usize, j: usize, r: usize) -> f64 {
        if run.keep_q == KeepQ::None {
            return f64::NAN;
        }
        let scale = run.student_norms[t * run.width + j] * self.view.problem.target.overlaps[(r, r)];
        if scale > 0.0 { Self::overlap(run, t, j, r) / scale.sqrt() } else { scale * 0.0 }
    }
}

/// The legend of a figure with one key for each view: a row for each setting, headed by what it changes.
pub(super) fn legend(all: &[Series<'_>], settings: usize, key: impl Fn(&Series<'_>) -> Key) -> Vec<Vec<Key>> {
    let row = |setting: usize| {
        let heading = setting_label(all, setting, settings);
        let words = Key { label: format!("{heading}:"), sample: Sample::Words, style: Style::line(0, Dash::Solid) };
        let keys = all.iter().filter(|series| series.setting == setting).map(&key);
        (!heading.is_empty()).then_some(words).into_iter().chain(keys).collect()
    };
    (0..settings).map(row).collect()
}

/// What a setting changes, in words: `data = fresh`; empty where there is only one.
pub(super) fn setting_label(all: &[Series<'_>], setting: usize, settings: usize) -> String {
    if settings < 2 {
        return String::new();
    }
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
        format!("{short} = {value}")
    };
    keys.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// 5000, 10⁵.
fn whole(d: u64) -> String {
    let power = d.checked_ilog10().unwrap_or(0);
    if power >= 4 && d == 10_u64.pow(power) { format!("10{}", superscript(power as i32)) } else { d.to_string() }
}

/// About `count` of the points, evenly spread on the axis, with error bars; `phase` in [0, 1) sets the curves of
/// several views against each other.
pub(super) fn dots(
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
