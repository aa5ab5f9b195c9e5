//! A target of one's own: an expression, what it hides, and how soon a network sees it.

use twolayer::{Problem, Result, Target, View, hierarchy::Analysis, problem::Record};

/// Prints a table, and checks what it shows.
///
/// # Errors
/// What the library says.
pub fn main() -> Result<()> {
    let text = "z1 + z1*z2/2";
    let analysis = Analysis::of(&Target::try_from(text)?, None)?;
    println!(
        "fresh batches climb {} stairs, the first at leap {:?}",
        analysis.fresh.stairs.len(),
        analysis.fresh.exponent()
    );
    assert_eq!(analysis.fresh.exponent(), Some(1));
    let problem =
        Problem::builder().target(text).network(4, "tanh").dimension(1000).learning_rate("1/d").time(3).build()?;
    let record = Record { points: 20, ..Record::default() };
    let runs = problem.view_recording(View::reduced().replicates(4), record)?.run()?;
    let target = &problem.target.overlaps;
    let last = runs[0].len() - 1;
    let cosine = |r: usize| runs.iter().map(|run| run.largest_cosine(target, last, r)).sum::<f64>() / 4.0;
    println!("largest cosines: {:.2} with z1, {:.2} with z2", cosine(0), cosine(1));
    assert!(cosine(0) > 0.5 && cosine(0) > cosine(1));
    Ok(())
}
