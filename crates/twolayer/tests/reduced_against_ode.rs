//! Simulation against limit at more than one size, so that an O(1/√d) bias cannot hide: the distance of single reduced
//! runs to the ODE at t ≤ 10 falls as d^{−1/2} over three decades.

use std::error::Error;

use twolayer::{
    method::{Machine, plan, run},
    observer::Silent,
    problem::{Activation, Engine, Grid, Placement, Problem, Record, Rule, View},
    record::{
        Status, Trajectory,
        observable::{STUDENT_TEACHER, TIME},
    },
};

/// γ/p = 1: η = p/d, so that a step takes 1/d.
fn problem(d: u64) -> Result<Problem, Box<dyn Error>> {
    let committee = Problem::builder().target(Rule::committee(Activation::Erf, 2, 0.5)).noise(0.01).network(4, "erf");
    let started = committee.with(|parts| {
        parts.network.first_layer.placement = Placement::Gaussian;
        parts.network.start_dimension = Some(1000);
    });
    Ok(started.dimension(d).learning_rate("p/d").time(10).build()?)
}

fn one(problem: &Problem, engine: Engine, replicate: u64, grid: &Grid) -> Result<Trajectory, Box<dyn Error>> {
    let view = View::new(engine);
    let plan = plan(problem, &view, &Record::default(), 11, &Machine { memory: 1e9, cores: 1 })?;
    Ok(run(problem, &view, &plan, replicate, grid, &Record::default(), &Silent)?.trajectory)
}

/// Root mean square over runs, times, and entries of M of the distance to the ODE.
fn distance(d: u64, replicates: u64) -> Result<f64, Box<dyn Error>> {
    let problem = problem(d)?;
    let grid = Grid::Times((0..=10).map(f64::from).collect());
    let limit = one(&problem, Engine::Limit, 0, &grid)?;
    let mut squares = 0.0;
    let mut count = 0.0;
    for replicate in 0..replicates {
        let reduced = one(&problem, Engine::Reduced, replicate, &grid)?;
        assert_eq!(reduced.status, Status::Done);
        assert!(reduced.of(&TIME).iter().zip(limit.of(&TIME)).all(|(t, u)| (t - u).abs() < 1e-9));
        for (m, n) in reduced.of(&STUDENT_TEACHER).iter().zip(limit.of(&STUDENT_TEACHER)).skip(8) {
            squares += (m - n).powi(2);
            count += 1.0;
        }
    }
    Ok((squares / f64::max(count, 1.0)).sqrt())
}

#[test]
fn reduced_runs_approach_the_ode_as_one_over_root_d() -> Result<(), Box<dyn Error>> {
    let sizes = [1_000_u64, 10_000, 100_000];
    let distances = sizes.iter().map(|&d| distance(d, 16)).collect::<Result<Vec<f64>, _>>()?;
    // Least squares over equally spaced decades is the slope between the ends.
    let slope = (distances[2] / distances[0]).log10() / 2.0;
    assert!((slope + 0.5).abs() <= 0.1, "slope {slope}, distances {distances:?}");
    // And the decades by themselves: neither end may hide a floor.
    for pair in distances.windows(2) {
        let local = (pair[1] / pair[0]).log10();
        assert!((local + 0.5).abs() <= 0.2, "local slope {local}, distances {distances:?}");
    }
    Ok(())
}
