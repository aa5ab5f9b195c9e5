//! From a problem to its trajectories: plan a view, run its replicates.

use std::thread;

use super::{Machine, Plan, plan, run};
use crate::{
    error::{Error, Result},
    lanes,
    observer::{Observer, Silent},
    problem::{Engine, Grid, Problem, Record, View},
    record::Trajectory,
};

/// A view of a problem that can be run: its method is chosen.
#[derive(Debug)]
pub struct Ready<'a> {
    problem: &'a Problem,
    view: View,
    record: Record,
    plan: Plan,
    grid: Grid,
}

impl Problem {
    /// Chooses how `view` is computed, and records 200 moments on a logarithmic scale.
    ///
    /// # Errors
    /// [`Error::Refused`] where no method treats it: the reason, and what would do.
    pub fn view(&self, view: View) -> Result<Ready<'_>> {
        self.view_recording(view, Record::default())
    }

    /// The same, recording what is asked for.
    ///
    /// # Errors
    /// As for [`view`](Self::view).
    pub fn view_recording(&self, view: View, record: Record) -> Result<Ready<'_>> {
        let grid = moments(self, &record, view.engine);
        let entries = grid.times(self).len();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let plan = plan(self, &view, &record, entries, &Machine { memory: f64::INFINITY, cores })?;
        Ok(Ready { problem: self, view, record, plan, grid })
    }
}

/// The moments that views of one problem record: the whole steps of its simulations where it has any, so that the entries
/// of a limit are theirs.
fn moments(problem: &Problem, record: &Record, engine: Engine) -> Grid {
    let grid = record.grid(problem, problem.counts_steps());
    let has_steps = problem.dimension().is_some() && problem.step_time().is_finite();
    match (engine, has_steps) {
        (Engine::Limit, true) => Grid::Times(Grid::Steps(grid.steps(problem)).times(problem)),
        (Engine::Limit, false) => Grid::Times(grid.times(problem)),
        _ => Grid::Steps(grid.steps(problem)),
    }
}

impl Ready<'_> {
    /// How it will be computed: by which method, why, at what cost.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Runs every replicate, and returns their trajectories in order; they do not depend on the number of threads.
    ///
    /// # Errors
    /// [`Error::Numerical`] where a computation fails. Divergence is a [`Status`](crate::record::Status).
    pub fn run(&self) -> Result<Vec<Trajectory>> {
        self.run_watched(&Silent)
    }

    /// The same, watched by an observer, which may stop it.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn run_watched(&self, observer: &dyn Observer) -> Result<Vec<Trajectory>> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let replicates = if self.view.engine == Engine::Limit { 1 } else { self.view.replicates };
        let mut results: Vec<Option<Result<Trajectory>>> = (0..replicates).map(|_| None).collect();
        lanes::each((cores / self.plan.threads).max(1), &mut results, |replicate, result| {
            let Self { problem, view, record, plan, grid } = self;
            let run = run(problem, view, plan, replicate as u64, grid, record, observer);
            *result = Some(run.map(|run| run.trajectory));
        });
        results.into_iter().map(|result| result.unwrap_or(Err(Error::Interrupted))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{agree, problem::Problem, record::Status};

    /// At d = 2000 a simulation and the ODE of an easy problem are one law to what 8 replicates can tell.
    #[test]
    fn a_limit_has_the_moments_of_the_simulations() {
        let problem = Problem::builder()
            .target("tanh(z1)")
            .network(2, "tanh")
            .dimension(2000)
            .learning_rate("0.5/d")
            .time(2)
            .build()
            .unwrap();
        let record = Record { points: 20, ..Record::default() };
        let run = |view: View| problem.view_recording(view, record.clone()).unwrap().run().unwrap();
        let (limit, simulation) = (run(View::limit()), run(View::reduced().replicates(8).seed(3)));
        assert_eq!((limit.len(), simulation.len()), (1, 8));
        assert!(limit.iter().chain(&simulation).all(|run| run.status == Status::Done));
        let agreement = agree::pair(["limit", "reduced"], &limit, &simulation).unwrap();
        assert_eq!(agreement.times, limit[0].len());
        assert_eq!(agreement.verdict, agree::Verdict::Agree, "{agreement:?}");
    }

    #[test]
    fn what_has_no_method_is_refused() {
        let flow =
            Problem::builder().target("z1").network(1, "erf").infinite().gradient_flow().time(1).build().unwrap();
        assert!(matches!(flow.view(View::direct()), Err(Error::Refused(_))));
        let run = flow.view(View::limit()).unwrap();
        assert_eq!(run.plan().id(), "ode");
        assert!(run.run().unwrap()[0].risk().iter().all(|risk| risk.is_finite()));
    }
}
