//! The few lines that answer the question after a run: what was learnt, whether the views agree, where the figure is.

use std::path::Path;

use twolayer::{
    agree::{Agreement, Verdict},
    problem::Engine,
    record::{
        KeepQ, Status, Trajectory,
        observable::{CROSSING_STEP, RISK},
    },
};
use twolayer_file::experiment::{Experiment, NamedView};
use twolayer_view::settings;

use crate::{outcome::Outcome, tolerance::excess};

/// Directions whose cosines are told one by one.
const DIRECTIONS: usize = 4;
/// Lines between the title and the figure: those of the views, then the verdicts.
const LINES: usize = 4;
/// Lines of the views, one by one or in groups.
const VIEWS: usize = 3;

/// The answer, six lines at most: the title, what each view (or group of views) learnt, the verdicts, the figure.
pub fn answer(
    experiment: &Experiment,
    outcomes: &[Outcome],
    agreement: &[Agreement],
    seconds: f64,
    figure: &Path,
) -> String {
    let groups = groups(experiment, outcomes);
    let width = groups.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut lines = vec![experiment.title.clone()];
    for (name, views) in &groups {
        let all: Vec<Learnt> = views.iter().map(|&i| Learnt::of(&experiment.views[i], &outcomes[i])).collect();
        let mut methods: Vec<&str> = Vec::new();
        for outcome in views.iter().map(|&i| &outcomes[i]) {
            if !methods.contains(&outcome.method.as_str()) {
                methods.push(&outcome.method);
            }
        }
        let took: f64 = views.iter().map(|&i| outcomes[i].seconds).fold(0.0, f64::max);
        lines.push(format!("  {name:width$}  {}  [{}, {}]", in_words(&all), methods.join("; "), duration(took)));
    }
    lines.extend(verdicts(agreement, LINES - groups.len().min(VIEWS)));
    lines.push(format!("  figure: {} ({} in all)", figure.display(), duration(seconds)));
    lines.retain(|line| !line.trim().is_empty());
    lines.join("\n") + "\n"
}

/// The views one by one; where they are many, those of one setting together, or those of one engine, or all the rest.
fn groups(experiment: &Experiment, outcomes: &[Outcome]) -> Vec<(String, Vec<usize>)> {
    let views = || experiment.views.iter().take(outcomes.len()).enumerate();
    if experiment.views.len() <= VIEWS {
        return views().map(|(i, view)| (view.name.clone(), vec![i])).collect();
    }
    let mut groups = settings(experiment, outcomes);
    if groups.len() < 2 {
        groups = [Engine::Limit, Engine::Reduced, Engine::Direct]
            .map(|engine| {
                (engine.name().to_string(), views().filter(|(_, v)| v.view.engine == engine).map(|(i, _)| i).collect())
            })
            .into();
        groups.retain(|(_, views): &(String, Vec<usize>)| !views.is_empty());
    }
    if groups.len() > VIEWS {
        let rest = groups.split_off(VIEWS - 1);
        let name = format!("{} other settings", rest.len());
        groups.push((name, rest.into_iter().flat_map(|(_, views)| views).collect()));
    }
    for (name, views) in &mut groups {
        if views.len() > 1 {
            *name += &format!(" ({} views)", views.len());
        }
    }
    groups
}

/// Verdicts one by one, or, where there are more than `most`, how many agree and which is the worst.
fn verdicts(agreement: &[Agreement], most: usize) -> Vec<String> {
    if agreement.len() <= most {
        return agreement.iter().map(|pair| format!("  {}", verdict(pair))).collect();
    }
    let count = |verdict| agreement.iter().filter(|pair| pair.verdict == verdict).count();
    let (agree, not) = (count(Verdict::Agree), count(Verdict::NotAssessed));
    let others = if not > 0 { format!(", {not} not assessed") } else { String::new() };
    let assessed = agreement.len() - not;
    let mut line = match assessed {
        0 => format!("  none of {not} pairs of views was assessed"),
        _ => format!("  {agree} of {assessed} pairs of views agree{others}"),
    };
    let probability = |pair: &&Agreement| pair.p_value.unwrap_or(1.0);
    let told = agreement.iter().filter(|pair| assessed == 0 || pair.verdict != Verdict::NotAssessed);
    if let Some(worst) = told.min_by(|a, b| probability(a).total_cmp(&probability(b))) {
        line += &format!("; least: {}", verdict(worst));
    }
    vec![line]
}

/// `limit and reduced agree: rms z 0.97, max |z| 2.8 over 840 comparisons, p = 0.52; largest difference of M 0.0012 at
/// t = 3`.
pub(crate) fn verdict(pair: &Agreement) -> String {
    let [first, second] = &pair.views;
    let mut text = match (pair.verdict, pair.rms_z, pair.max_z, pair.p_value) {
        (verdict, Some(rms), Some(max), Some(p)) => {
            let by = pair.decided_by().filter(|_| verdict == Verdict::Differ);
            format!(
                "{first} and {second} {}: rms z {rms:.2}, max |z| {max:.1} over {} comparisons, p {}{}",
                verdict.word(),
                pair.comparisons,
                probability(p),
                by.map(|evidence| format!(", by {}", evidence.statistic)).unwrap_or_default()
            )
        }
        (Verdict::Agree, ..) => format!("{first} and {second} agree: no difference at all"),
        _ => format!("{first} and {second}: not assessed"),
    };
    if !pair.note.is_empty() {
        text += &format!(" ({})", pair.note);
    }
    if let Some(size) = pair.quantities.iter().find(|q| q.quantity == "M" && q.max_difference > 0.0) {
        text += &format!("; largest difference of M {} at t = {}", digits(size.max_difference), digits(size.time));
    }
    text
}

/// `< 0.001`, `= 0.42`.
pub(crate) fn probability(p: f64) -> String {
    match p {
        p if p < 1e-3 => "< 0.001".into(),
        p if p < 0.01 => format!("= {p:.3}"),
        p => format!("= {p:.2}"),
    }
}

/// `risk 0.201 → 0.00103; largest |cosine| z1 0.95, z2 0.86`; with the way it ended where that is not the end.
pub(crate) fn learnt(view: &NamedView, outcome: &Outcome) -> String {
    in_words(&[Learnt::of(view, outcome)])
}

/// What a view learnt, as means over its replicates.
struct Learnt {
    /// Risk at the start and at the end; NaN where nothing ran.
    risk: [f64; 2],
    /// The largest |cosine| with each direction at the end.
    cosines: Vec<f64>,
    /// How it ended, where that is not the end.
    ended: Option<String>,
    /// Its numerical error, where that is more than the default tolerance.
    inexact: Option<String>,
}

impl Learnt {
    fn of(view: &NamedView, outcome: &Outcome) -> Self {
        let runs = &outcome.trajectories;
        let mean = |value: &dyn Fn(&Trajectory, usize) -> f64, at: &dyn Fn(&Trajectory) -> usize| {
            let valid = || runs.iter().filter(|run| run.valid > 0);
            valid().map(|run| value(run, at(run))).sum::<f64>() / valid().count() as f64
        };
        let last = |run: &Trajectory| run.valid - 1;
        let risk = |run: &Trajectory, t: usize| run.of(&RISK)[t];
        let known = runs.iter().all(|run| run.keep_q() != KeepQ::None && run.valid > 0);
        let directions = if known { view.problem.directions() } else { 0 };
        let cosine = |r: usize| mean(&|run, t| run.largest_cosine(&view.problem.target.overlaps, t, r), &last);
        let unfinished = |run: &&Trajectory| run.status != Status::Done;
        let above = |error: f64| format!(": error {error:.1e} > tolerance {:e}", view.view.tolerance);
        let error = runs.iter().filter(|run| run.status == Status::Done).filter_map(|run| excess(view, run));
        let inexact = error.reduce(f64::max).map(|error| above(error).trim_start_matches([':', ' ']).to_string());
        let ended = runs.iter().find(unfinished).map(|run| {
            let count = runs.iter().filter(unfinished).count();
            let of = if runs.len() > 1 { format!("{count} of {} ", runs.len()) } else { String::new() };
            let at = match &run.status {
                Status::Diverged { at } => format!(" at {}", digits(*at)),
                Status::Stiff { at } => format!(" at t = {}", digits(*at)),
                Status::Failed { reason } => format!(": {reason}"),
                Status::OutOfTolerance { error } => above(*error),
                Status::Done | Status::Interrupted => String::new(),
            };
            format!("{of}{}{at}", run.status.word())
        });
        let ended = ended.or_else(|| stopped(view, runs));
        let risk = [mean(&risk, &|_| 0), mean(&risk, &last)];
        Self { risk, cosines: (0..directions).map(cosine).collect(), ended, inexact }
    }
}

/// `4 of 4 stopped at the crossing risk = 0.05, step 640, held there`: the runs that a crossing has ended before the last moment, and
/// the mean step of those.
fn stopped(view: &NamedView, runs: &[Trajectory]) -> Option<String> {
    let ending = |run: &Trajectory| {
        let mut levels = view.record.crossings.iter().zip(run.of(&CROSSING_STEP));
        let crossed = levels.position(|(crossing, step)| crossing.stop && !step.is_nan());
        crossed.filter(|_| run.status == Status::Done && run.valid < run.len())
    };
    let which = runs.iter().find_map(ending)?;
    let steps: Vec<f64> = runs.iter().filter_map(|run| Some(run.of(&CROSSING_STEP)[ending(run)?])).collect();
    let of = if runs.len() > 1 { format!("{} of {} ", steps.len(), runs.len()) } else { String::new() };
    let crossing = &view.record.crossings[which];
    let step = digits(steps.iter().sum::<f64>() / steps.len() as f64);
    // Means are over all runs, each as it was at its own end.
    let held = if runs.len() > 1 { ", held there" } else { "" };
    Some(format!("{of}stopped at the crossing {} = {}, step {step}{held}", crossing.of.name(), crossing.level))
}

/// What several views learnt: numbers, or the range of them where they are not the same.
fn in_words(all: &[Learnt]) -> String {
    let range = |word: &dyn Fn(f64) -> String, values: &mut dyn Iterator<Item = f64>| {
        let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = (word(low), word(high));
        if low == high { low } else { format!("{low} … {high}") }
    };
    let mut text = match all.iter().any(|learnt| learnt.risk[0].is_finite()) {
        true => {
            let risk = |at: usize| range(&digits, &mut all.iter().map(|learnt| learnt.risk[at]));
            format!("risk {} → {}", risk(0), risk(1))
        }
        false => "nothing".into(),
    };
    let directions = all.iter().map(|learnt| learnt.cosines.len()).max().unwrap_or(0);
    if directions > 0 {
        let cosine = |r: usize| {
            let mut values = all.iter().filter_map(|learnt| learnt.cosines.get(r).copied());
            format!("z{} {}", r + 1, range(&|value| format!("{value:.2}"), &mut values))
        };
        let shown: Vec<String> = (0..directions.min(DIRECTIONS)).map(cosine).collect();
        text += &format!("; largest |cosine| {}", shown.join(", "));
        if directions > DIRECTIONS {
            text += ", …";
        }
    }
    if let Some(inexact) = all.iter().find_map(|learnt| learnt.inexact.as_deref()) {
        text += &format!("; {inexact}");
    }
    let ended: Vec<&str> = all.iter().filter_map(|learnt| learnt.ended.as_deref()).collect();
    match ended[..] {
        [] => {}
        [one] => text += &format!("; {one}"),
        [first, ..] => text += &format!("; {} views ended early ({first})", ended.len()),
    }
    text
}

/// Three significant digits.
pub fn digits(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs().log10().floor() as i32;
    if (-4..5).contains(&size) { format!("{value:.*}", (2 - size).max(0) as usize) } else { format!("{value:.2e}") }
}

/// `12 ms`, `3.4 s`, `5 min`.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 0.0995 => format!("{:.0} ms", 1e3 * s),
        s if s < 99.5 => format!("{} s", digits_two(s)),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

fn digits_two(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use twolayer::problem::{Crossing, CrossingOf, Engine};

    use super::*;
    use crate::{
        compare::compare,
        fabricated::{self, Sizes},
    };
    use twolayer_file::experiment::Quantity;

    const SIZES: Sizes = Sizes { p: 4, k: 2 };

    fn outcomes(noise: f64) -> (Experiment, Vec<Outcome>) {
        let times = fabricated::log_times(40, 0.01, 30.0);
        let views = vec![
            fabricated::view("limit", Engine::Limit, SIZES, 1000),
            fabricated::view("reduced", Engine::Reduced, SIZES, 1000),
        ];
        let outcomes =
            vec![fabricated::limit(SIZES, &times, 1e-6), fabricated::simulation(SIZES, &times, 16, noise, 1)];
        (fabricated::experiment(views, vec![fabricated::figure(Quantity::Risk)]), outcomes)
    }

    #[test]
    fn a_run_that_went_well() {
        let (experiment, outcomes) = outcomes(0.01);
        let agreement = compare(&experiment.views, &outcomes);
        let text = answer(&experiment, &outcomes, &agreement, 3.5, Path::new("results/odes/figure.png"));
        insta::assert_snapshot!(text, @"
        One pass through the data specialises the neurons
          limit    risk 0.201 → 0.00100; largest |cosine| z1 0.95, z2 0.85  [ode, all terms, 12 ms]
          reduced  risk 0.201 → 0.00104; largest |cosine| z1 0.96, z2 0.86  [reduced, fresh, 3.4 s]
          limit and reduced agree: rms z 1.07, max |z| 2.4 over 520 comparisons, p = 0.62; largest difference of M 0.00505 at t = 13.2
          figure: results/odes/figure.png (3.5 s in all)
        ");
    }

    #[test]
    fn a_replicate_that_diverged_and_no_verdict() {
        let (experiment, mut outcomes) = outcomes(0.01);
        outcomes[1].trajectories.truncate(1);
        outcomes[1].trajectories[0].status = Status::Diverged { at: 310.0 };
        outcomes[1].trajectories[0].valid = 20;
        let agreement = compare(&experiment.views, &outcomes);
        let text = answer(&experiment, &outcomes, &agreement, 0.012, Path::new("results/odes/figure.png"));
        insta::assert_snapshot!(text, @"
        One pass through the data specialises the neurons
          limit    risk 0.201 → 0.00100; largest |cosine| z1 0.95, z2 0.85  [ode, all terms, 12 ms]
          reduced  risk 0.201 → 0.135; largest |cosine| z1 0.21, z2 0.19; diverged at 310  [reduced, fresh, 3.4 s]
          limit and reduced: not assessed (20 of 41 common times: a replicate has no numbers beyond; no standard error: one replicate each); largest difference of M 0.00832 at t = 0.403
          figure: results/odes/figure.png (12 ms in all)
        ");
    }

    #[test]
    fn runs_that_a_crossing_has_stopped_say_so() {
        let (mut experiment, mut outcomes) = outcomes(0.01);
        for (view, steps) in experiment.views.iter_mut().zip([vec![640.0], vec![600.0; 16]]) {
            view.record.crossings = vec![Crossing { of: CrossingOf::CosineWith(1), level: 0.05, stop: true }];
            let outcome = if steps.len() == 1 { &mut outcomes[0] } else { &mut outcomes[1] };
            for (run, step) in outcome.trajectories.iter_mut().zip(steps) {
                run.set(&CROSSING_STEP, vec![step]);
                run.cut(20);
            }
        }
        outcomes[1].trajectories[0].set(&CROSSING_STEP, vec![1240.0]);
        let line = |i: usize| learnt(&experiment.views[i], &outcomes[i]);
        assert!(line(0).ends_with("; stopped at the crossing cosine:2 = 0.05, step 640"), "{}", line(0));
        assert!(
            line(1).ends_with("; 16 of 16 stopped at the crossing cosine:2 = 0.05, step 640, held there"),
            "{}",
            line(1)
        );
        // One that was crossed, and did not end the run.
        let mut whole = experiment.views[0].clone();
        whole.record.crossings[0].stop = false;
        assert!(!learnt(&whole, &outcomes[0]).contains("stopped"));
    }

    #[test]
    fn many_pairs_are_summed_up() {
        let (experiment, outcomes) = outcomes(0.01);
        let one = compare(&experiment.views, &outcomes).remove(0);
        let none = Agreement { verdict: Verdict::NotAssessed, p_value: None, rms_z: None, max_z: None, ..one.clone() };
        let counted = |pairs: &[Agreement]| verdicts(pairs, 0).join("\n");
        assert!(counted(&[none.clone(), none.clone()]).starts_with("  none of 2 pairs of views was assessed; least: "));
        assert!(counted(&[none, one.clone()]).starts_with("  1 of 1 pairs of views agree, 1 not assessed; least: "));
        let worse = Agreement { verdict: Verdict::Differ, p_value: Some(0.0005), max_z: Some(9.1), ..one.clone() };
        insta::assert_snapshot!(verdicts(&[one.clone(), worse, one], 2).join("\n"), @"  2 of 3 pairs of views agree; least: limit and reduced differ: rms z 1.07, max |z| 9.1 over 520 comparisons, p < 0.001, by all places together; largest difference of M 0.00505 at t = 13.2");
    }

    #[test]
    fn many_views_make_six_lines() {
        let (mut experiment, mut outcomes) = outcomes(0.01);
        for d in [2000_u64, 4000, 8000] {
            experiment.views.push(fabricated::view(&format!("reduced-{d}"), Engine::Reduced, SIZES, d));
            outcomes.push(fabricated::simulation(SIZES, &fabricated::log_times(40, 0.01, 30.0), 16, 0.01, d));
        }
        let lines = |experiment: &Experiment| {
            let agreement = compare(&experiment.views, &outcomes);
            answer(experiment, &outcomes, &agreement, 3.5, Path::new("results/odes/figure.png"))
        };
        let of_engines = lines(&experiment);
        for (i, view) in experiment.views.iter_mut().enumerate() {
            view.overrides.push(("target.noise".into(), format!("{i}")));
        }
        let of_settings = lines(&experiment);
        assert!(of_engines.lines().count() <= 6 && of_settings.lines().count() <= 6);
        insta::assert_snapshot!(of_engines + "\n" + &of_settings, @"
        One pass through the data specialises the neurons
          limit              risk 0.201 → 0.00100; largest |cosine| z1 0.95, z2 0.85  [ode, all terms, 12 ms]
          reduced (4 views)  risk 0.201 → 0.000941 … 0.00111; largest |cosine| z1 0.96, z2 0.86 … 0.87  [reduced, fresh, 3.4 s]
          10 of 10 pairs of views agree; least: reduced-2000 and reduced-4000 agree: rms z 0.88, max |z| 2.6 over 520 comparisons, p = 0.09; largest difference of M 0.00704 at t = 30.0
          figure: results/odes/figure.png (3.5 s in all)

        One pass through the data specialises the neurons
          noise = 0                   risk 0.201 → 0.00100; largest |cosine| z1 0.95, z2 0.85  [ode, all terms, 12 ms]
          noise = 1                   risk 0.201 → 0.00104; largest |cosine| z1 0.96, z2 0.86  [reduced, fresh, 3.4 s]
          3 other settings (3 views)  risk 0.201 → 0.000941 … 0.00111; largest |cosine| z1 0.96, z2 0.86 … 0.87  [reduced, fresh, 3.4 s]
          figure: results/odes/figure.png (3.5 s in all)
        ");
    }

    #[test]
    fn three_digits_and_human_durations() {
        assert_eq!([0.201234, 1234.0, 5.7e-7, 0.0].map(digits), ["0.201", "1234", "5.70e-7", "0"]);
        assert_eq!([0.0123, 3.44, 61.0, 300.0, 7200.0].map(duration), ["12 ms", "3.4 s", "61 s", "5 min", "2.0 h"]);
    }
}
