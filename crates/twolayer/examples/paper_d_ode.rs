//! Paper D: one-pass SGD of a committee beside its ODE; at d = 2000 they are one law to what eight runs can tell.

use twolayer::{
    Activation, Problem, Result, Rule, View, agree,
    problem::{Placement, Record},
};

/// Prints a table, and checks what it shows.
///
/// # Errors
/// What the library says.
pub fn main() -> Result<()> {
    let problem = Problem::builder()
        .target(Rule::committee(Activation::Erf, 2, 0.5))
        .noise(0.01)
        .network(4, "erf")
        .with(|parts| parts.network.first_layer.placement = Placement::Gaussian)
        .dimension(2000)
        .learning_rate("p/d")
        .time(5)
        .build()?;
    let record = Record { points: 40, ..Record::default() };
    let run = |view: View| problem.view_recording(view, record.clone())?.run();
    let (ode, reduced) = (run(View::limit())?, run(View::reduced().replicates(8))?);
    println!("     t       ODE   8 runs");
    for t in (0..ode[0].len()).step_by(8) {
        let mean = reduced.iter().map(|run| run.risk()[t]).sum::<f64>() / reduced.len() as f64;
        println!("{:6.3} {:9.5} {mean:8.5}", ode[0].time()[t], ode[0].risk()[t]);
    }
    let agreement = agree::pair(["ode", "reduced"], &ode, &reduced);
    let risk = agreement.as_ref().and_then(|found| found.quantities.first());
    println!("{:?}", agreement.as_ref().map(|found| (found.verdict, found.p_value)));
    assert!(risk.is_some_and(|risk| risk.max_difference < 0.1 * ode[0].risk()[0]), "{agreement:?}");
    Ok(())
}
