//! The work of the speed table, docs/speed.md: `cargo bench -p twolayer --bench speed` prints it for people, with
//! `-- --json` one object per line for bench/run.py, with `-- KEY …` only the works whose keys are given. Medians of
//! rounds in which the works take turns.

use std::{hint::black_box, time::Instant};

use faer::{Accum, Mat, Par, linalg::matmul::matmul};
use twolayer::{
    Error, Result,
    average::{self, Averages, Kernel, State, Want},
    expression::{Expression, Scratch, Vocabulary},
    frame::{Frame, direct::Direct, fresh::Fresh, reused::Reused},
    method::{dmft, mean_field as sphere, ode},
    observer::Silent,
    problem::{
        Activation, Data, Duration, Engine, FirstLayer, Formula, Init, Network, Placement, Problem, Record, Rule,
        Start, Target, Terms, Training, View,
    },
    random::Streams,
    record::{KeepQ, observable::RISK},
    signal::{Coordinates, Feed},
    simulate::simulate,
    solve::{self, Options},
};

#[path = "works/features.rs"]
mod features;
#[path = "works/flows.rs"]
mod flows;

const ROUNDS: usize = 5;
const STREAMS: Streams = Streams { seed: 0, replicate: 0 };
/// κ = γ/p of the ODE.
const KAPPA: f64 = 1.0;

/// Threads of the works that can share one run.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// One row: a key, a unit, and what one round measures in it.
struct Work {
    key: &'static str,
    unit: &'static str,
    measure: Box<dyn FnMut() -> Result<f64>>,
}

impl Work {
    fn new(key: &'static str, unit: &'static str, measure: impl FnMut() -> Result<f64> + 'static) -> Self {
        Self { key, unit, measure: Box::new(measure) }
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let wanted: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let mut works = vec![
        sgd("direct", 1_000, 60_000, |problem, start| Direct::new(problem, start, 1_000, None, STREAMS, 1))?,
        sgd("reduced-1e3", 1_000, 500_000, |problem, start| Fresh::new(problem, start, 1_000, false, STREAMS, 1))?,
        sgd("reduced-1e6", 1_000_000, 500_000, |problem, start| {
            Fresh::new(problem, start, 1_000_000, false, STREAMS, 1)
        })?,
        products(),
        giant_step("giant-direct", 1, |problem, start| Direct::new(problem, start, 4096, None, STREAMS, 1))?,
        giant_step("giant-reduced", 6, |problem, start| Fresh::new(problem, start, 4096, false, STREAMS, threads()))?,
        multi_pass("direct-stored", 2_000, |problem, start, stored| {
            Direct::new(problem, start, 2_000, Some(stored), STREAMS, threads())
        })?,
        multi_pass("reduced-stored", 1_000_000, |problem, start, stored| {
            Reused::new(problem, start, 1_000_000, stored, STREAMS, threads())
        })?,
        mean_field()?,
        integration()?,
        engine()?,
        Work::new("wide-noise", "s", features::wide_noise),
        Work::new("ridge-gram", "s", features::gram),
        Work::new("ridge", "s", features::ridge),
        Work::new("canonical-order", "s", || flows::many(&[(1e-2, 60), (1e-4, 240), (1e-6, 800)], 5.0)),
        Work::new("learning-times", "s", || {
            flows::many(&[(1e-2, 60), (1e-3, 120), (1e-4, 240), (1e-5, 480), (1e-6, 1200), (1e-7, 3000)], 3.0)
        }),
        Work::new("finite-flow", "s", || flows::finite(1e-5, 41)),
        orientations()?,
        limit("ode-p100", (Activation::Erf, 100, 2), 100.0, 1e-3)?,
        limit("ode-square", (Activation::Square, 8, 4), 20.0, 1e-4)?,
        limit("ode-tanh", (Activation::Tanh, 2, 2), 100.0, 1e-4)?,
        risk()?,
        expression()?,
    ];
    works.retain(|work| wanted.is_empty() || wanted.iter().any(|key| *key == work.key));
    let mut measured = vec![Vec::new(); works.len()];
    for _ in 0..ROUNDS {
        for (work, measured) in works.iter_mut().zip(&mut measured) {
            measured.push((work.measure)()?);
        }
    }
    for (work, measured) in works.iter().zip(&mut measured) {
        measured.sort_by(f64::total_cmp);
        let (key, unit, median) = (work.key, work.unit, measured[ROUNDS / 2]);
        if json {
            println!(r#"{{"work": "{key}", "unit": "{unit}", "median": {median}}}"#);
        } else {
            let (least, most) = (measured[0], measured[ROUNDS - 1]);
            println!("{key:24}{median:14.1} {unit:12} ({least:.1} … {most:.1})");
        }
    }
    Ok(())
}

/// A committee of 2 erf units, learned by 4 at batch 1 with γ/p = κ up to t = 100.
fn problem(dimension: u64, noise: f64) -> Result<Problem> {
    let mut target = Target::new(Rule::committee(Activation::Erf, 2, 0.5));
    target.noise = noise;
    let rate = Formula::number(4.0 * KAPPA / dimension as f64);
    let training = Training::new(dimension, rate, Duration::Time(Formula::number(100.0)));
    Problem::new(target, Network::new(4, Activation::Erf), training)
}

fn state(problem: &Problem, start: &Start) -> Result<State> {
    let overlaps = start.overlaps(&problem.target.overlaps)?;
    Ok(State { overlaps, second_layer: start.second_layer.clone(), bias: vec![0.0; problem.width()] })
}

/// Training at batch 1, in weights or in coordinates.
fn sgd<F: Frame>(
    key: &'static str,
    dimension: u64,
    steps: u64,
    frame: impl Fn(&Problem, &Start) -> Result<F> + 'static,
) -> Result<Work> {
    let problem = problem(dimension, 0.0)?;
    let (start, kernel) = (problem.start(STREAMS)?, average::for_problem(&problem, 1e-4)?);
    Ok(Work::new(key, "steps/s", move || {
        let frame = frame(&problem, &start)?;
        let (feed, _) = Feed::new(&problem, STREAMS)?;
        let clock = Instant::now();
        let trained = simulate(&problem, frame, feed, &start, &*kernel, &[0, steps], &Record::default(), &Silent)?;
        let seconds = clock.elapsed().as_secs_f64();
        if trained.valid == 2 && trained.of(&RISK)[1] < trained.of(&RISK)[0] {
            return Ok(steps as f64 / seconds);
        }
        Err(Error::Numerical(format!("{key} does not learn: {:?}, risks {:?}", trained.status, trained.of(&RISK))))
    }))
}

/// Six steps on n = 3d samples of `tanh(z1 + he3(z2))`, p = 2, each recorded.
fn stored(dimension: u64) -> Result<Problem> {
    let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
    let target = Target::new(Rule::Expression(Expression::parse("tanh(z1 + he3(z2))", &vocabulary)?));
    let mut network = Network::new(2, Activation::Relu);
    network.output_scale = Formula::number(1.0);
    network.first_layer.placement = Placement::Orthonormal;
    network.second_layer.init = Init::Alternating;
    let mut training = Training::new(dimension, Formula::number(0.6), Duration::Steps(Formula::number(6.0)));
    let samples = Formula::parse("3*d", &Default::default())?;
    (training.data, training.batch, training.samples) = (Data::Reused, samples.clone(), Some(samples));
    Problem::new(target, network, training)
}

/// The whole run, data set included.
fn multi_pass<F: Frame>(
    key: &'static str,
    dimension: u64,
    frame: impl Fn(&Problem, &Start, &Coordinates) -> Result<F> + 'static,
) -> Result<Work> {
    let problem = stored(dimension)?;
    let (start, kernel) = (problem.start(STREAMS)?, average::for_problem(&problem, 1e-3)?);
    let moments: Vec<u64> = (0..=6).collect();
    Ok(Work::new(key, "ms", move || {
        milliseconds(1, || {
            let (feed, stored) = Feed::new(&problem, STREAMS)?;
            let frame = frame(&problem, &start, &stored.unwrap_or_default())?;
            black_box(simulate(&problem, frame, feed, &start, &*kernel, &moments, &Record::default(), &Silent)?);
            Ok(())
        })
    }))
}

/// The first giant steps of the experiment `spike`: ReLU, p = 1024, d = n_b = 4096; no risk.
fn giant_step<F: Frame>(
    key: &'static str,
    steps: u64,
    frame: impl Fn(&Problem, &Start) -> Result<F> + 'static,
) -> Result<Work> {
    let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
    let target = Target::new(Rule::Expression(Expression::parse("((4*z1 + z1^2) + z2)/2", &vocabulary)?));
    let mut network = Network::new(1024, Activation::Relu);
    network.output_scale = Formula::number(1.0 / 32.0);
    network.first_layer = FirstLayer { placement: Placement::Gaussian, scale: Formula::number(1.0), symmetric: true };
    network.second_layer.init = Init::Signs;
    network.second_layer.scale = Formula::number(1.0 / 32.0);
    let mut training = Training::new(4096, Formula::number(2048.0), Duration::Steps(Formula::number(steps as f64)));
    training.batch = Formula::number(4096.0);
    let problem = Problem::new(target, network, training)?;
    let start = problem.start(STREAMS)?;
    let record = Record { keep_q: Some(KeepQ::None), ..Record::default() };
    Ok(Work::new(key, "s", move || {
        let (feed, _) = Feed::new(&problem, STREAMS)?;
        let frame = frame(&problem, &start)?;
        let clock = Instant::now();
        black_box(simulate(&problem, frame, feed, &start, &NoRisk, &[steps], &record, &Silent)?);
        Ok(clock.elapsed().as_secs_f64())
    }))
}

/// Risks that cost nothing.
struct NoRisk;

impl Kernel for NoRisk {
    fn averages(&self, _: &State, _: Want, _: &mut Averages) -> Result<()> {
        Ok(())
    }

    fn describe(&self) -> String {
        "none".into()
    }
}

/// The two products of matrices that a giant step cannot do without: X Wᵀ and Gᵀ X.
fn products() -> Work {
    let (p, d, n) = (1024, 4096, 4096);
    let entry = |i: usize, j: usize| ((i * 31 + j * 17) % 97) as f64 - 48.0;
    let weights = Mat::from_fn(p, d, entry);
    let inputs = Mat::from_fn(n, d, entry);
    Work::new("giant-products", "s", move || {
        let mut fields = Mat::<f64>::zeros(p, n);
        let mut step = Mat::<f64>::zeros(p, d);
        let clock = Instant::now();
        matmul(fields.as_mut(), Accum::Replace, weights.as_ref(), inputs.transpose(), 1.0, Par::Seq);
        matmul(step.as_mut(), Accum::Replace, fields.as_ref(), inputs.as_ref(), 1.0, Par::Seq);
        black_box(&step);
        Ok(clock.elapsed().as_secs_f64())
    })
}

/// The same in the limit, 10⁶ paths in all.
fn mean_field() -> Result<Work> {
    let problem = stored(1_000_000)?;
    let start = problem.start(STREAMS)?;
    let view = View { tolerance: 2.5e-4, ..View::new(Engine::Limit) };
    let moments: Vec<u64> = (0..=6).collect();
    Ok(Work::new("dmft", "ms", move || {
        milliseconds(1, || {
            let (_, paths) = dmft::run(&problem, &start, 3.0, &moments, &view, &Record::default(), threads(), &Silent)?;
            black_box(&paths);
            Ok(())
        })
    }))
}

/// Milliseconds per call of `work`.
fn milliseconds(calls: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let clock = Instant::now();
    for _ in 0..calls {
        work()?;
    }
    Ok(clock.elapsed().as_secs_f64() * 1e3 / calls as f64)
}

/// One integration of the erf ODE with all terms, answered at the 201 times of a default record.
fn integration() -> Result<Work> {
    let problem = problem(1_000, 0.01)?;
    let start = state(&problem, &problem.start(STREAMS)?)?;
    let times = Record::default().grid(&problem, false).times(&problem);
    // The tolerances that the engine derives from its own at 10⁻⁴: 10⁻⁸, and 10⁻¹⁰ of the overlaps M ≈ d^{−1/2}.
    let options = Options { relative_tolerance: 1e-8, absolute_tolerance: 3e-12, ..Options::default() };
    Ok(Work::new("ode-integration", "ms", move || {
        let kernel = average::for_problem(&problem, 1e-4)?;
        let field = ode::OnlineFlow::new(&problem, &start, KAPPA, Terms::All, &*kernel)?;
        let y0 = field.pack(&start);
        milliseconds(10, || {
            black_box(solve::integrate(&field, &y0, &times, &options, &Silent)?);
            Ok(())
        })
    }))
}

/// The whole engine for the same: kernel, integration, the looser integration that measures the error, risks.
fn engine() -> Result<Work> {
    let problem = problem(1_000, 0.01)?;
    let start = state(&problem, &problem.start(STREAMS)?)?;
    let times = Record::default().grid(&problem, false).times(&problem);
    Ok(Work::new("ode-engine", "ms", move || {
        milliseconds(10, || {
            black_box(ode::run(&problem, &start, KAPPA, Terms::All, &times, 1e-4, KeepQ::Full, &Silent)?);
            Ok(())
        })
    }))
}

/// The ODE of a committee of k units learned by p neurons of the same activation, all terms, s = 1/p, and its error.
fn limit(key: &'static str, (activation, p, k): (Activation, usize, usize), time: f64, tolerance: f64) -> Result<Work> {
    let mut target = Target::new(Rule::committee(activation.clone(), k, 1.0 / k as f64));
    target.noise = 1e-2;
    let training = Training::new(1_000, Formula::number(0.25 * p as f64 / 1e3), Duration::Time(Formula::number(time)));
    let problem = Problem::new(target, Network::new(p, activation), training)?;
    let start = state(&problem, &problem.start(STREAMS)?)?;
    let times = Record::default().grid(&problem, false).times(&problem);
    let kappa = if p == 8 { 0.05 } else { 0.25 };
    Ok(Work::new(key, "ms", move || {
        milliseconds(1, || {
            black_box(ode::run(&problem, &start, kappa, Terms::All, &times, tolerance, KeepQ::Diagonal, &Silent)?);
            Ok(())
        })
    }))
}

/// Mean-field theory of 5000 square neurons, t ≤ 100 at rtol 10⁻⁸, and its error.
fn orientations() -> Result<Work> {
    let target = Target::new(Rule::committee(Activation::Square, 2, 0.5));
    let mut network = Network::new(5_000, Activation::Square);
    network.first_layer.placement = Placement::Gaussian;
    let training = Training::new(5, Formula::number(0.2), Duration::Time(Formula::number(100.0)));
    let problem = Problem::new(target, network, training)?;
    let start = sphere::start(&problem, &problem.start(STREAMS)?)?;
    let times = Record::default().grid(&problem, false).times(&problem);
    Ok(Work::new("mean-field", "ms", move || {
        milliseconds(1, || {
            black_box(sphere::run(&problem, &start, 0.0, Terms::Flow, &times, 1e-4, KeepQ::Diagonal, &Silent)?);
            Ok(())
        })
    }))
}

fn risk() -> Result<Work> {
    let problem = problem(1_000, 0.0)?;
    let start = state(&problem, &problem.start(STREAMS)?)?;
    let kernel = average::for_problem(&problem, 1e-4)?;
    let mut averages = Averages::zeros(problem.width(), problem.directions());
    Ok(Work::new("risk-kernel", "ns", move || {
        let each = milliseconds(20_000, || kernel.averages(black_box(&start), Want::RISK, black_box(&mut averages)))?;
        Ok(each * 1e6)
    }))
}

/// A compiled target on blocks of samples that stay in the cache.
fn expression() -> Result<Work> {
    const SAMPLES: usize = 2_048;
    let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
    let expression = Expression::parse("tanh(z1 + z2^3 - 3*z2)", &vocabulary)?;
    let inputs: Vec<f64> = (0..2 * SAMPLES).map(|i| 3.0 * (0.618 * i as f64).sin()).collect();
    let (mut out, mut scratch) = (vec![0.0; SAMPLES], Scratch::default());
    Ok(Work::new("expression", "ns/sample", move || {
        let z = [&inputs[..SAMPLES], &inputs[SAMPLES..]];
        let each = milliseconds(2_000, || {
            expression.evaluate(black_box(&z), black_box(&mut out), &mut scratch);
            Ok(())
        })?;
        Ok(each * 1e6 / SAMPLES as f64)
    }))
}
