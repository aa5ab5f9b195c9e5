//! What a comparison of two views says.

use serde::{Deserialize, Serialize};

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
    /// Where it looks: `one place`, `all places together`, `a stretch of time`, `the step between two records`, `the risk`.
    pub statistic: String,
    /// Its p-value.
    pub p_value: f64,
}

impl Agreement {
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
