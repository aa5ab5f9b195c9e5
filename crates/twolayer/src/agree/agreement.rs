//! What a comparison of two views says.

use serde::{Deserialize, Serialize};

use super::size;
use crate::record::Trajectory;

/// Views with a smaller p-value differ.
pub const SIGNIFICANCE: f64 = 1e-3;

/// How far apart two views are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// The names of the two views.
    pub views: [String; 2],
    /// The verdict.
    pub verdict: Verdict,
    /// What hinders a verdict, or limits it; empty if nothing does.
    pub note: String,
    /// Number of common times.
    pub times: usize,
    /// Number of z's.
    pub comparisons: usize,
    /// Root mean square of z; absent without a standard error.
    pub rms_z: Option<f64>,
    /// max |z|.
    pub max_z: Option<f64>,
    /// Probability of evidence as strong as this, of all statistics together, against views of the same means.
    pub p_value: Option<f64>,
    /// Each statistic alone.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// The same for each quantity.
    pub quantities: Vec<QuantityAgreement>,
}

/// The p-value of one statistic alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it looks: `one place`, `all places together`, `a stretch of time`, `the step between two records`, `the risk`,
    /// `largest |cosine|`.
    pub statistic: String,
    /// Its p-value.
    pub p_value: f64,
}

impl Agreement {
    /// The same sizes without a verdict, and why.
    pub fn withheld(self, why: String) -> Self {
        let note = if self.note.is_empty() { why } else { format!("{why}; {}", self.note) };
        let without = |quantity| QuantityAgreement { comparisons: 0, rms_z: None, max_z: None, ..quantity };
        Self {
            verdict: Verdict::NotAssessed,
            note,
            comparisons: 0,
            rms_z: None,
            max_z: None,
            p_value: None,
            evidence: Vec::new(),
            quantities: self.quantities.into_iter().map(without).collect(),
            ..self
        }
    }

    /// The verdict that the sizes of the differences give to views that agree in z: see [`super::size`]. `squares` are the P_rr
    /// of the target, d the smaller dimension.
    pub fn weighed(mut self, views: [&[Trajectory]; 2], squares: &[f64], d: f64) -> Self {
        if self.verdict != Verdict::Agree {
            return self;
        }
        if let Some(why) = size::vague(views, squares) {
            return self.withheld(why);
        }
        if let Some(apart) = size::cosines_apart(views, squares, d) {
            let [first, second] = &self.views;
            let told = apart.in_words(first, second);
            self.note = if self.note.is_empty() { told } else { format!("{told}; {}", self.note) };
            self.verdict = Verdict::Differ;
            self.p_value = self.p_value.map(|p| p.min(apart.p_value));
            self.evidence.push(Evidence { statistic: "largest |cosine|".into(), p_value: apart.p_value });
        }
        self
    }

    /// Where the strongest evidence against agreement is.
    pub fn decided_by(&self) -> Option<&Evidence> {
        self.evidence.iter().min_by(|a, b| a.p_value.total_cmp(&b.p_value))
    }
}

/// Whether two views agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The p-value is larger than [`SIGNIFICANCE`], and could have been smaller.
    #[serde(rename = "agree")]
    Agree,
    /// It is not.
    #[serde(rename = "differ")]
    Differ,
    /// No difference could have been seen, whatever it is: no standard error, nothing but the start in common, the same
    /// runs twice, or too few replicates; the note says which.
    #[serde(rename = "not assessed")]
    NotAssessed,
}

impl Verdict {
    /// `agree`, `differ`, `not assessed`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Agree => "agree",
            Self::Differ => "differ",
            Self::NotAssessed => "not assessed",
        }
    }
}

/// How far apart two views are in one quantity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantityAgreement {
    /// `risk`, `M` or `Q_diag`.
    pub quantity: String,
    /// Number of z's.
    pub comparisons: usize,
    /// Root mean square of z; absent without a standard error.
    pub rms_z: Option<f64>,
    /// max |z|.
    pub max_z: Option<f64>,
    /// Largest |difference| of the means over all entries and common times: the size that z hides.
    pub max_difference: f64,
    /// The second view's mean there.
    pub value: f64,
    /// The time of it.
    pub time: f64,
}
