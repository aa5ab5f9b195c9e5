//! Paper A: one ReLU neuron learns He₃ from batches that are used again, and never from fresh ones.
//!
//! ReLU has no Hermite component of degree 3, so that a fresh batch says nothing of z₁; the second look at a batch does.

use twolayer::{
    Formula, Problem, Result, View,
    problem::{Builder, Init, Placement},
    record::observable::STUDENT_TEACHER,
};

/// One neuron of length 1, orthogonal to the target at the start.
fn one_neuron() -> Builder {
    let neuron = Problem::builder().target("he3(z1)").network(1, "relu").output_scale(1).with(|parts| {
        parts.network.first_layer.placement = Placement::Orthonormal;
        parts.network.second_layer.init = Init::Alternating;
        parts.network.second_layer.scale = Formula::number(1.0);
    });
    neuron.dimension(2000).learning_rate(0.3).steps(3)
}

/// Prints a table, and checks what it shows.
///
/// # Errors
/// What the library says.
pub fn main() -> Result<()> {
    let overlaps = |problem: &Problem| -> Result<Vec<f64>> {
        let limit = problem.view(View::limit().tolerance(2e-3))?.run()?.remove(0);
        Ok(limit.of(&STUDENT_TEACHER).to_vec())
    };
    let fresh = overlaps(&one_neuron().batch("3*d").build()?)?;
    let reused = overlaps(&one_neuron().reused("3*d").build()?)?;
    println!("step   fresh M   reused M");
    for (step, (fresh, reused)) in fresh.iter().zip(&reused).enumerate() {
        println!("{step:4} {fresh:9.4} {reused:10.4}");
    }
    assert!(fresh.iter().all(|m| m.abs() < 0.01), "fresh batches are blind: {fresh:?}");
    // Published: −0.028 after the second step.
    assert!((reused[2] + 0.028).abs() < 0.01, "the second look is not: {reused:?}");
    Ok(())
}
