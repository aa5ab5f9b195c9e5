//! Exact in law, tested as laws: the reduced frame against real weights and real data, thousands of runs of each, by
//! means, variances and two-sample tests; and the same tests reject mutants of the frame.

use super::*;
use crate::{
    frame::direct::Direct,
    observer::Silent,
    problem::{
        Activation, Bias, BiasInit, DisplacementOf, Duration, FirstLayer, Formula, Geometry, Init, Loss, Network,
        Placement, Record, Rule, Target, Training,
    },
    record::{
        KeepQ,
        observable::{BIAS, RISK, SECOND_LAYER, STUDENT_SQUARES, STUDENT_TEACHER},
    },
    signal::Feed,
    simulate::simulate,
    testing::laws::{ClosedRisk, FAMILY, family_wise},
};

const DIMENSION: u64 = 20;
const WIDTH: usize = 3;
const DIRECTIONS: usize = 2;
const STEPS: u64 = 5;
const RUNS: u64 = 12_000;

#[derive(Debug, Clone)]
struct Case {
    activation: Activation,
    batch: usize,
    loss: Loss,
    train: bool,
    geometry: Geometry,
    /// Biases, trained.
    bias: bool,
    repeats: u64,
    displacement: f64,
    /// Of each sample, by its own gradient.
    own: bool,
    /// Four neurons in two pairs.
    paired: bool,
    dimension: u64,
}

const PLAIN: Case = Case {
    activation: Activation::Erf,
    batch: 2,
    loss: Loss::Squared,
    train: false,
    geometry: Geometry::Free,
    bias: false,
    repeats: 1,
    displacement: 0.0,
    own: false,
    paired: false,
    dimension: DIMENSION,
};

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for activation in [Activation::Erf, Activation::Relu] {
        for batch in [1, 2, 5] {
            for (loss, train) in [(Loss::Squared, false), (Loss::Squared, true), (Loss::Correlation, true)] {
                cases.push(Case { activation: activation.clone(), batch, loss, train, ..PLAIN });
            }
        }
        let activation = || activation.clone();
        for batch in [1, 5] {
            for geometry in [Geometry::Spherical, Geometry::Normalised] {
                cases.push(Case { activation: activation(), batch, geometry, train: true, ..PLAIN });
            }
            cases.push(Case { activation: activation(), batch, bias: true, ..PLAIN });
            cases.push(Case { activation: activation(), batch, repeats: 3, ..PLAIN });
            cases.push(Case { activation: activation(), batch, displacement: 0.03, ..PLAIN });
            cases.push(Case { activation: activation(), batch, paired: true, ..PLAIN });
        }
        // Nothing outside the span, and batches that are kept.
        for (repeats, displacement) in [(2, 0.0), (1, 0.1)] {
            let dimension = (WIDTH + DIRECTIONS) as u64;
            cases.push(Case { activation: activation(), batch: 3, repeats, displacement, dimension, ..PLAIN });
        }
        // More samples than dimensions outside the span, kept for a second look.
        cases.push(Case { activation: activation(), batch: 18, repeats: 2, displacement: -0.02, ..PLAIN });
    }
    cases
}

/// Each sample displaced by its own gradient: fewer samples than neurons, more, on the sphere, looked at again, and with fewer
/// dimensions outside the span than neurons, or none.
fn own_cases() -> Vec<Case> {
    let own = Case { batch: 5, displacement: 0.06, own: true, ..PLAIN };
    let mut cases = vec![
        Case { batch: 2, train: true, ..own.clone() },
        Case { geometry: Geometry::Spherical, bias: true, ..own.clone() },
        Case { displacement: -0.03, loss: Loss::Correlation, activation: Activation::Relu, ..own.clone() },
        Case { repeats: 2, ..own.clone() },
        Case { paired: true, activation: Activation::Relu, ..own.clone() },
    ];
    for outside in [0, 1, 3] {
        cases.push(Case { dimension: (WIDTH + DIRECTIONS) as u64 + outside, ..own.clone() });
    }
    cases
}

impl Case {
    fn problem(&self) -> Problem {
        let units = DIRECTIONS;
        let mut target = Target::new(Rule::committee(self.activation.clone(), units, 1.0 / units as f64));
        target.noise = 0.3;
        target.overlaps[(0, 1)] = 0.4;
        target.overlaps[(1, 0)] = 0.4;
        let mut network = Network::new(if self.paired { 4 } else { WIDTH }, self.activation.clone());
        network.output_scale = Formula::number(0.7);
        network.first_layer =
            FirstLayer { placement: Placement::Gaussian, scale: Formula::number(0.8), symmetric: self.paired };
        network.second_layer.init = if self.paired { Init::Uniform } else { Init::Values(vec![1.0, -0.6, 0.9]) };
        network.bias = self.bias.then_some(Bias { init: BiasInit::Gaussian, train: true });
        network.second_layer.train = self.train;
        // ReLU runs have heavy tails at large rates, and then no variance worth a test.
        let rate = Formula::number(if self.activation == Activation::Erf { 0.4 } else { 0.12 });
        let steps = Duration::Steps(Formula::number(STEPS as f64));
        let mut training = Training::new(self.dimension, rate, steps);
        training.batch = Formula::number(self.batch as f64);
        training.loss = self.loss;
        training.weight_decay = 0.05;
        training.geometry = self.geometry;
        training.repeats = self.repeats;
        training.displacement = Formula::number(self.displacement);
        training.displacement_of = if self.own { DisplacementOf::Sample } else { DisplacementOf::Batch };
        Problem::new(target, network, training).unwrap()
    }
}

/// The end of many runs: one row of observables (M, diag Q, a, risk) for each.
fn ends<F: Frame>(problem: &Problem, seed: u64, frame: impl Fn(&Start, Streams) -> F) -> Vec<Vec<f64>> {
    let kernel = ClosedRisk::of(problem);
    (0..RUNS)
        .map(|replicate| {
            let streams = Streams { seed, replicate };
            let start = problem.start(streams).unwrap();
            let moments = [0, STEPS];
            let frame = frame(&start, streams);
            let record = Record { keep_q: Some(KeepQ::Diagonal), ..Record::default() };
            let feed = Feed::new(problem, streams).unwrap().0;
            let run = simulate(problem, frame, feed, &start, &kernel, &moments, &record, &Silent).unwrap();
            let last = [&STUDENT_TEACHER, &STUDENT_SQUARES, &SECOND_LAYER, &BIAS, &RISK];
            let mut row = last.map(|observable| run.row(observable, 1)).concat();
            // What the geometry puts back is the same to rounding only: ties must stay ties.
            row.iter_mut().for_each(|value| *value = (*value * 1e10).round() * 1e-10);
            assert!(
                row.iter().all(|value| value.is_finite()),
                "{:?} batch {} {:?} {replicate}: {:?}",
                problem.network.activation,
                problem.batch(),
                problem.training.loss,
                run.status
            );
            row
        })
        .collect()
}

fn direct(problem: &Problem) -> Vec<Vec<f64>> {
    ends(problem, 1, |start, streams| {
        Direct::new(problem, start, problem.dimension().unwrap() as usize, None, streams, 1).unwrap()
    })
}

#[test]
fn reduced_has_the_law_of_direct() {
    agree(&cases());
}

#[test]
fn displaced_samples_have_the_law_of_direct() {
    agree(&own_cases());
}

fn agree(cases: &[Case]) {
    for case in cases {
        let problem = case.problem();
        let reduced = ends(&problem, 2, |start, streams| {
            Fresh::new(&problem, start, case.dimension, problem.keeps_batches(), streams, 1).unwrap()
        });
        let p = family_wise(&direct(&problem), &reduced) * cases.len() as f64;
        assert!(p > FAMILY, "{case:?}: family-wise p = {p:.2e}");
    }
}

/// A frame of the right law but for one thing.
struct Mutant {
    frame: Fresh,
    forgets: Forgets,
}

/// What a mutant forgets.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Forgets {
    Nothing,
    /// Z_o acts on the fields and not on L.
    Orthogonal,
    /// A second look does not see that the step went along what lies outside the span.
    Outside,
    /// Rows stay as long as the step makes them.
    Norms,
    /// What lies outside the span is drawn without regard to the lengths that the signals have met.
    Lengths,
}

impl Frame for Mutant {
    fn look(&mut self, batch: &Batch<'_>, context: &StepContext<'_>, sums: &mut Sums) {
        let hidden = match &mut self.frame.kept {
            Some(kept) if self.forgets == Forgets::Outside && matches!(batch, Batch::Same(_)) => {
                let nothing = Mat::zeros(kept.outside.nrows(), kept.outside.ncols());
                Some(std::mem::replace(&mut kept.outside, nothing))
            }
            _ => None,
        };
        self.frame.look(batch, context, sums);
        if let (Some(kept), Some(outside)) = (&mut self.frame.kept, hidden) {
            kept.outside = outside;
        }
        if self.forgets == Forgets::Lengths {
            let (lane, p) = (&mut self.frame.lanes[0], self.frame.width);
            let signals = std::mem::take(&mut lane.beyond);
            let mut squares = vec![0.0; batch.count()];
            self.frame.outsiders.draw(&mut lane.stream, &mut lane.beyond, &mut squares);
            lane.beyond.signals = signals.signals;
            assert_eq!(lane.beyond.signals.len(), p * batch.count());
            self.frame.drawn = Some(Outside::Factor(self.frame.outsiders.factor([&lane.beyond].into_iter())));
        }
        if self.forgets == Forgets::Orthogonal {
            self.frame.lanes[0].orthogonal.fill(0.0);
            self.frame.lanes[0].own.fill(0.0);
        }
    }

    fn apply(&mut self, map: &RowMap) {
        let rescales = map.as_step().is_some_and(|(_, gradient)| gradient == 0.0);
        if !(rescales && self.forgets == Forgets::Norms) {
            self.frame.apply(map);
        }
    }

    fn gram(&mut self, into: &mut Gram) {
        self.frame.gram(into);
    }

    fn norms(&mut self, norms: &mut [f64]) {
        self.frame.norms(norms);
    }

    fn work(&self, batch: usize) -> u64 {
        self.frame.work(batch)
    }

    fn overlaps(&mut self, into: &mut Overlaps) {
        self.frame.overlaps(into);
    }
}

/// Family-wise p-value of a mutant made by `change`, in the case with batch `batch`.
fn mutant(batch: usize, forgets: Forgets, change: impl Fn(&mut Fresh)) -> f64 {
    mutant_of(&Case { batch, ..PLAIN }, forgets, change)
}

fn mutant_of(case: &Case, forgets: Forgets, change: impl Fn(&mut Fresh)) -> f64 {
    let problem = case.problem();
    let reduced = ends(&problem, 2, |start, streams| {
        let mut frame = Fresh::new(&problem, start, case.dimension, problem.keeps_batches(), streams, 1).unwrap();
        change(&mut frame);
        Mutant { frame, forgets }
    });
    family_wise(&direct(&problem), &reduced)
}

fn with_degrees(frame: &mut Fresh, degrees: u64) {
    let stream = frame.wishart.stream.clone();
    frame.wishart = Bartlett::new(degrees, frame.wishart.rows, stream);
}

const DEGREES: u64 = DIMENSION - (WIDTH + DIRECTIONS) as u64;

#[test]
fn degrees_of_freedom_off_by_p_are_rejected() {
    for batch in [1, 2, 5] {
        let p = mutant(batch, Forgets::Nothing, |frame| with_degrees(frame, DEGREES + WIDTH as u64));
        assert!(p < FAMILY, "batch {batch}: p = {p:.2e}");
    }
}

#[test]
fn one_chi_too_many_is_rejected() {
    for batch in [1, 2, 5] {
        let p = mutant(batch, Forgets::Nothing, |frame| with_degrees(frame, DEGREES + 1));
        assert!(p < FAMILY, "batch {batch}: p = {p:.2e}");
    }
}

#[test]
fn a_dropped_orthogonal_part_is_rejected() {
    for batch in [1, 2, 5] {
        let p = mutant(batch, Forgets::Orthogonal, |_| ());
        assert!(p < FAMILY, "batch {batch}: p = {p:.2e}");
    }
}

#[test]
fn a_second_look_that_forgets_the_first_is_rejected() {
    for case in [Case { repeats: 3, ..PLAIN }, Case { displacement: 0.3, ..PLAIN }] {
        let p = mutant_of(&case, Forgets::Outside, |_| ());
        assert!(p < FAMILY, "{case:?}: p = {p:.2e}");
    }
}

/// One displacement for the whole batch is another law than one for each sample; and what a sample adds outside the span is as
/// long as the displacement of its fields has met.
#[test]
fn mutants_of_a_displacement_of_each_sample_are_rejected() {
    let own = Case { batch: 5, displacement: 0.2, own: true, ..PLAIN };
    let p = mutant_of(&own, Forgets::Lengths, |_| ());
    assert!(p < FAMILY, "lengths: p = {p:.2e}");
    let p = mutant_of(&own, Forgets::Nothing, |frame| frame.outsiders = Outsiders::new(WIDTH, DEGREES + 3));
    assert!(p < FAMILY, "degrees: p = {p:.2e}");
    let problem = Case { own: false, ..own.clone() }.problem();
    let batch = ends(&problem, 2, |start, streams| {
        Fresh::new(&problem, start, own.dimension, problem.keeps_batches(), streams, 1).unwrap()
    });
    let p = family_wise(&direct(&own.problem()), &batch);
    assert!(p < FAMILY, "batch: p = {p:.2e}");
}

#[test]
fn rows_that_leave_their_sphere_are_rejected() {
    for geometry in [Geometry::Spherical, Geometry::Normalised] {
        let p = mutant_of(&Case { geometry, ..PLAIN }, Forgets::Norms, |_| ());
        assert!(p < FAMILY, "{geometry:?}: p = {p:.2e}");
    }
}

#[test]
fn the_mutation_itself_changes_nothing() {
    let p = mutant(2, Forgets::Nothing, |frame| with_degrees(frame, DEGREES));
    assert!(p > FAMILY, "p = {p:.2e}");
}
