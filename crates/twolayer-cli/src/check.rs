//! `twolayer check`.

use std::{num::NonZero, path::PathBuf};

use clap::Args;
use serde_json::{Value, json};
use twolayer::{
    Error,
    method::{self, KnownRates, Machine, Plan, human_bytes},
    observer::Silent,
    paper::{self, Paper},
    problem::{Formula, Problem},
    record::phases::Learning,
};
use twolayer_file::{
    Study,
    experiment::{Experiment, NamedView},
};
use twolayer_lab::{files, machine, phases::ExpectedRecord, plan, task::refusal};

use crate::{DONE, Failure, WRONG, changes::Changes, diagnostics::draw, patience::Patience, say, tell, words};

/// `twolayer check`.
#[derive(Args)]
#[command(after_help = "Examples:
  twolayer check gallery/odes/high-dimensional.toml
  sed s/relu/erf/ my.toml | twolayer check -
  twolayer check my.toml --json | jq .views[0].method

Exit code 2 where a view would be refused.")]
pub struct Arguments {
    /// The experiment file; - is standard input.
    file: PathBuf,
    #[command(flatten)]
    changes: Changes,
    /// Everything as JSON.
    #[arg(long)]
    json: bool,
    /// η, t and risk in the letters of a paper: A 2402.03220, B 2305.18270, C 2303.00055, D 2302.05882.
    #[arg(long, value_name = "A|B|C|D", value_parser = of_letter)]
    paper: Option<&'static Paper>,
    /// Threads to predict for [default: all cores].
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
}

/// The paper of a letter.
fn of_letter(text: &str) -> Result<&'static Paper, String> {
    let mut letters = text.chars();
    let paper = letters.next().and_then(paper::of_letter).filter(|_| letters.next().is_none());
    let known = || paper::PAPERS.iter().map(|paper| paper.letter.to_string()).collect::<Vec<_>>().join(", ");
    paper.ok_or_else(|| format!("the papers are {}", known()))
}

/// Runs the command; the exit code, or what to print.
pub fn check(arguments: &Arguments) -> Result<u8, Failure> {
    let patience = Patience::new("reading the experiment");
    let study = files::read(&arguments.file, &arguments.changes.request()).map_err(words)?;
    let machine = machine::machine(machine::threads(arguments.threads));
    let mut refusals: Vec<String> = Vec::new();
    let trials = plan::Trials::new();
    let (mut total, mut json) = (0.0, Vec::new());
    for (number, point) in study.points().iter().enumerate() {
        patience.now(planning(number, study.points().len()));
        let mut experiment = study.experiment(number).map_err(words)?;
        let plans = plans(&mut experiment, &machine, &trials);
        total += plans.iter().flatten().map(|plan| plan.cost.seconds).sum::<f64>();
        let mut faults = Vec::new();
        for (view, plan) in plans.iter().enumerate() {
            faults.extend(plan.as_ref().err().map(|error| draw(&refusal(&experiment, view, error))));
        }
        if number == 0 && !arguments.json {
            say(&as_text(&experiment, &plans));
            if let Some(paper) = arguments.paper {
                say(&in_letters(&experiment, paper));
            }
        }
        let mut all = as_json(&experiment, &plans);
        if let Some(paper) = arguments.paper {
            for (view, named) in experiment.views.iter().enumerate() {
                all["views"][view]["paper"] = (paper.letters)(&named.problem).into();
            }
        }
        if study.is_sweep() {
            all["values"] =
                point.values.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
            all["directory"] = point.directory.clone().into();
        }
        json.push(all);
        refusals.extend(faults);
    }
    if arguments.json {
        let mut first = json.first().cloned().unwrap_or_default();
        if study.is_sweep() {
            first["sweep"] = json!({ "keys": study.keys(), "points": json });
        }
        say(&format!("{first:#}\n"));
    } else if study.is_sweep() {
        say(&sweep(&study, total));
    }
    refusals.iter().take(MOST_REFUSALS).for_each(|text| tell(&format!("\n{text}")));
    Ok(if refusals.is_empty() { DONE } else { WRONG })
}

/// `planning point 12 of 3000`.
fn planning(number: usize, points: usize) -> String {
    if points > 1 { format!("planning point {} of {points}", number + 1) } else { "planning the views".into() }
}

/// How each view is computed, or why not. Leaves out what `run` leaves out.
fn plans(experiment: &mut Experiment, machine: &Machine, trials: &plan::Trials) -> Vec<Result<Plan, Error>> {
    let mut plans: Vec<Result<Plan, Error>> = match plan::plan(experiment, machine) {
        Ok((plans, advice)) => {
            advice.iter().for_each(|advice| tell(&format!("advice: {advice}")));
            plans.into_iter().map(Ok).collect()
        }
        Err(_) => (0..experiment.views.len()).map(|view| plan::plan_view(experiment, view, machine)).collect(),
    };
    for (view, plan) in plans.iter_mut().enumerate() {
        if let Ok(plan) = plan {
            trials.try_out(experiment, view, plan);
        }
    }
    plans
}

/// η, t and risk of each view in the letters of a paper.
fn in_letters(experiment: &Experiment, paper: &Paper) -> String {
    let mut text = format!("\nin the letters of paper {}\n", paper.letter);
    for named in &experiment.views {
        text += &format!("view `{}`\n", named.name);
        (paper.letters)(&named.problem).iter().for_each(|line| text += &format!("  {line}\n"));
    }
    text
}

/// Refused views that are told, of all points of a sweep.
const MOST_REFUSALS: usize = 8;

/// `sweep: 3 points, about 12 s in all; above, the first`.
fn sweep(study: &Study, total: f64) -> String {
    let points = study.points();
    let names: Vec<&str> = points.iter().map(|point| point.directory.as_str()).collect();
    let shown = if names.len() > 8 {
        format!("{}, …, {}", names[..6].join("  "), names[names.len() - 1])
    } else {
        names.join("  ")
    };
    format!(
        "\nsweep over {}: {} points, about {} in all; shown above: the first\n  {shown}\n",
        study.keys().join(", "),
        points.len(),
        seconds(total)
    )
}

fn as_text(experiment: &Experiment, plans: &[Result<Plan, Error>]) -> String {
    let mut lines = vec![experiment.title.clone()];
    let problem = &experiment.views[0].problem;
    lines.push(format!("  target   y = g(z){}, g(z) = {}", noise(problem), problem.target.formula()));
    lines.push(format!(
        "  network  f(x) = s Σ_j a_j σ(⟨w_j, x⟩{}), σ(h) = {}, s = {}, p = {}, k = {}",
        if problem.network.bias.is_some() { " + b_j" } else { "" },
        problem.network.activation.formula(),
        valued(&problem.network.output_scale, problem.output_scale()),
        problem.width(),
        problem.directions(),
    ));
    for (named, plan) in experiment.views.iter().zip(plans) {
        lines.push(String::new());
        lines.push(format!("view `{}`: {}", named.name, protocol(named)));
        let overrides: Vec<String> = named.overrides.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        if !overrides.is_empty() {
            lines.push(format!("  override {}", overrides.join(", ")));
        }
        lines.extend(problem_phase(named));
        match plan {
            Ok(plan) => {
                lines.push(format!("  method   {}: {}", plan.title(), plan.reason));
                let replicates = named.view.replicates;
                let runs = if replicates == 1 { "one run".into() } else { format!("{replicates} replicates") };
                let (seconds, bytes) = (seconds(plan.cost.seconds), human_bytes(plan.cost.bytes));
                lines.push(format!("  cost     about {seconds} for {runs}, {bytes}"));
                lines.extend(plan.method.expected().iter().map(expected));
                let warnings =
                    method::warnings(&named.problem, &named.view, plan, &[], &mut KnownRates::default(), &Silent);
                lines.extend(warnings.iter().map(|warning| format!("  warning  {}: {}", warning.id, warning.text)));
                lines.extend(plan.advice.iter().map(|advice| format!("  advice   {advice}")));
            }
            Err(error) => lines.push(format!("  refused  {error}")),
        }
    }
    lines.join("\n") + "\n"
}

/// `  learns   degree 2: risk 0.425 → 0.18, t ~ ε^0.25`.
fn expected(learning: &Learning) -> String {
    let Learning { degree, before, after, time, exponent } = learning;
    let time = time.map_or(format!("t ~ ε^{}", short(*exponent)), |time| format!("half of it at t = {}", short(time)));
    format!("  learns   degree {degree}: risk {} → {}, {time}", short(*before), short(after.max(0.0)))
}

/// `  regime   plateau`.
fn problem_phase(named: &NamedView) -> Option<String> {
    named.problem.phase().map(|phase| format!("  regime   {}", phase.name()))
}

fn noise(problem: &Problem) -> String {
    if problem.target.noise > 0.0 { format!(" + √Δ ξ, Δ = {}", problem.target.noise) } else { String::new() }
}

/// `d = 1000, batch 1, η = 4/d = 0.004, 100000 steps, t = 100`.
fn protocol(named: &NamedView) -> String {
    let problem = &named.problem;
    let d = problem.dimension().map_or("∞".into(), |d| d.to_string());
    let Some(rate) = &problem.training.learning_rate else {
        return format!("d = {d}, gradient flow, t = {}", problem.time());
    };
    let value = problem.learning_rate();
    if problem.dimension().is_none() {
        return format!("d = ∞, η = {}, t = {}", rate.text(), problem.time());
    }
    let rate = format!("η = {}", valued(rate, value));
    let duration = format!("{} steps, t = {}", problem.steps(), short(problem.time()));
    format!("d = {d}, batch {}, {rate}, {duration}{}", problem.batch(), displacement(problem))
}

/// `, each gradient at W − ρ∇ of its own sample, ρ = 0.1/d = 1e-4`.
fn displacement(problem: &Problem) -> String {
    if problem.displacement() == 0.0 {
        return String::new();
    }
    let whose = if problem.displaces_samples() {
        "each sample's gradient at W − ρ∇ of that sample"
    } else if problem.batch() == 1 {
        "the gradient at W − ρ∇ of its sample"
    } else {
        "the gradient at W − ρ∇ of the whole batch"
    };
    format!(", {whose}, ρ = {}", valued(&problem.training.displacement, problem.displacement()))
}

/// `4/d = 0.004`, or `0.3`.
fn valued(formula: &Formula, value: f64) -> String {
    if formula.is_number() { short(value) } else { format!("{} = {}", formula.text(), short(value)) }
}

/// Six significant digits.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    if rounded == 0.0 || (1e-4..1e7).contains(&rounded) { rounded.to_string() } else { format!("{rounded:e}") }
}

/// `12.3 s`, `4 min`, `2.5 h`.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 0.1 => "0.1 s or less".into(),
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

fn as_json(experiment: &Experiment, plans: &[Result<Plan, Error>]) -> Value {
    let views: Vec<Value> = experiment.views.iter().zip(plans).map(|(named, plan)| view_json(named, plan)).collect();
    json!({ "experiment": experiment.resolved.json, "hash": experiment.resolved.hash, "views": views })
}

fn view_json(named: &NamedView, plan: &Result<Plan, Error>) -> Value {
    let problem = &named.problem;
    let mut value = json!({
        "name": named.name,
        "engine": named.view.engine.name(),
        "dimension": problem.dimension(),
        "regime": problem.phase().map(twolayer::problem::Phase::name),
        "batch": problem.batch(),
        "learning_rate": problem.learning_rate(),
        "output_scale": problem.output_scale(),
        "time": problem.time(),
        "replicates": named.view.replicates,
    });
    if problem.displacement() != 0.0 {
        value["displacement"] = problem.displacement().into();
        value["displacement_of"] = problem.training.displacement_of.name().into();
    }
    if problem.dimension().is_some() && problem.training.learning_rate.is_some() {
        value["steps"] = problem.steps().into();
    }
    match plan {
        Ok(plan) => {
            value["method"] = plan.title().into();
            value["method_id"] = plan.id().into();
            value["reason"] = plan.reason.clone().into();
            value["seconds"] = plan.cost.seconds.into();
            value["bytes"] = plan.cost.bytes.into();
            value["advice"] = plan.advice.clone().into();
            let warnings = method::warnings(problem, &named.view, plan, &[], &mut KnownRates::default(), &Silent);
            value["warnings"] =
                warnings.iter().map(|warning| json!({ "id": warning.id, "text": warning.text })).collect();
            value["expected"] =
                plan.method.expected().iter().map(|learning| json!(ExpectedRecord::from(learning))).collect();
        }
        Err(error) => value["refused"] = error.to_string().into(),
    }
    value
}
