//! The wide networks and readouts of the speed table.

use std::{hint::black_box, time::Instant};

use faer::{Accum, Mat, Par, linalg::matmul::matmul};
use twolayer::{
    Result,
    average::{self, Averages, State, Want},
    expression::{Expression, Vocabulary},
    overlaps::Overlaps,
    problem::{Activation, Duration, FirstLayer, Formula, Init, Network, Placement, Problem, Rule, Target, Training},
    random::{Purpose, Streams, fill_normal},
    readout::Ridge,
};

const WIDTH: usize = 1024;
const SAMPLES: usize = 4096;

/// ReLU, p = 1024, a target of two directions.
fn problem() -> Result<Problem> {
    let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
    let rule = Rule::Expression(Expression::parse("((z1 + z1^2) + (z2 - z2^2))/2", &vocabulary)?);
    let mut network = Network::new(WIDTH, Activation::Relu);
    network.output_scale = Formula::number(1.0 / 32.0);
    network.first_layer = FirstLayer { placement: Placement::Gaussian, scale: Formula::number(1.0), symmetric: true };
    network.second_layer.init = Init::Signs;
    network.second_layer.scale = Formula::number(1.0 / 32.0);
    let mut training = Training::new(4096, Formula::number(2048.0), Duration::Steps(Formula::number(1.0)));
    training.batch = Formula::number(4096.0);
    Problem::new(Target::new(rule), network, training)
}

/// Seconds of N where giant steps have given all neurons two shared components, one of them in the target's span.
pub fn wide_noise() -> Result<f64> {
    let problem = problem()?;
    let start = problem.start(Streams { seed: 0, replicate: 0 })?;
    let mut overlaps: Overlaps = start.overlaps(&problem.target.overlaps)?;
    let shared = |j: usize| [0.8 * start.second_layer[j].signum(), 0.4 + 0.3 * ((j * 37 % 101) as f64 / 50.0 - 1.0)];
    let before: Vec<f64> = (0..WIDTH).map(|j| overlaps.student_teacher[(j, 0)]).collect();
    for j in 0..WIDTH {
        let [along, own] = shared(j);
        overlaps.student_teacher[(j, 0)] += along;
        for l in 0..WIDTH {
            let [other_along, other_own] = shared(l);
            overlaps.student_student[(j, l)] +=
                before[j] * other_along + along * before[l] + along * other_along + own * other_own;
        }
    }
    let state = State { overlaps, second_layer: start.second_layer.clone(), bias: vec![0.0; WIDTH] };
    let mut averages = Averages::zeros(WIDTH, 2);
    let want = Want { risk: false, drift: false, noise: true, ..Want::ALL };
    let kernel = average::for_problem(&problem, 1e-4)?;
    let clock = Instant::now();
    kernel.averages(&state, want, &mut averages)?;
    black_box(&averages);
    Ok(clock.elapsed().as_secs_f64())
}

fn features() -> (Mat<f64>, Vec<f64>) {
    let mut normals = vec![0.0; SAMPLES * (WIDTH + 1)];
    fill_normal(&mut Streams { seed: 1, replicate: 0 }.stream(Purpose::Input), &mut normals);
    let features = Mat::from_fn(SAMPLES, WIDTH, |i, j| normals[j * SAMPLES + i] / 32.0);
    (features, normals[SAMPLES * WIDTH..].to_vec())
}

/// Seconds of ΦᵀΦ, 4096 samples of 1024 features, one thread.
pub fn gram() -> Result<f64> {
    let (features, _) = features();
    let mut gram = Mat::<f64>::zeros(WIDTH, WIDTH);
    let clock = Instant::now();
    matmul(gram.as_mut(), Accum::Replace, features.transpose(), features.as_ref(), 1.0, Par::Seq);
    black_box(&gram);
    Ok(clock.elapsed().as_secs_f64())
}

/// Seconds of ridge regression at ten values of the ridge on the same samples, one thread.
pub fn ridge() -> Result<f64> {
    let (features, labels) = features();
    let ridges: Vec<f64> = (0..10).map(|i| 1e-4 * 4_f64.powi(i)).collect();
    let clock = Instant::now();
    let mut ridge = Ridge::new(WIDTH, 1);
    for from in (0..SAMPLES).step_by(1024) {
        ridge.add(features.subrows(from, 1024), &labels[from..from + 1024]);
    }
    black_box(ridge.fit(&ridges)?);
    Ok(clock.elapsed().as_secs_f64())
}
