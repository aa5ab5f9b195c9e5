//! Exponents and stairs against values that were checked by hand or by a 4001² grid. (theory.md §7)

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use faer::Mat;
use twolayer::{
    Error,
    hierarchy::{Analysis, Stairs},
    problem::{Activation, Target},
};

fn target(text: &str) -> Target {
    Target::try_from(text).unwrap()
}

fn analyse(text: &str) -> Analysis {
    Analysis::of(&target(text), None).unwrap()
}

fn analyse_with(text: &str, activation: &str) -> Analysis {
    Analysis::of(&target(text), Activation::named(activation).as_ref()).unwrap()
}

/// Leaps and numbers of new directions.
fn steps(stairs: &Stairs) -> Vec<(usize, usize)> {
    stairs.stairs.iter().map(|stair| (stair.leap, stair.directions.len())).collect()
}

/// Largest distance of a unit vector in `wanted` from the span of `found`; infinite where the dimensions differ.
fn distance(found: &[Vec<f64>], wanted: &[Vec<f64>]) -> f64 {
    if found.len() != wanted.len() {
        return f64::INFINITY;
    }
    let outside = |w: &Vec<f64>| {
        let length: f64 = w.iter().map(|x| x * x).sum();
        let inside: f64 = found.iter().map(|f| f.iter().zip(w).map(|(f, w)| f * w).sum::<f64>().powi(2)).sum();
        (1.0 - inside / length).max(0.0).sqrt()
    };
    wanted.iter().map(outside).fold(0.0, f64::max)
}

fn axes(k: usize, which: &[usize]) -> Vec<Vec<f64>> {
    which.iter().map(|&r| (1..=k).map(|i| f64::from(i == r)).collect()).collect()
}

/// One row of the table.
struct Row {
    text: &'static str,
    /// (leap, number of directions) of the fresh and of the label-aware stairs.
    fresh: &'static [(usize, usize)],
    aware: &'static [(usize, usize)],
    /// Size of the first fresh stair.
    size: f64,
    hard: &'static [usize],
}

const TABLE: [Row; 10] = [
    // E He_3''' = 3!, E He_4'''' = 4!.
    Row { text: "he3(z1)", fresh: &[(3, 1)], aware: &[(1, 1)], size: 6.0, hard: &[] },
    Row { text: "he4(z1)", fresh: &[(4, 1)], aware: &[(2, 1)], size: 24.0, hard: &[1] },
    Row { text: "tanh(he3(z1))", fresh: &[(1, 1)], aware: &[(1, 1)], size: 0.3751, hard: &[] },
    Row { text: "z1 + z1*z2", fresh: &[(1, 1), (1, 1)], aware: &[(1, 2)], size: 1.0, hard: &[] },
    Row { text: "z1 + z1*z2*z3", fresh: &[(1, 1), (2, 2)], aware: &[(1, 1), (2, 2)], size: 1.0, hard: &[2, 3] },
    Row { text: "tanh(z1 + he3(z2))", fresh: &[(1, 1), (1, 1)], aware: &[(1, 2)], size: 0.46581, hard: &[] },
    // Six entries 1 of z1 z2 z3, one entry 6 of He_3: √(6 + 36).
    Row { text: "z1*z2*z3 + he3(z4)", fresh: &[(3, 4)], aware: &[(1, 1), (2, 3)], size: 6.480741, hard: &[1, 2, 3] },
    // Six entries E|z|³ = (2/π)^{3/2}.
    Row { text: "sign(z1*z2*z3)", fresh: &[(3, 3)], aware: &[(3, 3)], size: 1.244213, hard: &[1, 2, 3] },
    Row {
        text: "he4(z1) + sign(z1*z2*z3)",
        fresh: &[(3, 3)],
        aware: &[(2, 1), (2, 2)],
        size: 1.244213,
        hard: &[1, 2, 3],
    },
    // Two entries 2/π.
    Row { text: "sign(z1*z2)", fresh: &[(2, 2)], aware: &[(2, 2)], size: 0.900316, hard: &[1, 2] },
];

#[test]
fn the_table() {
    for row in TABLE {
        let analysis = analyse(row.text);
        assert_eq!(steps(&analysis.fresh), row.fresh, "{}: fresh", row.text);
        assert_eq!(steps(&analysis.label_aware), row.aware, "{}: label-aware", row.text);
        assert!(analysis.fresh.leap_complexity().is_some() && analysis.label_aware.leap_complexity().is_some());
        let first = &analysis.fresh.stairs[0];
        let allowed = 5.0 * first.error + 5e-5;
        assert!((first.size - row.size).abs() < allowed, "{}: {} for {} ± {allowed}", row.text, first.size, row.size);
        let hard = axes(analysis.directions, row.hard);
        assert!(distance(&analysis.hard, &hard) < 1e-6, "{}: hard {:?}", row.text, analysis.hard);
    }
}

#[test]
fn sums_of_relus_stop_at_their_mean_direction() {
    let analysis = analyse_with("relu(z1) + relu(z2)", "relu");
    let (sum, difference) = (vec![vec![1.0, 1.0]], vec![vec![1.0, -1.0]]);
    for stairs in [&analysis.fresh, &analysis.label_aware, &analysis.visible.as_ref().unwrap().stairs] {
        assert_eq!(steps(stairs), [(1, 1), (2, 1)]);
        assert!(distance(&stairs.stairs[0].directions, &sum) < 1e-6);
    }
    // E relu' = ½ in both directions; E[y He_2(v)] of v = (z1 − z2)/√2 is E[relu He_2] = 1/√(2π).
    let sizes: Vec<f64> = analysis.fresh.stairs.iter().map(|stair| stair.size).collect();
    assert!((sizes[0] - 0.5f64.sqrt()).abs() < 2e-4 && (sizes[1] - 0.398942).abs() < 2e-4, "{sizes:?}");
    assert!(distance(&analysis.hard, &difference) < 1e-6);
}

#[test]
fn the_target_of_reuse() {
    let analysis = analyse_with("tanh(z1 + he3(z2))", "relu");
    let [first, second] = analysis.fresh.stairs.as_slice() else { panic!("two stairs") };
    assert!(distance(&first.directions, &[vec![0.767832, -0.640651]]) < 2e-6);
    // E[g v He_2(u)].
    assert!((second.size - 0.3869).abs() < 5e-5 && second.known_degree == Some(2), "{}", second.size);
    let visible = analysis.visible.unwrap();
    assert_eq!(steps(&visible.stairs), [(1, 1)]);
    assert_eq!(visible.stairs.leap_complexity(), None);
    assert_eq!(visible.blind[0].degree, 3);
    assert!(analysis.hard.is_empty());
}

#[test]
fn what_an_activation_does_not_see() {
    let blind = |text: &str, activation: &str| {
        let visible = analyse_with(text, activation).visible.unwrap();
        (visible.blind.iter().map(|blind| blind.degree).collect::<Vec<_>>(), steps(&visible.stairs))
    };
    assert_eq!(blind("he3(z1)", "relu"), (vec![3], vec![]));
    assert_eq!(blind("he3(z1)", "tanh"), (vec![], vec![(3, 1)]));
    assert_eq!(blind("he4(z1)", "erf"), (vec![4], vec![]));
    assert_eq!(blind("he4(z1)", "relu"), (vec![], vec![(4, 1)]));
    // The staircase z1 → z2 of degree 2 is hidden from an odd activation; the one of degree 3 is not.
    assert_eq!(blind("z1 + z1*z2", "tanh"), (vec![2], vec![(1, 1)]));
    assert_eq!(blind("z1 + he2(z1)*z2", "tanh"), (vec![], vec![(1, 1), (1, 1)]));
    assert_eq!(blind("z1 + z1*z2", "he2"), (vec![1], vec![(2, 2)]));
}

/// `z1`, `z2` (and `z3`) turned, into general position and onto diagonals.
#[test]
fn a_rotation_changes_nothing() {
    let turns = [["(0.6*z1+0.8*z2)", "(0.8*z1-0.6*z2)"], ["((z1+z2)/sqrt(2))", "((z1-z2)/sqrt(2))"]];
    for text in
        ["he3(A)", "A + A*B", "A + A*B*z3", "tanh(A + he3(B))", "sign(A*B)", "sign(A*B*z3)", "relu(A) + relu(B)"]
    {
        let with = |a: &str, b: &str| analyse(&text.replace('A', a).replace('B', b));
        let plain = with("z1", "z2");
        for [a, b] in turns {
            let turned = with(a, b);
            assert_eq!(steps(&turned.fresh), steps(&plain.fresh), "{text} with {a}: fresh");
            assert_eq!(steps(&turned.label_aware), steps(&plain.label_aware), "{text} with {a}: label-aware");
            assert_eq!(turned.hard.len(), plain.hard.len(), "{text} with {a}: hard");
            for (turned, plain) in turned.fresh.stairs.iter().zip(&plain.fresh.stairs) {
                let allowed = 6.0 * turned.error.hypot(plain.error) + 1e-6;
                assert!((turned.size - plain.size).abs() < allowed, "{text} with {a}: {} {}", turned.size, plain.size);
            }
        }
    }
    let single = analyse("he3((z1+z2)/sqrt(2))");
    assert!(distance(&single.fresh.stairs[0].directions, &[vec![1.0, 1.0]]) < 1e-6);
    assert_eq!(single.relevant.len(), 1);
}

#[test]
fn noise_does_not_change_the_stairs() {
    for text in ["he3(z1)", "he4(z1)", "relu(z1) + relu(z2)", "tanh(z1 + he3(z2))"] {
        let clean = analyse(text);
        let mut noisy = target(text);
        noisy.noise = 0.5;
        let noisy = Analysis::of(&noisy, None).unwrap();
        assert_eq!(steps(&noisy.label_aware), steps(&clean.label_aware), "{text}");
        for (noisy, clean) in noisy.fresh.stairs.iter().zip(&clean.fresh.stairs) {
            assert_eq!((noisy.size, &noisy.directions), (clean.size, &clean.directions), "{text}");
        }
    }
}

#[test]
fn a_monotone_function_of_the_label_keeps_the_generative_stairs() {
    for text in ["he3(z1)", "he4(z1)", "relu(z1) + relu(z2)"] {
        let plain = analyse(text);
        for monotone in ["tanh(Y)", "exp(Y/20)", "sigmoid(Y/5)", "Y*abs(Y)"] {
            let changed = analyse(&monotone.replace('Y', &format!("({text})")));
            assert_eq!(steps(&changed.label_aware), steps(&plain.label_aware), "{monotone} of {text}");
        }
    }
}

/// `E[E[h_1(z)|y]²]` of z + √Δ ξ is 1/(1 + Δ), of sign(z) it is 2/π.
#[test]
fn sizes_of_the_label_aware_stairs() {
    for (noise, wanted) in [(0.0, 1.0), (1.0, 0.5), (9.0, 0.1)] {
        let mut target = target("z1");
        target.noise = noise;
        let stair = Analysis::of(&target, None).unwrap().label_aware.stairs.remove(0);
        // 128 bins lose a little.
        assert!((stair.size.powi(2) - wanted).abs() < 5e-3, "{} for {wanted}", stair.size.powi(2));
    }
    let sign = analyse("sign(z1)").label_aware.stairs.remove(0).size;
    assert!((sign - (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-4, "{sign}");
}

#[test]
fn kinks_jumps_and_tails_do_not_deceive() {
    // A small slope beside a kink, a jump far out, a direction without influence, a leap beyond 8.
    assert_eq!(steps(&analyse("abs(z1) + 0.01*z2").fresh), [(1, 1), (2, 1)]);
    assert_eq!(steps(&analyse("sign(z1 - 3)").fresh), [(1, 1)]);
    assert_eq!(steps(&analyse("sign(z1 + 2*z2)").fresh), [(1, 1)]);
    assert_eq!(steps(&analyse("z3").fresh), [(1, 1)]);
    let far = analyse("z1 + he9(z2)");
    assert_eq!((far.fresh.exponent(), far.fresh.leap_complexity()), (Some(1), None));
    // No second moment: the mean of the label is not decided, its law is.
    let heavy = analyse("exp(he4(z1)/10)");
    assert!(heavy.fresh.undecided().is_some() && heavy.fresh.exponent().is_none());
    assert_eq!(steps(&heavy.label_aware), [(2, 1)]);
}

/// Correlated directions: with `z = P^{1/2} x` the target z1 is row 1 of the root, and g depends on nothing else.
#[test]
fn correlated_directions_are_reported_where_inputs_are_white() {
    let with_overlap = |text: &str| {
        let mut target = target(text);
        target.overlaps = Mat::from_fn(2, 2, |i, j| if i == j { 1.0 } else { 0.6 });
        Analysis::of(&target, None).unwrap()
    };
    let root = |sign: f64| (1.6f64.sqrt() + sign * 0.4f64.sqrt()) / 2.0;
    let single = with_overlap("he3(z1) + 0*z2");
    assert_eq!(steps(&single.fresh), [(3, 1)]);
    let row = vec![root(1.0), root(-1.0)];
    assert!(distance(&single.fresh.stairs[0].directions, &[row]) < 1e-6);
    // z1 z2 = 0.8 s² − 0.2 t² in x's own coordinates s, t along (1, 1) and (1, −1): ‖C_2‖ = √(1.6² + 0.4²).
    let product = with_overlap("z1*z2");
    assert_eq!(steps(&product.fresh), [(2, 2)]);
    assert!((product.fresh.stairs[0].size - 2.72f64.sqrt()).abs() < 1e-9);
}

#[test]
fn what_is_refused() {
    let error = |text: &str| Analysis::of(&target(text), None).unwrap_err().to_string();
    assert!(error("log(z1)").contains("NaN"));
    assert!(error("z1 - z1").contains("nothing to learn"));
    assert!(error("z7").contains("k = 7"));
    let mut negative = target("z1");
    negative.noise = -1.0;
    assert!(matches!(Analysis::of(&negative, None), Err(Error::Invalid(_))));
}
