//! How far apart two views of one problem are, in standard errors.
//!
//! At every common time and for every entry of the risk, M and diag Q, `z = difference/√(se² + e²)`, with se² the
//! squared standard errors over replicates of both views and e² their stated numerical errors. Whether the differences
//! are more than chance is asked of five statistics at once (one place, all of them, stretches of time, steps between
//! records, the risk), calibrated by rotations of the replicates, which keep how strongly entries move together.

use super::{
    agreement::{Agreement, SIGNIFICANCE, Verdict},
    entries::{Entries, Yardstick},
    rotation,
    rows::{Contrast, Sample},
    scores::sizes,
    shared,
    times::common_times,
};
use crate::record::{
    Trajectory,
    observable::{STUDENT_TEACHER_ERROR, TIME},
};

/// Fewer replicates cannot show that views agree: two of them call 600 standard errors chance, three 30.
const LEAST: usize = 4;
/// For 2, 3, … replicates, the standard errors that one entry needs to be a difference: Student's t for
/// [`SIGNIFICANCE`], two-sided.
const QUANTILES: [f64; 6] = [637.0, 31.6, 12.9, 8.6, 6.9, 6.0];

/// Compares two views; `None` where they have no time beyond the start in common: two dimensions record different
/// whole steps, which are then not the same moments.
pub fn pair(names: [&str; 2], first: &[Trajectory], second: &[Trajectory]) -> Option<Agreement> {
    let views = names.map(String::from);
    // A replicate that an interruption kept from starting says nothing about the others.
    let started = |runs: &[Trajectory]| runs.iter().filter(|run| run.valid > 0).cloned().collect::<Vec<_>>();
    let (first, second) = (&started(first)[..], &started(second)[..]);
    let (Some(a), Some(b)) = (first.first(), second.first()) else { return None };
    if (a.width, a.directions) != (b.width, b.directions) {
        return None;
    }
    let recorded = common_times(a, b);
    if recorded.iter().filter(|&&(i, _)| a.of(&TIME)[i] > 0.0).count() == 0 {
        return None;
    }
    // Where one replicate has no number, the mean of the others is not the mean of the law.
    let valid = |runs: &[Trajectory]| runs.iter().map(|run| run.valid).min().unwrap_or(0);
    let (last_a, last_b) = (valid(first), valid(second));
    let times: Vec<(usize, usize)> = recorded.iter().copied().filter(|&(i, j)| i < last_a && j < last_b).collect();
    let mut note = Vec::new();
    if times.len() < recorded.len() {
        note.push(format!("{} of {} common times: a replicate has no numbers beyond", times.len(), recorded.len()));
    }
    // Nothing but the start, or the same runs twice: the differences tell nothing, whatever they are.
    let hindrance = hindrance(first, second, &times);
    let sample =
        |runs: &[Trajectory]| Sample { replicates: runs.len(), exact: runs[0].get(&STUDENT_TEACHER_ERROR).is_some() };
    let samples = [sample(first), sample(second)];
    let yardstick = match Contrast::new(samples[0], samples[1]) {
        _ if hindrance.is_some() => Yardstick::Nothing,
        Some(contrast) => Yardstick::Replicates(contrast),
        None if samples.iter().all(|sample| sample.exact) => Yardstick::Errors,
        None => Yardstick::Nothing,
    };
    let entries = Entries::new(first, second, &times, &yardstick);
    let mut tested = None;
    let mut can_agree = hindrance.is_none();
    note.extend(hindrance.clone());
    match &yardstick {
        Yardstick::Nothing if hindrance.is_none() => note.push("no standard error: one replicate each".into()),
        Yardstick::Nothing => {}
        Yardstick::Errors => {
            note.push("two limits: against the errors that they state".into());
            tested = entries.bound().map(|p| (p, Vec::new()));
        }
        Yardstick::Replicates(contrast) => {
            if let Some(lone) = samples.iter().position(|sample| sample.replicates == 1 && !sample.exact) {
                note.push(format!("one replicate of {}: taken to spread as {} does", views[lone], views[1 - lone]));
            }
            tested = entries.z().next().is_some().then(|| rotation::p_value(&entries));
            can_agree = tested.is_none() || contrast.rows() >= LEAST;
            note.extend(few(contrast.rows()));
        }
    }
    if let Some((kept, all)) = entries.thinned {
        note.push(format!("z at {kept} of {all} entries, drawn at random"));
    }
    let verdict = match (&tested, &yardstick) {
        (Some((p, _)), _) if *p <= SIGNIFICANCE => Verdict::Differ,
        (Some(_), _) if can_agree => Verdict::Agree,
        // All differences vanish exactly: any other would have been one.
        (None, Yardstick::Replicates(_)) if can_agree => Verdict::Agree,
        _ => Verdict::NotAssessed,
    };
    let [rms_z, max_z] = sizes(entries.z());
    let (p_value, evidence) = tested.map_or((None, Vec::new()), |(p, evidence)| (Some(p), evidence));
    Some(Agreement {
        views,
        verdict,
        note: note.join("; "),
        times: times.len(),
        comparisons: entries.z().count(),
        rms_z,
        max_z,
        p_value,
        evidence,
        quantities: entries.quantities(),
    })
}

/// Why no difference between these views could be seen, whatever it is.
fn hindrance(first: &[Trajectory], second: &[Trajectory], times: &[(usize, usize)]) -> Option<String> {
    if times.iter().all(|&(i, _)| first[0].of(&TIME)[i] <= 0.0) {
        return Some("nothing but the start could be compared".into());
    }
    let remedy = "one engine, one seed; give one of them another seed";
    match (shared::runs(first, second, times), first.len()) {
        (0, _) => None,
        (_, 1) => Some("the same numbers twice: one engine, one problem".into()),
        (same, all) if same == all => Some(format!("the same runs twice: {remedy}")),
        (same, all) => Some(format!("{same} of the {all} runs of the first are runs of the second: {remedy}")),
    }
}

/// What a comparison of so few replicates can find at one place.
fn few(replicates: usize) -> Option<String> {
    let errors = QUANTILES.get(replicates.checked_sub(2)?)?;
    let found = format!("{replicates} replicates: at one place nothing below {errors} standard errors is a difference");
    let remedy = if replicates < LEAST { format!(", use at least {LEAST}") } else { String::new() };
    Some(found + &remedy)
}
