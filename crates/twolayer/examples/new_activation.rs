//! An activation of one's own: a closure that gives σ(h) and σ'(h), in the ODE and in simulations.

use twolayer::{Activation, Problem, Result, View, agree, problem::Record};

/// Prints a table, and checks what it shows.
///
/// # Errors
/// What the library says.
pub fn main() -> Result<()> {
    // sin h
    let wave = Activation::from_fn("sin", |h| h.sin_cos());
    let problem = Problem::builder()
        .target(wave.clone())
        .network(2, wave)
        .dimension(2000)
        .learning_rate("0.5/d")
        .time(2)
        .build()?;
    let record = Record { points: 20, ..Record::default() };
    let run = |view: View| problem.view_recording(view, record.clone())?.run();
    let (ode, reduced) = (run(View::limit().tolerance(1e-3))?, run(View::reduced().replicates(8))?);
    let agreement = agree::pair(["ode", "reduced"], &ode, &reduced);
    println!("{agreement:#?}");
    assert_eq!(agreement.map(|found| found.verdict), Some(agree::Verdict::Agree));
    Ok(())
}
