//! Lower bounds of readouts against simulations: nothing falls below them, and a linear network's ridge meets the linear one.
//! (theory.md §8)

use std::{collections::BTreeMap, error::Error};

use twolayer::{
    expression::{Expression, Vocabulary},
    method::{Machine, plan, run},
    observer::Silent,
    problem::{
        Activation, Duration, Engine, FirstLayer, Formula, Grid, Init, Network, Placement, Problem, Readout,
        ReadoutData, ReadoutMoments, Record, Rule, SecondLayer, Target, Training, View,
    },
    random::{Purpose, Streams, fill_normal},
    record::{
        Trajectory,
        observable::{BOUND_LAZY, BOUND_LEARNT, TEST_ERROR, TEST_ERROR_ERROR},
    },
};

const D: u64 = 64;
const TARGETS: u64 = 100;

fn formula(text: &str) -> Result<Formula, Box<dyn Error>> {
    Ok(Formula::parse(text, &BTreeMap::new())?)
}

/// One giant step from f = 0 on `target`, then ridge on n_2 samples; before the step too.
fn fitted(
    target: &str,
    activation: Activation,
    width: usize,
    samples: &str,
    seed: u64,
) -> Result<(Problem, Trajectory), Box<dyn Error>> {
    let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
    let rule = Rule::Expression(Expression::parse(target, &vocabulary)?);
    let mut network = Network::new(width, activation);
    network.output_scale = formula("1/sqrt(p)")?;
    network.first_layer = FirstLayer { placement: Placement::Gaussian, scale: Formula::number(1.0), symmetric: true };
    network.second_layer =
        SecondLayer { init: Init::Alternating, scale: formula("1/sqrt(p)")?, ..network.second_layer };
    let mut training = Training::new(D, formula("2*p")?, Duration::Steps(Formula::number(1.0)));
    training.batch = formula("2*d")?;
    let problem = Problem::new(Target::new(rule), network, training)?;
    let readout = Readout {
        data: ReadoutData::Fresh(vec![formula(samples)?]),
        ridge: vec![1e-3, 0.1],
        at: ReadoutMoments::EveryStep,
        test_samples: 4000,
        bounds: true,
    };
    let record = Record { readout: Some(readout), ..Record::default() };
    let view = View { seed, ..View::new(Engine::Direct) };
    let plan = plan(&problem, &view, &record, 2, &Machine { memory: 4e9, cores: 1 })?;
    let run = run(&problem, &view, &plan, 0, &Grid::Steps(vec![0, 1]), &record, &Silent)?.trajectory;
    Ok((problem, run))
}

/// Independent coefficients of all products of Hermite polynomials of total degree 1 to 4, of unit variance together, and
/// half that variance.
fn polynomial(seed: u64) -> (String, f64) {
    let degrees: Vec<(u32, u32)> =
        (0..=4).flat_map(|a| (0..=4 - a).map(move |b| (a, b))).filter(|(a, b)| a + b > 0).collect();
    let mut normals = vec![0.0; degrees.len()];
    fill_normal(&mut Streams { seed, replicate: 0 }.stream(Purpose::Teacher), &mut normals);
    let factorial = |n: u32| f64::from((1..=n).product::<u32>());
    let length = normals.iter().map(|c| c * c).sum::<f64>().sqrt();
    let term = |((a, b), c): (&(u32, u32), &f64)| {
        format!("{} * he{a}(z1) * he{b}(z2)", c / length / (factorial(*a) * factorial(*b)).sqrt())
    };
    (degrees.iter().zip(&normals).map(term).collect::<Vec<_>>().join(" + "), 0.5)
}

/// D = 1: p = 2d, n_2 = d^1.4. Of 400 comparisons one in a thousand families has a z above 4.7; what samples of a finite d
/// explain beyond D is allowed, n_2/d² of the variance.
#[test]
fn nothing_beats_the_bounds_on_a_hundred_random_polynomials() -> Result<(), Box<dyn Error>> {
    let mut nearest = f64::INFINITY;
    let mut sharp = 0;
    for seed in 0..TARGETS {
        let (target, variance) = polynomial(seed);
        let (_, run) = fitted(&target, Activation::Relu, 2 * D as usize, "d^1.4", seed)?;
        let allowance = (D as f64).powf(1.4 - 2.0) * variance;
        let bounds = [run.of(&BOUND_LAZY)[0], run.of(&BOUND_LEARNT)[1]];
        assert!(bounds[0] > bounds[1] && bounds[1] >= 0.0, "{target}: {bounds:?}");
        for (i, (found, error)) in run.of(&TEST_ERROR).iter().zip(run.of(&TEST_ERROR_ERROR)).enumerate() {
            let bound = bounds[i / 2];
            let z = (found - bound + allowance) / error;
            assert!(z > -4.7, "{target}: {found} ± {error} below {bound} at {i}");
            nearest = nearest.min(found / bound);
            sharp += usize::from(i < 2 && *found < 1.6 * bound);
        }
    }
    // A bound that everything is far above would be no test.
    assert!(nearest < 1.4 && sharp > 20, "{nearest} {sharp}");
    Ok(())
}

/// A linear network explains the linear part, and nothing else: half of what is left, however many samples.
#[test]
fn a_linear_network_meets_the_linear_bound() -> Result<(), Box<dyn Error>> {
    let (_, run) = fitted("z1 + 0.5*he2(z2) + 0.3*z1*z2", Activation::Linear, 4 * D as usize, "d^2", 3)?;
    // ½(½² · 2 + 0.3²): the linear part is all that D = 1 leaves.
    let rest = 0.5 * (0.5 + 0.09);
    let (found, error) = (run.of(&TEST_ERROR)[0], run.of(&TEST_ERROR_ERROR)[0]);
    // d/n_2 of it is fitted to noise.
    let expected = rest * (1.0 + 1.0 / D as f64);
    assert!((found - expected).abs() < 4.0 * error, "{found} ± {error} for {expected}");
    Ok(())
}
