//! How a run ends: the words and the codes of result files.

use crate::solve;

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// It reached the end, or a crossing at which it was to stop (then entries from `valid` on are NaN).
    Done,
    /// The observer said stop; the entries up to there are valid.
    Interrupted,
    /// A weight or the risk left the finite numbers (or passed 10¹² times its start).
    Diverged {
        /// The step (simulations) or the time (limits) at which it was seen.
        at: f64,
    },
    /// The integrator could not go on at the tolerance asked for.
    Stiff {
        /// The time at which it stopped.
        at: f64,
    },
    /// The engine could not do it; no entry is valid.
    Failed {
        /// What it said.
        reason: String,
    },
    /// It reached the end, and its numerical error is more than the tolerance asked for; all entries are valid.
    OutOfTolerance {
        /// [`Trajectory::largest_error`](super::Trajectory::largest_error).
        error: f64,
    },
}

/// A status as result files have it.
#[derive(Debug, PartialEq, Eq)]
pub struct Ending {
    /// The number in the array `status`.
    pub code: u8,
    /// The word in manifests.
    pub word: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// Every status, in the order of its codes.
pub static ENDINGS: [Ending; 6] = [
    Ending { code: 0, word: "done", meaning: "it reached the end, or a crossing at which it was to stop" },
    Ending { code: 1, word: "interrupted", meaning: "Ctrl-C, or a kill: `--resume` goes on" },
    Ending {
        code: 2,
        word: "diverged",
        meaning: "a weight or the risk left the finite numbers, or passed 10¹² times its start",
    },
    Ending { code: 3, word: "stiff", meaning: "the integrator could not go on at the tolerance" },
    Ending { code: 4, word: "failed", meaning: "the engine says why, in the manifest" },
    Ending {
        code: 5,
        word: "out of tolerance",
        meaning: "a limit whose error exceeds a tolerance that is written in the file, or whose risk rises where it can only fall: all entries are there",
    },
];

impl From<solve::Ending> for Status {
    fn from(ending: solve::Ending) -> Self {
        match ending {
            solve::Ending::Done => Self::Done,
            solve::Ending::Interrupted => Self::Interrupted,
            solve::Ending::Diverged { at } => Self::Diverged { at },
            solve::Ending::Stiff { at } => Self::Stiff { at },
        }
    }
}

impl Status {
    fn ending(&self) -> &'static Ending {
        &ENDINGS[match self {
            Self::Done => 0,
            Self::Interrupted => 1,
            Self::Diverged { .. } => 2,
            Self::Stiff { .. } => 3,
            Self::Failed { .. } => 4,
            Self::OutOfTolerance { .. } => 5,
        }]
    }

    /// Its word in manifests: one of [`ENDINGS`].
    pub fn word(&self) -> &'static str {
        self.ending().word
    }

    /// Its number in the array `status`.
    pub fn code(&self) -> u8 {
        self.ending().code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes are in files that are years old: the literals stand here once more.
    #[test]
    fn words_and_codes_are_those_of_the_result_files() {
        let all = [
            (Status::Done, 0, "done"),
            (Status::Interrupted, 1, "interrupted"),
            (Status::Diverged { at: 1.0 }, 2, "diverged"),
            (Status::Stiff { at: 1.0 }, 3, "stiff"),
            (Status::Failed { reason: String::new() }, 4, "failed"),
            (Status::OutOfTolerance { error: 1.0 }, 5, "out of tolerance"),
        ];
        for (status, code, word) in &all {
            assert_eq!((status.code(), status.word()), (*code, *word));
        }
        assert_eq!(all.map(|(_, code, word)| (code, word)).to_vec(), ENDINGS.each_ref().map(|e| (e.code, e.word)));
    }
}
