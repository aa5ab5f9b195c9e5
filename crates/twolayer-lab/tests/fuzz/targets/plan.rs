//! What `check` and `run` ask of an experiment before anything runs: methods, costs, starts, moments.

use twolayer_lab::plan;

use super::{Target, experiment};
use crate::bench::{Bench, MACHINE};

pub const TARGET: Target =
    Target { name: "plan", share: 30_000, short: 300, seconds: 2.0, input: experiment::input, check };

fn check(input: &[u8], _: &Bench) -> Result<(), String> {
    let Ok(study) = experiment::study(input) else { return Ok(()) };
    let mut experiment = study.experiment(0).map_err(|faults| faults[0].to_string())?;
    let Ok((plans, _)) = plan::plan(&mut experiment, &MACHINE) else { return Ok(()) };
    for (plan, view) in plans.iter().zip(&experiment.views) {
        let cost = plan.cost;
        if !(cost.seconds >= 0.0 && cost.bytes >= 0.0 && cost.bytes <= MACHINE.memory) {
            return Err(format!("view `{}`: a cost of {cost:?}", view.name));
        }
        plan.method.warnings(None);
    }
    plan::moments(&experiment);
    Ok(())
}
