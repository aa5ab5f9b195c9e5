use crate::record::{
    Observable, Trajectory,
    observable::{RISK, RISK_ERROR, STUDENT_SQUARES, STUDENT_TEACHER},
};

use super::*;
use crate::testing::{fabricated, fabricated::Sizes};

const SIZES: Sizes = Sizes { p: 2, k: 2 };

fn verdicts(count: u64, agreement: impl Fn(u64) -> Agreement) -> usize {
    (0..count).filter(|&seed| agreement(seed).verdict == Verdict::Agree).count()
}

fn times() -> Vec<f64> {
    fabricated::log_times(25, 0.01, 10.0)
}

fn compare_simulations(seed: u64, replicates: usize, distort: impl Fn(&mut Trajectory)) -> Agreement {
    let a = fabricated::simulation(SIZES, &times(), replicates, 0.1, 2 * seed + 1);
    let mut b = fabricated::simulation(SIZES, &times(), replicates, 0.1, 2 * seed + 2);
    b.iter_mut().for_each(distort);
    pair(["a", "b"], &a, &b).unwrap()
}

#[test]
fn views_of_the_same_law_agree() {
    for replicates in [16, 8] {
        let agree = verdicts(200, |seed| compare_simulations(seed, replicates, |_| {}));
        assert!(agree >= 198, "{replicates} replicates: {agree} of 200 agree");
        let against_limit = verdicts(100, |seed| {
            let limit = [fabricated::limit(SIZES, &times(), 1e-9)];
            let simulation = fabricated::simulation(SIZES, &times(), replicates, 0.1, seed + 1000);
            pair(["limit", "simulation"], &limit, &simulation).unwrap()
        });
        assert!(against_limit >= 99, "{replicates} replicates against the limit: {against_limit} of 100 agree");
    }
}

#[test]
fn the_p_value_is_neither_timid_nor_rash() {
    let small = (0..100).filter(|&seed| compare_simulations(seed, 16, |_| {}).p_value.unwrap() < 0.2).count();
    // The test is exact for these replicates: 20 ± 4.
    assert!((8..=32).contains(&small), "{small} of 100 p-values below 0.2");
}

#[test]
fn few_replicates_find_gross_differences_and_cry_over_nothing() {
    let agree = verdicts(100, |seed| compare_simulations(seed, 4, |_| {}));
    assert!(agree >= 99, "{agree} of 100 agree");
    let limit = [fabricated::limit(SIZES, &times(), 1e-9)];
    let mut simulation = fabricated::simulation(SIZES, &times(), 4, 1e-4, 1);
    for run in &mut simulation {
        run.of_mut(&RISK)[20] += 0.01;
    }
    let agreement = pair(["limit", "reduced"], &limit, &simulation).unwrap();
    assert_eq!(agreement.verdict, Verdict::Differ, "{agreement:?}");
    assert!(agreement.note.contains("4 replicates"), "{}", agreement.note);
}

/// Two replicates call an error of many times the risk chance, so they may not call it agreement.
#[test]
fn two_replicates_never_show_agreement() {
    let limit = [fabricated::limit(SIZES, &times(), 1e-9)];
    for (replicates, needed) in [(2, "637"), (3, "31.6")] {
        for seed in 0..20 {
            let simulation = fabricated::simulation(SIZES, &times(), replicates, 0.1, seed);
            let against_limit = pair(["limit", "a"], &limit, &simulation).unwrap();
            let against_other = compare_simulations(seed, replicates, |_| {});
            for agreement in [against_limit, against_other] {
                assert_ne!(agreement.verdict, Verdict::Agree, "{agreement:?}");
                let note = &agreement.note;
                assert!(note.contains(needed) && note.contains("use at least 4"), "{note}");
            }
        }
    }
    // A difference of 10⁸ standard errors at all places they do find, at one place among so many not even that.
    let mut simulation = fabricated::simulation(SIZES, &times(), 2, 1e-9, 1);
    for run in &mut simulation {
        for observable in [&RISK, &STUDENT_TEACHER, &STUDENT_SQUARES] {
            run.of_mut(observable).iter_mut().for_each(|x| *x += 0.1);
        }
    }
    let agreement = pair(["limit", "a"], &limit, &simulation).unwrap();
    assert_eq!(agreement.verdict, Verdict::Differ, "{agreement:?}");
}

#[test]
fn the_start_alone_is_no_comparison() {
    let limit = [fabricated::limit(SIZES, &times(), 1e-6)];
    let mut simulation = fabricated::simulation(SIZES, &times(), 16, 0.1, 5);
    simulation[2].valid = 1;
    let agreement = pair(["limit", "reduced"], &limit, &simulation).unwrap();
    assert_eq!((agreement.verdict, agreement.times), (Verdict::NotAssessed, 1));
    assert!(agreement.note.contains("nothing but the start") && agreement.p_value.is_none(), "{agreement:?}");
}

#[test]
fn the_same_runs_twice_are_no_comparison() {
    let runs = |replicates, seed| fabricated::simulation(SIZES, &times(), replicates, 0.1, seed);
    let agreement = pair(["a", "b"], &runs(8, 3), &runs(8, 3)).unwrap();
    assert_eq!(agreement.verdict, Verdict::NotAssessed, "{agreement:?}");
    assert!(agreement.note.contains("the same runs twice") && agreement.note.contains("another seed"));
    // One seed, other numbers of replicates.
    let agreement = pair(["a", "b"], &runs(16, 3), &runs(8, 3)).unwrap();
    assert_eq!(agreement.verdict, Verdict::NotAssessed, "{agreement:?}");
    assert!(agreement.note.contains("8 of the 16 runs of the first"), "{}", agreement.note);
    assert_eq!(pair(["a", "b"], &runs(8, 3), &runs(8, 4)).unwrap().verdict, Verdict::Agree);
    // Two limits by one method.
    let limit = [fabricated::limit(SIZES, &times(), 1e-6)];
    let agreement = pair(["a", "b"], &limit, &limit).unwrap();
    assert_eq!(agreement.verdict, Verdict::NotAssessed, "{agreement:?}");
}

#[test]
fn two_limits_are_measured_by_their_errors() {
    let first = [fabricated::limit(SIZES, &times(), 1e-3)];
    let moved = |by: f64, error: f64| {
        let mut second = [fabricated::limit(SIZES, &times(), error)];
        second[0].of_mut(&STUDENT_TEACHER).iter_mut().for_each(|m| *m += by);
        // Q states no error, and is not held against anyone.
        second[0].of_mut(&STUDENT_SQUARES).iter_mut().for_each(|q| *q += 0.1);
        pair(["ode", "dmft"], &first, &second).unwrap()
    };
    assert_eq!(moved(2e-3, 1e-3).verdict, Verdict::Agree);
    let differ = moved(8e-3, 1e-3);
    assert_eq!(differ.verdict, Verdict::Differ, "{differ:?}");
    assert!((differ.max_z.unwrap() * 2_f64.sqrt() / 8.0 - 1.0).abs() < 1e-6);
    assert!(differ.note.contains("errors that they state") && differ.p_value.unwrap() < 1e-3, "{differ:?}");
}

#[test]
fn sizes_are_reported_where_they_are_largest() {
    let t = times();
    let simulation = fabricated::simulation(SIZES, &t, 16, 0.01, 3);
    let mut limit = [fabricated::limit(SIZES, &t, 1e-9)];
    limit[0].of_mut(&STUDENT_TEACHER)[(20 * SIZES.p + 1) * SIZES.k] += 0.5;
    let agreement = pair(["limit", "reduced"], &limit, &simulation).unwrap();
    assert_eq!(agreement.verdict, Verdict::Differ);
    let overlap = agreement.quantities.iter().find(|q| q.quantity == "M").unwrap();
    assert!((overlap.max_difference - 0.5).abs() < 0.02 && overlap.time == t[20], "{overlap:?}");
    // Entry 0 of a shared start has no variance and no difference: it is not a comparison.
    let norms = agreement.quantities.iter().find(|q| q.quantity == "Q_diag").unwrap();
    assert_eq!(norms.comparisons, (t.len() - 1) * SIZES.p, "{norms:?}");
}

#[test]
fn stated_errors_are_forgiven() {
    let t = times();
    let simulation = fabricated::simulation(SIZES, &t, 16, 1e-9, 3);
    let mut limit = [fabricated::limit(SIZES, &t, 1e-3)];
    limit[0].of_mut(&RISK).iter_mut().for_each(|risk| *risk += 1e-3);
    let agreement = pair(["limit", "reduced"], &limit, &simulation).unwrap();
    assert_eq!(agreement.verdict, Verdict::Agree, "{agreement:?}");
    limit[0].set(&RISK_ERROR, vec![1e-9; t.len()]);
    let agreement = pair(["limit", "reduced"], &limit, &simulation).unwrap();
    assert_eq!(agreement.verdict, Verdict::Differ, "{agreement:?}");
}

/// With weights of length 10¹² the risk of units that saturate is an arcsine of 1, known to the root of the last digit: what
/// is left of it is no difference. With weights of length 1 the same numbers are one.
#[test]
fn what_is_lost_at_huge_norms_is_no_difference() {
    let verdict = |norm: f64| {
        let simulation = |seed: u64, shift: f64| {
            let mut outcome = fabricated::simulation(SIZES, &times(), 8, 0.0, seed);
            for (r, run) in outcome.iter_mut().enumerate() {
                let mut fill =
                    |array: &'static Observable, value: f64| run.set(array, vec![value; run.of(array).len()]);
                fill(&RISK, 0.276_708_391 + shift + 1e-12 * r as f64);
                fill(&STUDENT_TEACHER, 3.0 + 1e-13 * norm * seed as f64);
                fill(&STUDENT_SQUARES, norm * norm);
            }
            outcome
        };
        pair(["a", "b"], &simulation(1, 0.0), &simulation(2, 9.7e-10)).unwrap().verdict
    };
    assert_eq!([1e12, 1e6].map(verdict), [Verdict::Agree; 2]);
    assert_eq!(verdict(1.0), Verdict::Differ);
}

#[test]
fn without_replicates_there_is_no_verdict() {
    let limit = [fabricated::limit(SIZES, &times(), 1e-6)];
    let single = fabricated::simulation(SIZES, &times(), 1, 0.1, 5);
    let agreement = pair(["limit", "single"], &limit, &single).unwrap();
    assert_eq!(agreement.verdict, Verdict::NotAssessed);
    assert!(agreement.note.contains("one replicate") && agreement.p_value.is_none(), "{agreement:?}");
    assert!(agreement.quantities[1].max_difference > 0.0);
}

#[test]
fn only_common_times_and_valid_entries_are_compared() {
    let limit = [fabricated::limit(SIZES, &times(), 1e-6)];
    let coarse: Vec<f64> = times().into_iter().step_by(2).collect();
    let mut simulation = fabricated::simulation(SIZES, &coarse, 16, 0.1, 5);
    let agreement = pair(["limit", "coarse"], &limit, &simulation).unwrap();
    assert_eq!(agreement.times, coarse.len());
    simulation[3].valid = 4;
    let agreement = pair(["limit", "coarse"], &limit, &simulation).unwrap();
    assert_eq!(agreement.times, 4);
    assert!(agreement.note.contains("4 of 13"), "{}", agreement.note);
    // Other whole steps at another dimension: no common moment, no comparison.
    let other: Vec<f64> = times().iter().map(|t| t * 1.001).collect();
    let elsewhere = fabricated::simulation(SIZES, &other, 16, 0.1, 6);
    assert!(pair(["a", "b"], &limit, &elsewhere).is_none());
}

#[test]
fn a_large_record_is_thinned_and_quick() {
    let sizes = Sizes { p: 4, k: 2 };
    let times = fabricated::log_times(200, 1e-3, 10.0);
    let limit = [fabricated::limit(sizes, &times, 1e-6)];
    let simulation = fabricated::simulation(sizes, &times, 16, 0.1, 5);
    let start = std::time::Instant::now();
    let agreement = pair(["limit", "reduced"], &limit, &simulation).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    assert!(agreement.comparisons <= 2100 && agreement.note.contains("drawn at random"), "{agreement:?}");
    assert_eq!(agreement.verdict, Verdict::Agree);
    eprintln!("{} comparisons in {seconds:.2} s", agreement.comparisons);
    assert!(seconds < 2.0, "{seconds} s");
}

#[test]
fn wallace_carries_student_to_normal() {
    use super::scores::normal_score;
    // Quantiles of Student's t at the probability .99865 of 3 normal deviations.
    for (nu, t) in [(4.0, 6.6201), (7.0, 4.5299), (15.0, 3.5863)] {
        let z = normal_score(t, [1.0, 0.0], 0.0, [nu + 1.0, 1.0]);
        assert!((z - 3.0).abs() < 0.03, "t_{nu}: {z}");
    }
    assert_eq!(normal_score(2.0, [0.0, 0.0], 4.0, [8.0, 8.0]), 1.0);
}
