//! Paper C: why learning comes in bursts. A single-index target is learnt degree by degree, degree ℓ at `t ~ ε^{1/(2ℓ)}`, where
//! the second layer is 1/ε times faster than the first; between, the risk stands at `½ Σ_{k>ℓ} φ_k²`.

use twolayer::{
    Activation, Formula, Problem, Result, View,
    method::registry,
    problem::{Geometry, Init, Placement, Record},
};

/// φ_k.
const TARGET: [f64; 4] = [0.5, 0.9, 0.7, 0.6];

/// Prints a table, and checks what it shows.
///
/// # Errors
/// What the library says.
pub fn main() -> Result<()> {
    let problem = Problem::builder()
        .target(Activation::series(TARGET.to_vec()))
        .network(60, Activation::series(vec![0.7, 0.8, 0.6, 0.5]))
        .with(|parts| {
            parts.network.first_layer.placement = Placement::Orthonormal;
            parts.network.second_layer.init = Init::Grid;
            parts.network.second_layer.train = true;
            parts.network.second_layer.rate_ratio = Formula::number(1e4);
            parts.training.geometry = Geometry::Spherical;
        })
        .infinite()
        .gradient_flow()
        .time(5)
        .build()?;
    let record = Record { points: 300, first: Some(1e-7), ..Record::default() };
    let view = View { method: registry::word("single-index"), ..View::limit() };
    let run = problem.view_recording(view, record)?.run()?.remove(0);
    let height = |degree: usize| 0.5 * TARGET[degree..].iter().map(|phi| phi * phi).sum::<f64>();
    let passed = |level: f64| run.risk().iter().position(|risk| *risk < level).map(|t| run.time()[t]);
    let mut before = 0.0;
    for degree in 0..4 {
        let time = passed(0.5 * (height(degree) + height(degree + 1)));
        println!("degree {degree}: from {:.3} to {:.3} at t = {time:?}", height(degree), height(degree + 1));
        assert!(time.is_some_and(|time| time > before), "one after the other: {time:?}");
        before = time.unwrap_or(before);
    }
    assert!((run.risk()[0] - height(0)).abs() < 0.05, "it starts at ½ Σ φ²: {}", run.risk()[0]);
    Ok(())
}
