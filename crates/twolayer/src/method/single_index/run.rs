//! A flow as a record: the moments asked for, their errors, and what it warned of.

use super::{
    super::integrated::{Integrated, Point},
    Averaged, Finite, Ledger, Series,
    setup::{Atoms, Setup, atoms, cosines_between},
};
use crate::{
    error::Result,
    observer::{Finished, Observer},
    overlaps::Overlaps,
    problem::{Problem, Start},
    record::{
        KeepQ, Status, Trajectory,
        observable::{HALF_TIME, HALF_TIME_ERROR},
    },
    solve::{Options, Solution},
};

/// Which of the two flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// m → ∞.
    Averaged,
    /// The neurons of the network, exactly.
    Finite,
}

/// The integration that measures the error is this much looser.
const LOOSER: f64 = 10.0;
/// The balance of the risk is known to so much of R(0), whatever the tolerance.
const BALANCED: f64 = 1e-6;
/// Steps that an integration may take.
const MOST_STEPS: usize = 1_000_000;

/// Integrates the flow of `problem` from `start` and records it at `times` (rising, from 0 on); beside the record, how that
/// was done and what was kept account of, for the manifest.
///
/// `tolerance` is the relative accuracy wanted; the integration is 10⁴ times finer. The errors recorded are the distance to
/// a second integration, 10 times looser and, where a series is cut, with two thirds of its degrees.
///
/// A risk that rises, or is not the integral of its drift, by more than `tolerance` of the first risk, is out of tolerance.
///
/// # Errors
/// [`Error::Refused`](crate::Error::Refused) where the start has no unit rows. Divergence is a [`Status`](crate::record::Status).
#[allow(clippy::too_many_arguments)] // One call from the plan, which has each of these at hand separately.
pub fn run(
    problem: &Problem,
    setup: &Setup,
    kind: Kind,
    start: &Start,
    times: &[f64],
    tolerance: f64,
    keep_q: KeepQ,
    observer: &dyn Observer,
) -> Result<(Trajectory, String)> {
    let atoms = atoms(problem, start)?;
    let relative_tolerance = (1e-4 * tolerance).clamp(1e-13, 1e-6);
    let fine = Options {
        relative_tolerance,
        absolute_tolerance: 1e-3 * relative_tolerance,
        max_steps: MOST_STEPS,
        ..Options::default()
    };
    let loose = Options {
        relative_tolerance: LOOSER * relative_tolerance,
        absolute_tolerance: LOOSER * 1e-3 * relative_tolerance,
        ..fine
    };
    let shorter = if setup.remainder > 0.0 || setup.target_remainder > 0.0 {
        setup.series.cut(2, 3)
    } else {
        setup.series.clone()
    };
    let integrate = |series: &Series, times: &[f64], options: &Options, observer: &dyn Observer| {
        States::of(kind, series, setup.epsilon, &atoms, start, times, options, observer)
    };
    let (main, ledger) = integrate(&setup.series, times, &fine, observer)?;
    let reached = &times[..main.solution.reached];
    let (check, other) = integrate(&shorter, reached, &loose, &Finished(observer))?;
    let mut trajectory = record(problem, &main, &check, times, keep_q, relative_tolerance);
    let error = |(k, time): (usize, &f64)| {
        let other = other.half_times.get(k).copied().unwrap_or(f64::NAN);
        (time - other).abs() + relative_tolerance * time
    };
    trajectory.set(&HALF_TIME_ERROR, ledger.half_times.iter().enumerate().map(error).collect());
    trajectory.set(&HALF_TIME, ledger.half_times.clone());
    if let (Status::Done, Some(error)) = (&trajectory.status, ledger.broken(tolerance.max(BALANCED))) {
        trajectory.status = Status::OutOfTolerance { error };
    }
    let balance = ledger
        .balance
        .map_or(String::new(), |balance| format!(", dR/dt = −⟨εȧ² + ṡ²/(1−s²)⟩ to {balance:.1e} of R(0)"));
    let method = format!(
        "power series to degree {}{}; {} in {} steps{balance}; largest neuron: {:.1} % of the output",
        setup.series.degrees() - 1,
        if setup.remainder > 0.0 { format!(" (σ beyond: {:.1e})", setup.remainder) } else { String::new() },
        main.solution.method,
        main.solution.steps,
        100.0 * ledger.share,
    );
    Ok((trajectory, method))
}

/// An integration, and how to read its states.
struct States {
    flow: Which,
    solution: Solution,
}

enum Which {
    Averaged(Averaged),
    Finite(Finite),
}

impl States {
    #[allow(clippy::too_many_arguments)] // One call for each of the two integrations of `run`.
    fn of(
        kind: Kind,
        series: &Series,
        epsilon: f64,
        atoms: &Atoms,
        start: &Start,
        times: &[f64],
        options: &Options,
        observer: &dyn Observer,
    ) -> Result<(Self, Ledger)> {
        let Atoms { second_layer, cosines, weights, .. } = atoms;
        Ok(match kind {
            Kind::Averaged => {
                let flow = Averaged::new(series.clone(), epsilon, weights.clone());
                let (solution, ledger) = flow.integrate(&flow.pack(second_layer, cosines), times, options, observer)?;
                (Self { flow: Which::Averaged(flow), solution }, ledger)
            }
            Kind::Finite => {
                let flow = Finite::new(series.clone(), epsilon, weights[0], weights.len());
                let y0 = flow.pack(second_layer, cosines, &cosines_between(start));
                let (solution, ledger) = flow.integrate(&y0, times, options, observer)?;
                (Self { flow: Which::Finite(flow), solution }, ledger)
            }
        })
    }

    fn risk(&self, i: usize) -> f64 {
        let Some(y) = self.solution.states.get(i) else { return f64::NAN };
        match &self.flow {
            Which::Averaged(flow) => flow.risk(y),
            Which::Finite(flow) => flow.risk(y),
        }
    }

    /// a and s at moment i.
    fn neurons(&self, i: usize) -> (Vec<f64>, Vec<f64>) {
        let Some(y) = self.solution.states.get(i) else { return (Vec::new(), Vec::new()) };
        match &self.flow {
            Which::Averaged(_) => y.chunks_exact(2).map(|neuron| (neuron[0], neuron[1])).unzip(),
            Which::Finite(flow) => {
                let (a, s, _) = flow.unpack(y);
                (a.to_vec(), s.to_vec())
            }
        }
    }

    /// Q at moment i, where it is wanted.
    fn overlaps(&self, i: usize, s: &[f64], into: &mut Overlaps) {
        let p = s.len();
        match &self.flow {
            Which::Averaged(_) => {
                for (j, l) in (0..p).flat_map(|j| (0..p).map(move |l| (j, l))) {
                    into.student_student[(j, l)] = if j == l { 1.0 } else { s[j] * s[l] };
                }
            }
            Which::Finite(flow) => flow.cosines(&self.solution.states[i], &mut into.student_student),
        }
    }
}

/// The recorded states with their errors.
fn record(
    problem: &Problem,
    main: &States,
    check: &States,
    times: &[f64],
    keep_q: KeepQ,
    relative_tolerance: f64,
) -> Trajectory {
    let p = problem.width();
    let length = problem.target.overlaps[(0, 0)].sqrt();
    let mut record = Integrated::new(problem, times, relative_tolerance, keep_q);
    let full = keep_q == KeepQ::Full;
    let mut overlaps = Overlaps { teacher_teacher: problem.target.overlaps.clone(), ..Overlaps::zeros(p, 1) };
    (0..p).for_each(|j| overlaps.student_student[(j, j)] = 1.0);
    let bias = vec![0.0; p];
    for i in 0..main.solution.reached {
        let (a, s) = main.neurons(i);
        let (_, other) = check.neurons(i);
        let distance = |j: usize| other.get(j).map_or(f64::NAN, |other| (other - s[j]).abs());
        // Cosines are known to so many digits of 1, however small they are.
        record.overlap_errors((0..p).map(|j| length * (distance(j) + relative_tolerance)));
        if full {
            main.overlaps(i, &s, &mut overlaps);
        }
        (0..p).for_each(|j| overlaps.student_teacher[(j, 0)] = length * s[j]);
        record.push(&Point {
            risk: (main.risk(i), 0.0),
            other_risk: Some(check.risk(i)),
            overlaps: &overlaps,
            squares: None,
            second_layer: &a,
            bias: &bias,
        });
    }
    record.finish(&main.solution, &check.solution)
}
