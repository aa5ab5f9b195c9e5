//! Learning time-scales of a single-index target against the numbers of theory.md §5.5 and paper C.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use faer::Mat;
use twolayer::{
    gaussian::quadrature::Quadrature,
    method::single_index::{Averaged, Finite, Ledger, Series},
    observer::Silent,
    solve::{Ending, Jacobian, Method, Options, Solution, VectorField, integrate},
};

const SIGMA: [f64; 4] = [0.7, 0.8, 0.6, 0.5];
const PHI: [f64; 4] = [0.5, 0.9, 0.7, 0.6];

fn options(tolerance: f64) -> Options {
    Options {
        relative_tolerance: tolerance,
        absolute_tolerance: 1e-3 * tolerance,
        max_steps: 200_000,
        ..Options::default()
    }
}

fn log_times(from: f64, to: f64, count: usize) -> Vec<f64> {
    (0..count).map(|i| from * (to / from).powf(i as f64 / (count - 1) as f64)).collect()
}

fn grid(m: usize) -> Vec<f64> {
    (0..m).map(|i| -1.0 + (2 * i + 1) as f64 / m as f64).collect()
}

fn nodes(m: usize) -> Vec<(f64, f64)> {
    let Quadrature { nodes, weights } = Quadrature::clustered(m);
    nodes.into_iter().zip(weights).collect()
}

/// Equal weights, or the nodes of the uniform law; from s = 0.
fn averaged(series: Series, epsilon: f64, atoms: &[(f64, f64)]) -> (Averaged, Vec<f64>) {
    let (a, weights): (Vec<f64>, Vec<f64>) = atoms.iter().copied().unzip();
    let flow = Averaged::new(series, epsilon, weights);
    let y0 = flow.pack(&a, &vec![0.0; a.len()]);
    (flow, y0)
}

fn equal(a: &[f64]) -> Vec<(f64, f64)> {
    a.iter().map(|value| (*value, 1.0 / a.len() as f64)).collect()
}

fn run(flow: &Averaged, y0: &[f64], times: &[f64]) -> (Solution, Ledger) {
    let (solution, ledger) = flow.integrate(y0, times, &options(1e-8), &Silent).unwrap();
    assert_eq!(solution.ending, Ending::Done);
    assert!(ledger.rise <= 1e-9, "the risk rose by {:e}", ledger.rise);
    assert!(ledger.balance.unwrap() < 1e-6, "{:?}", ledger.balance);
    (solution, ledger)
}

fn close(got: &[f64], expected: &[f64], relative: f64) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got / expected - 1.0).abs() < relative, "{got} for {expected}");
    }
}

/// theory.md §5.5, m → ∞ by nodes.
#[test]
fn half_times_of_the_reference_target() {
    let published = [
        (1e-2, [0.01411, 0.2775, 0.3590, 0.4141]),
        (1e-4, [1.4146e-4, 0.04875, 0.1182, 0.1476]),
        (1e-5, [1.4146e-5, 0.01820, 0.07106, 0.07997]),
        (1e-6, [1.4146e-6, 6.586e-3, 0.04123, 0.04379]),
    ];
    for (epsilon, half_times) in published {
        let (flow, y0) = averaged(Series::exact(&SIGMA, &PHI), epsilon, &nodes(400));
        let (_, ledger) = run(&flow, &y0, &[1.0]);
        close(&ledger.half_times, &half_times, 5e-3);
    }
}

/// ½ Σ_{k>ℓ} φ_k², halfway (on a logarithmic clock) between two half-times where these are far apart.
#[test]
fn plateaus_of_the_reference_target() {
    let (flow, y0) = averaged(Series::exact(&SIGMA, &PHI), 1e-8, &nodes(400));
    let times = log_times(1e-10, 3.0, 800);
    let (solution, ledger) = run(&flow, &y0, &times);
    let risk: Vec<f64> = solution.states.iter().map(|y| flow.risk(y)).collect();
    assert!((flow.risk(&y0) - 0.955).abs() < 1e-12);
    let half = &ledger.half_times;
    for (ends, level) in [([half[0], half[1]], 0.83), ([half[1], half[2]], 0.425)] {
        let middle = (ends[0] * ends[1]).sqrt();
        let at = times.iter().position(|t| *t >= middle).unwrap();
        assert!((risk[at] / level - 1.0).abs() < 0.02, "{} for {level}", risk[at]);
    }
    assert!(risk[799] < 1e-6, "{}", risk[799]);
}

/// `y = φ_1/(1 + e^{−2κ(t − t_1)/√ε})` for a target that stops at degree 1, pointwise within 1 % of φ_1.
#[test]
fn degree_one_is_logistic() {
    for (epsilon, tolerance, pointwise) in [(1e-4, 3e-3, 0.02), (1e-5, 3e-3, 0.012), (1e-6, 3e-3, 0.01)] {
        let (sigma, phi) = ([0.7, 0.8], [0.5, 0.9]);
        let (flow, y0) = averaged(Series::exact(&sigma, &phi), epsilon, &nodes(400));
        let kappa = sigma[1] * phi[1];
        let root = f64::sqrt(epsilon);
        let variance = 1.0 / 3.0;
        let t1 = root / (4.0 * kappa) * (1.0 / epsilon).ln()
            + root / (2.0 * kappa) * (4.0 * phi[1] / (sigma[1] * variance)).ln();
        let times: Vec<f64> = (1..=400).map(|i| 2.5 * t1 * f64::from(i) / 400.0).collect();
        let (solution, ledger) = run(&flow, &y0, &times);
        assert!((ledger.half_times[1] / t1 - 1.0).abs() < tolerance, "{} {t1}", ledger.half_times[1]);
        let mut residuals = Vec::new();
        let mut worst: f64 = 0.0;
        for (y, t) in solution.states.iter().zip(&times) {
            flow.residuals(y, &mut residuals);
            let logistic = phi[1] / (1.0 + (-2.0 * kappa * (t - t1) / root).exp());
            worst = worst.max((phi[1] - residuals[1] - logistic).abs() / phi[1]);
        }
        assert!(worst < pointwise, "ε = {epsilon:e}: {worst}");
    }
}

/// `e_0 = (φ_0 − σ_0⟨a(0)⟩) e^{−σ_0² t/ε}`.
#[test]
fn degree_zero_decays() {
    let epsilon = 1e-6;
    let a: Vec<f64> = grid(50).iter().map(|a| a + 0.2).collect();
    let (flow, y0) = averaged(Series::exact(&SIGMA, &PHI), epsilon, &equal(&a));
    let times: Vec<f64> = (1..10).map(|i| f64::from(i) * epsilon).collect();
    let (solution, _) = run(&flow, &y0, &times);
    let mut residuals = Vec::new();
    for (y, t) in solution.states.iter().zip(&times) {
        flow.residuals(y, &mut residuals);
        let exact = (0.5 - 0.7 * 0.2) * (-0.49 * t / epsilon).exp();
        assert!((residuals[0] - exact).abs() < 1e-4, "{} {exact}", residuals[0]);
    }
}

/// gallery.md `broken-gap`: a missing degree 2 delays degree 3, and e_2 rises and returns.
#[test]
fn a_gap_is_a_delay() {
    let expected = [(1e-2, 100, 1.01, 0.24), (1e-3, 100, 0.659, 0.11), (1e-4, 200, 0.459, 0.042)];
    for (epsilon, m, half_time, rise) in expected {
        let (flow, y0) = averaged(Series::exact(&SIGMA, &[0.5, 0.9, 0.0, 0.6]), epsilon, &nodes(m));
        let times = log_times(1e-4, 20.0, 2000);
        let (solution, ledger) = run(&flow, &y0, &times);
        assert!((ledger.half_times[3] / half_time - 1.0).abs() < 5e-3, "{:?}", ledger.half_times);
        let mut residuals = Vec::new();
        let mut highest: f64 = 0.0;
        for y in &solution.states {
            flow.residuals(y, &mut residuals);
            highest = highest.max(residuals[2].abs());
        }
        assert!((highest / rise - 1.0).abs() < 0.03, "{highest} {rise}");
        assert!(residuals[2].abs() < 0.02 && flow.risk(&solution.states[1999]) < 2e-3);
    }
}

/// gallery.md `initial-law`.
#[test]
fn the_law_of_the_start_decides_the_times() {
    let series = || Series::exact(&SIGMA, &[0.5, 0.9, 0.7, 0.6]);
    let m = 400;
    let uniform: Vec<f64> = (0..m).map(|i| (f64::from(i) + 0.5) / f64::from(m)).collect();
    /// Atoms (a, weight), and the half-times.
    type Case = (Vec<(f64, f64)>, [f64; 3]);
    let cases: [Case; 4] = [
        (nodes(m as usize), [0.278, 0.359, 0.414]),
        (equal(&uniform), [0.349, 0.423, 0.479]),
        (equal(&[1.0; 4]), [0.632, 0.963, 1.255]),
        (equal(&[0.0; 4]), [0.659, 0.989, 1.283]),
    ];
    for (case, (atoms, half_times)) in cases.iter().enumerate() {
        let (flow, y0) = averaged(series(), 1e-2, atoms);
        let (solution, ledger) = run(&flow, &y0, &[300.0]);
        close(&ledger.half_times[1..], half_times, 5e-3);
        let end = &solution.states[0];
        if case < 2 {
            assert!(flow.risk(end) < 2e-3, "{}", flow.risk(end));
            continue;
        }
        // All neurons alike for ever: the best single one.
        assert!((flow.risk(end) - 0.03428).abs() < 2e-5, "{}", flow.risk(end));
        let mut residuals = Vec::new();
        flow.residuals(end, &mut residuals);
        for (e, expected) in residuals.iter().zip([-0.220, 0.077, 0.083, 0.086]) {
            assert!((e - expected).abs() < 1e-3, "{residuals:?}");
        }
    }
}

/// gallery.md `single-degree`: `εℓa² + ln(1 − s²)` stays what it was in every neuron, and R → 0.
#[test]
fn one_degree_alone_conserves_a_quantity_in_each_neuron() {
    let epsilon = 1e-2;
    for (degree, start, tolerance) in [(1, 0.0, 1e-6), (2, 0.1, 1e-4)] {
        let (mut sigma, mut phi) = (vec![0.0; degree + 1], vec![0.0; degree + 1]);
        (sigma[degree], phi[degree]) = (0.6, 0.7);
        let a = grid(40);
        let flow = Averaged::new(Series::exact(&sigma, &phi), epsilon, vec![1.0 / 40.0; 40]);
        let y0 = flow.pack(&a, &[start; 40]);
        let (solution, ledger) = flow.integrate(&y0, &log_times(1e-2, 30.0, 50), &options(1e-7), &Silent).unwrap();
        let invariant = |y: &[f64]| -> Vec<f64> {
            let of = |neuron: &[f64]| epsilon * degree as f64 * neuron[0].powi(2) + (1.0 - neuron[1].powi(2)).ln();
            y.chunks(2).map(of).collect()
        };
        let first = invariant(&y0);
        for y in &solution.states {
            for (now, then) in invariant(y).iter().zip(&first) {
                assert!((now - then).abs() < tolerance, "ℓ = {degree}: drift {:e}", now - then);
            }
        }
        assert!(flow.risk(solution.states.last().unwrap()) < 1e-6);
        assert!(ledger.half_times[degree].is_finite());
    }
}

/// The Jacobian against central differences of the drift, degree by degree; and the balance of the risk against the
/// derivative of the risk along the drift.
#[test]
fn derivatives_of_the_averaged_flow() {
    let flow = Averaged::new(Series::exact(&[0.3, 0.0, 0.6, 0.5], &PHI), 0.1, vec![0.2, 0.5, 0.1, 0.2]);
    let y = flow.pack(&[0.7, -1.3, 2.0, 0.1], &[0.3, -0.6, 0.9, 0.0]);
    let mut jacobian = Jacobian::zeros(flow.structure(), y.len());
    flow.jacobian(0.0, &y, &mut jacobian).unwrap();
    let dense = jacobian.to_dense();
    let (mut direction, mut column) = (vec![0.0; y.len()], vec![0.0; y.len()]);
    for j in 0..y.len() {
        direction[j] = 1.0;
        flow.jacobian_times(0.0, &y, &direction, &mut column).unwrap();
        direction[j] = 0.0;
        for i in 0..y.len() {
            assert!((dense[(i, j)] - column[i]).abs() < 1e-7, "({i}, {j}): {} {}", dense[(i, j)], column[i]);
        }
    }
    let mut dy = vec![0.0; y.len()];
    flow.drift(0.0, &y, &mut dy).unwrap();
    let moved = |h: f64| flow.risk(&y.iter().zip(&dy).map(|(y, dy)| y + h * dy).collect::<Vec<_>>());
    let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
    assert!((slope + flow.dissipation(&y)).abs() < 1e-8 * slope.abs(), "{slope} {}", flow.dissipation(&y));
}

/// Real weights in d = 6, and their cosines.
fn weights(m: usize, d: usize) -> (Vec<f64>, Mat<f64>) {
    let mut x = 0.41_f64;
    let mut rows = Mat::from_fn(m, d, |_, _| {
        x = (x * 9301.7 + 0.49297).fract();
        2.0 * x - 1.0
    });
    for i in 0..m {
        let norm = rows.row(i).norm_l2();
        (0..d).for_each(|q| rows[(i, q)] /= norm);
    }
    ((0..m).map(|i| rows[(i, 0)]).collect(), &rows * rows.transpose())
}

/// The balance of the exact system, and its linear step.
#[test]
fn derivatives_of_the_finite_flow() {
    let m = 5;
    let (s, r) = weights(m, 6);
    let flow = Finite::new(Series::exact(&SIGMA, &PHI), 0.3, 1.0 / m as f64, m);
    let y = flow.pack(&[0.7, -1.3, 2.0, 0.1, -0.4], &s, &r);
    let mut dy = vec![0.0; y.len()];
    flow.drift(0.0, &y, &mut dy).unwrap();
    let moved = |h: f64| flow.risk(&y.iter().zip(&dy).map(|(y, dy)| y + h * dy).collect::<Vec<_>>());
    let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
    let dissipation = flow.dissipation(&y).unwrap();
    assert!((slope + dissipation).abs() < 1e-7 * slope.abs(), "{slope} {dissipation}");
}

/// The finite system from orthogonal rows against the averaged one with the same atoms, on the same 300 times. The values
/// are those of an independent program (SciPy's LSODA at rtol 10⁻⁸ on the formulas of theory.md §5.5).
#[test]
fn finite_networks_are_damped_by_their_own_terms() {
    let times = log_times(1e-4, 20.0, 300);
    for (epsilon, m, expected) in [(1e-2, 8, 0.658_300_53), (1e-2, 16, 0.484_630_33), (1e-2, 32, 0.283_031_37)] {
        let (largest, _) = largest_gap(epsilon, m, &times);
        assert!((largest / expected - 1.0).abs() < 1e-6, "ε = {epsilon:e}, m = {m}: {largest} for {expected}");
    }
    // Where m ≪ t/ε the damping is all, and the gap no longer 1/m.
    let gaps: Vec<f64> = [8, 16, 32, 64].iter().map(|m| largest_gap(1e-3, *m, &times).0).collect();
    eprintln!("{gaps:?}");
    assert!(gaps[0] / gaps[3] < 2.5 && gaps.is_sorted_by(|one, next| one > next), "{gaps:?}");
}

fn largest_gap(epsilon: f64, m: usize, times: &[f64]) -> (f64, Solution) {
    let finite = Finite::new(Series::exact(&SIGMA, &PHI), epsilon, 1.0 / m as f64, m);
    let (solution, ledger) = finite
        .integrate(&finite.pack(&grid(m), &vec![0.0; m], &Mat::identity(m, m)), times, &options(1e-8), &Silent)
        .unwrap();
    assert_eq!(solution.ending, Ending::Done);
    assert!(ledger.rise <= 1e-9, "{:e}", ledger.rise);
    let (flow, y0) = averaged(Series::exact(&SIGMA, &PHI), epsilon, &equal(&grid(m)));
    let (limit, _) = run(&flow, &y0, times);
    let gaps = solution.states.iter().zip(&limit.states).map(|(y, z)| (finite.risk(y) - flow.risk(z)).abs());
    (gaps.fold(0.0, f64::max), solution)
}

/// gallery.md `finite-network`: at ε = 1 and t ≤ 3 the difference falls as 1/m.
#[test]
fn the_difference_to_many_neurons_falls_as_their_number() {
    let times: Vec<f64> = (0..=30).map(|i| 0.1 * f64::from(i)).collect();
    let gaps: Vec<f64> = [16, 32, 64, 128].iter().map(|m| largest_gap(1.0, *m, &times).0).collect();
    for pair in gaps.windows(2) {
        let ratio = pair[0] / pair[1];
        assert!((1.7..2.3).contains(&ratio), "{gaps:?}");
    }
}

/// The extrapolated steps against the integrator of the other flows.
#[test]
fn the_finite_flow_does_not_depend_on_its_integrator() {
    let m = 6;
    let (s, r) = weights(m, 12);
    let flow = Finite::new(Series::exact(&SIGMA, &PHI), 1e-2, 1.0 / m as f64, m);
    let y0 = flow.pack(&grid(m), &s, &r);
    let times = [0.01, 0.1, 1.0, 3.0];
    let (solution, _) = flow.integrate(&y0, &times, &options(1e-11), &Silent).unwrap();
    let other = Options { method: Method::Implicit, max_steps: 100_000, ..options(1e-12) };
    let reference = integrate(&flow, &y0, &times, &other, &Silent).unwrap();
    for (one, other) in solution.states.iter().zip(&reference.states) {
        for (one, other) in one.iter().zip(other) {
            assert!((one - other).abs() < 1e-8 * (1.0 + other.abs()), "{one} {other}");
        }
    }
}

/// ε = 10⁻¹⁰: 15 decades of rates.
#[test]
fn through_the_smallest_ratio() {
    let (flow, y0) = averaged(Series::exact(&SIGMA, &PHI), 1e-10, &nodes(400));
    let (solution, ledger) = run(&flow, &y0, &[3.0]);
    assert!((ledger.half_times[0] / 1.4146e-10 - 1.0).abs() < 5e-3, "{:?}", ledger.half_times);
    let (kappa, root): (f64, f64) = (0.72, 1e-5);
    let t1 = root / (4.0 * kappa) * 1e10_f64.ln() + root / (2.0 * kappa) * (4.0 * 0.9 * 3.0 / 0.8_f64).ln();
    assert!((ledger.half_times[1] / t1 - 1.0).abs() < 1e-3, "{:?} {t1}", ledger.half_times);
    assert!(ledger.half_times.is_sorted() && flow.risk(&solution.states[0]) < 0.2);
}
