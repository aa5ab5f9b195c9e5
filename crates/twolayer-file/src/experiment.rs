//! An experiment as it is meant: defaults filled in, expressions compiled, one problem for each view.

use std::path::PathBuf;

use serde_json::Value as Json;
use twolayer::{
    Advice,
    problem::{Problem, Record, View},
};

use crate::{
    diagnostic::{Diagnostic, Severity, Source},
    hash,
    point::in_words,
    text::{place, tree::Table, with_settings},
};

/// One experiment file, resolved.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// Where it was read.
    pub path: PathBuf,
    /// Its text, kept for the manifest and the report.
    pub source: String,
    /// What `--set` changed: `training.dimension=500`.
    pub settings: Vec<String>,
    /// Whether it is a first look at a tenth of the sizes (`--quick`); the title says so too.
    pub quick: bool,
    /// The point of a sweep that this is: keys and their values, as written. Empty without a sweep.
    pub point: Vec<(String, String)>,
    /// For figure and report.
    pub title: String,
    /// arXiv numbers.
    pub cite: Vec<String>,
    /// Free text.
    pub note: String,
    /// The views, in the order of the file; never empty.
    pub views: Vec<NamedView>,
    /// Whether the file leaves the views to the program.
    pub default_views: bool,
    /// The figures, in the order of the file; never empty.
    pub figures: Vec<Figure>,
    /// As resolved, for the manifest, and where its keys are written.
    pub resolved: Resolved,
}

impl Experiment {
    /// The seeds in words: `seed 0`, or one for each view.
    pub fn seeds(&self) -> String {
        let seed = |view: &NamedView| view.view.seed;
        match self.views.first() {
            Some(first) if self.views.iter().all(|view| seed(view) == seed(first)) => format!("seed {}", seed(first)),
            _ => {
                let each = self.views.iter().map(|view| format!("{} {}", view.name, seed(view)));
                format!("seeds: {}", each.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The point of the sweep in words, keys by their last word: `dimension=1000, noise=0.1`.
    pub fn point_in_words(&self) -> Option<String> {
        (!self.point.is_empty()).then(|| in_words(&self.point))
    }

    /// Gives every view this seed (`--seed`); a shared start keeps its own.
    pub fn set_seed(&mut self, seed: u64) {
        self.views.iter_mut().for_each(|view| view.view.seed = seed);
        self.resolved.set_seed(seed);
    }

    /// Keeps the views that `wanted` says, with what is known of them.
    pub fn keep_views(&mut self, wanted: impl FnMut(&NamedView) -> bool) {
        let kept: Vec<bool> = self.views.iter().map(wanted).collect();
        let mut flags = kept.iter();
        self.views.retain(|_| flags.next().is_some_and(|kept| *kept));
        self.resolved.keep_views(&kept);
    }

    /// The value of `key` in view number `view`, defaults filled in, as a word: `0.25`, `0.5/d`, `fresh`.
    pub fn value_in_words(&self, view: usize, key: &str) -> Option<String> {
        let all = self.resolved.json.get("views")?.get(view)?;
        let value = key.split('.').try_fold(all, |inside, part| inside.get(part))?;
        match value.get("expression").unwrap_or(value) {
            Json::String(word) => Some(word.clone()),
            Json::Null => None,
            Json::Number(number) => number.as_f64().map(|number| number.to_string()),
            other => Some(other.to_string()),
        }
    }

    /// `advice` about view number `view`, at the place in the file where its key is written: in the view's override
    /// where it overrides it, at the section's header where it is not written.
    pub fn diagnose(&self, view: usize, advice: &Advice, severity: Severity) -> Diagnostic {
        let (text, file) = with_settings(&self.source, &self.settings);
        let source = Source { path: &self.path, text: &text, file };
        let span = self.resolved.trees.get(view).map_or(0..0, |tree| place(tree, &advice.key));
        let reason = match self.point_in_words() {
            Some(point) => format!("at {point}: {}", advice.reason),
            None => advice.reason.clone(),
        };
        source.diagnostic(severity, span, reason, advice.remedy.clone())
    }
}

/// The experiment as resolved.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resolved {
    /// Every key with its value, defaults filled in: `title`, `cite`, `note`, `views`, `figures`. A number that depends
    /// on the sizes is `{ "expression": "0.5/d", "value": 0.0005 }`.
    pub json: Json,
    /// FNV-1a (64 bits, in hexadecimal) of `json["views"]`: of all that the results depend on, and of no caption.
    pub hash: String,
    trees: Vec<Table>,
}

impl Resolved {
    /// What is resolved as `json`, with the tree of each view.
    pub(crate) fn new(json: Json, trees: Vec<Table>) -> Self {
        let hash = hash_of(json["views"].as_array().map_or(&[], Vec::as_slice));
        Self { json, hash, trees }
    }

    /// Writes the seed of every view.
    pub(crate) fn set_seed(&mut self, seed: u64) {
        if let Some(views) = self.json["views"].as_array_mut() {
            views.iter_mut().for_each(|view| view["view"]["seed"] = seed.into());
            self.hash = hash_of(views);
        }
    }

    /// Keeps the views whose flag is set.
    pub(crate) fn keep_views(&mut self, kept: &[bool]) {
        let mut flags = kept.iter();
        self.trees.retain(|_| flags.next().is_some_and(|kept| *kept));
        if let Some(views) = self.json["views"].as_array_mut() {
            let mut flags = kept.iter();
            views.retain(|_| flags.next().is_some_and(|kept| *kept));
            self.hash = hash_of(views);
        }
    }
}

fn hash_of(views: &[Json]) -> String {
    hash::short(Json::from(views).to_string().as_bytes())
}

/// A view and the problem it sees.
#[derive(Debug, Clone)]
pub struct NamedView {
    /// Unique in the experiment: also the stem of its result file.
    pub name: String,
    /// Engine, replicates, seed, tolerance.
    pub view: View,
    /// Whether the file or the command line writes the tolerance, which is then a demand; else it is a default.
    pub tolerance_written: bool,
    /// The problem with this view's dimension and overrides.
    pub problem: Problem,
    /// What is recorded.
    pub record: Record,
    /// The keys this view overrides, by path, as written: `[("training.data", "\"fresh\"")]`.
    pub overrides: Vec<(String, String)>,
}

/// A figure that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What is drawn.
    pub y: Quantity,
    /// Against what.
    pub x: Axis,
    /// Scale of x; `None`: chosen to fit.
    pub x_scale: Option<Scale>,
    /// Scale of y; `None`: chosen to fit.
    pub y_scale: Option<Scale>,
    /// The directions of overlaps and cosines.
    pub directions: Directions,
    /// Times of the panels (scatter, histogram).
    pub at: Vec<f64>,
    /// The neurons that are drawn, from 0; empty: all, or as many as can be told apart.
    pub neurons: Vec<usize>,
}

impl Figure {
    /// `y` against `x`, all else chosen to fit.
    pub fn new(y: Quantity, x: Axis) -> Self {
        let (x_scale, y_scale) = (None, None);
        Self { y, x, x_scale, y_scale, directions: Directions::Axes, at: Vec::new(), neurons: Vec::new() }
    }
}

/// What a figure draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// ½E(f−g)².
    Risk,
    /// E(f−g)², as papers plot it.
    TwiceRisk,
    /// M_jr.
    Overlap,
    /// M_jr/√(Q_jj P_rr).
    Cosine,
    /// ½ mean (f−y)² on the training set.
    TrainingRisk,
    /// When levels were crossed.
    Crossing,
    /// Neurons in the plane of the first two cosines, one panel per time.
    Scatter,
    /// The distribution of the neurons' cosines, one panel per time.
    Histogram,
}

/// The horizontal axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Axis {
    /// t = νηs.
    Time,
    /// ν.
    Step,
    /// Distinct samples seen.
    Samples,
    /// The values of a swept key, by its path.
    Swept(String),
}

/// The directions along which overlaps are drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Directions {
    /// z₁ … z_k.
    Axes,
    /// `v·z` for each of these v, scaled to `vᵀPv = 1`.
    Given(Vec<Vec<f64>>),
}

/// The scale of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Linear.
    Linear,
    /// Logarithmic.
    Log,
}

impl Quantity {
    /// Its name in the experiment file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::TwiceRisk => "2*risk",
            Self::Overlap => "overlap",
            Self::Cosine => "cosine",
            Self::TrainingRisk => "training_risk",
            Self::Crossing => "crossing",
            Self::Scatter => "scatter",
            Self::Histogram => "histogram",
        }
    }
}

impl Axis {
    /// Its name in the experiment file.
    pub fn name(&self) -> &str {
        match self {
            Self::Time => "time",
            Self::Step => "step",
            Self::Samples => "samples",
            Self::Swept(key) => key,
        }
    }
}

impl Scale {
    /// Its name in the experiment file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Log => "log",
        }
    }
}
