//! Students that are the target: nothing is left to learn, and nothing moves.

use faer::Mat;

use super::Known;
use crate::{
    error::Result,
    problem::{Activation, Builder, Placement, Problem, Rule},
};

/// Two erf students of an erf committee, each its own teacher.
fn students() -> Builder {
    let students = Problem::builder().target(Rule::committee(Activation::Erf, 2, 0.5)).network(2, "erf");
    students.dimension(100).with(|parts| {
        parts.network.first_layer.placement =
            Placement::Overlaps { student_teacher: Mat::identity(2, 2), student_student: Mat::identity(2, 2) };
    })
}

const fn known(name: &'static str, problem: fn() -> Result<Problem>, methods: &'static [&'static str]) -> Known {
    Known { name, problem, overlap: |_, _, _| 1.0, tolerance: 1e-6, methods }
}

/// One pass.
pub static ONE_PASS: Known = known(
    "a perfect student, one pass",
    || students().learning_rate("1/d").time(2).build(),
    &["direct", "reduced-fresh", "ode"],
);

/// Giant steps.
pub static GIANT: Known = known(
    "a perfect student, giant steps",
    || students().batch("2*d").learning_rate(1).steps(3).build(),
    &["direct", "reduced-fresh", "giant-step"],
);

/// Reused samples.
pub static REUSED: Known = known(
    "a perfect student, reused samples",
    || students().learning_rate(1).reused("2*d").steps(3).build(),
    &["direct", "reduced-reused", "dmft"],
);
