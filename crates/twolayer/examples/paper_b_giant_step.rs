//! Paper B: one giant step, of a batch as large as d, turns the weights to one direction of the target.
//!
//! The first gradient lies along `C₁ = E[g z] = (2, ½)`, whatever the neuron.

use twolayer::{
    Problem, Result, View,
    problem::{Init, Placement},
    record::observable::STUDENT_TEACHER,
};

/// Prints a table, and checks what it shows.
///
/// # Errors
/// What the library says.
pub fn main() -> Result<()> {
    let problem = Problem::builder()
        .target("((4*z1 + z1^2) + z2)/2")
        .network(64, "relu")
        .output_scale("1/sqrt(p)")
        .with(|parts| {
            parts.network.first_layer.placement = Placement::Gaussian;
            parts.network.first_layer.symmetric = true;
            parts.network.second_layer.init = Init::Signs;
        })
        .dimension(2048)
        .batch("4*d")
        .learning_rate("2*sqrt(p)")
        .steps(1)
        .build()?;
    let overlaps = |view: View| -> Result<[f64; 2]> {
        let run = problem.view(view)?.run()?.remove(0);
        let last = run.row(&STUDENT_TEACHER, run.len() - 1);
        let length = |r: usize| last.iter().skip(r).step_by(2).map(|m| m * m).sum::<f64>().sqrt();
        Ok([length(0), length(1)])
    };
    let (limit, reduced) = (overlaps(View::limit().tolerance(1e-2))?, overlaps(View::reduced().replicates(1))?);
    println!("‖M·₁‖, ‖M·₂‖ after one step: limit {limit:.3?}, reduced {reduced:.3?}");
    for [first, second] in [limit, reduced] {
        assert!((2.5..6.0).contains(&(first / second)), "along (2, ½): {first} {second}");
    }
    assert!((limit[0] / reduced[0] - 1.0).abs() < 0.1, "{limit:?} {reduced:?}");
    Ok(())
}
