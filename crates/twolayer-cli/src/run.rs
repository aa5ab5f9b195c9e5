//! `twolayer run`.

use std::{
    num::NonZero,
    path::{Path, PathBuf},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use clap::Args;
use twolayer::trajectory::Status;
use twolayer_lab::{
    answer::answer,
    compare::{self, Agreement},
    experiment::Experiment,
    figure, gallery,
    outcome::Outcome,
    report, resolve, run,
    store::{self, Manifest},
};

use crate::{DONE, Failure, INTERRUPTED, UNFINISHED, at_its_place, machine, progress::Bars, say, words};

/// `twolayer run`.
#[derive(Args)]
#[command(after_help = "Examples:
  twolayer run gallery/odes/high-dimensional.toml
  twolayer run my.toml --only limit --only reduced --threads 1 --out results/quiet --overwrite

Results (default results/<file name>/): <view>.npz, manifest.json, figure.svg, figure.png, report.html.
Ctrl-C keeps what is done and exits with 130.")]
pub struct Arguments {
    /// The experiment file, or gallery:NAME.
    file: PathBuf,
    /// Directory of the results [default: results/<file name>].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Run this view only (may be given several times).
    #[arg(long, value_name = "VIEW")]
    only: Vec<String>,
    /// Threads; the results do not depend on their number [default: all cores].
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// Seed of every view, in place of the file's; a shared start keeps its own.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Replace the results of another experiment in the same directory.
    #[arg(long)]
    overwrite: bool,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

impl Arguments {
    /// The same, for an experiment of the gallery that is named without the prefix.
    pub fn of_gallery(mut self) -> Self {
        let name = self.file.to_string_lossy();
        if !name.starts_with(gallery::PREFIX) {
            self.file = format!("{}{name}", gallery::PREFIX).into();
        }
        self
    }
}

/// Runs the command; the exit code, or what to print.
pub fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let mut experiment = resolve::read(&arguments.file).map_err(words)?;
    select(&mut experiment, &arguments.only)?;
    if let Some(seed) = arguments.seed {
        experiment.set_seed(seed);
    }
    let threads = machine::threads(arguments.threads);
    let (plans, advice) = run::plan(&mut experiment, &machine::machine(threads)).map_err(|refused| {
        refused.iter().flat_map(|(view, error)| at_its_place(&experiment, *view, error)).collect::<Failure>()
    })?;
    let stem = arguments.file.file_stem().unwrap_or("experiment".as_ref());
    let out = arguments.out.clone().unwrap_or_else(|| Path::new("results").join(stem));
    refuse_strangers(&out, &experiment, arguments.overwrite)?;
    if !arguments.quiet {
        advice.iter().for_each(|advice| eprintln!("advice: {advice}"));
        for (i, plan) in plans.iter().enumerate() {
            for advice in &plan.advice {
                eprintln!("advice: view `{}`: {advice}", experiment.views[i].name);
            }
        }
    }

    let disk = |error: store::Error| vec![format!("error: {error}")];
    // An unwritable place is known before hours of work, not after.
    store::create_directory(&out).and_then(|()| store::probe(&out)).map_err(disk)?;

    let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let clock = Instant::now();
    let bars = Bars::new(&experiment, arguments.quiet);
    let outcomes = run::run(&experiment, &plans, threads, &bars);
    bars.clear();
    let outcomes = outcomes.map_err(|(view, error)| at_its_place(&experiment, view, &error))?;
    let agreement = compare::compare(&experiment.views, &outcomes);
    let seconds = clock.elapsed().as_secs_f64();
    let text = answer(&experiment, &outcomes, &agreement, seconds, &out.join("figure.svg"));

    let about = store::Run {
        experiment: experiment.resolved.json.clone(),
        source: experiment.source.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        command: command(arguments, &out),
        threads,
        started,
        seconds,
    };
    let written = write(&out, &experiment, &outcomes, about, agreement);
    if let Err(error) = written {
        eprintln!("error: {error}\nhelp: the files named before this one are whole; free some space and run again");
        return Ok(UNFINISHED);
    }
    if !arguments.quiet {
        say(&text);
    }
    let finished = outcomes.iter().flat_map(|outcome| &outcome.trajectories).all(|run| run.status == Status::Done);
    Ok(match (bars.was_interrupted(), finished) {
        (true, false) => INTERRUPTED,
        (_, true) => DONE,
        (false, false) => UNFINISHED,
    })
}

/// Arrays and manifest, then figure and report.
fn write(
    out: &Path,
    experiment: &Experiment,
    outcomes: &[Outcome],
    about: store::Run,
    agreement: Vec<Agreement>,
) -> Result<(), store::Error> {
    if out.join("manifest.json").exists() {
        store::remove_strangers(out, &experiment.views)?;
    }
    let manifest = store::save(out, &experiment.views, outcomes, about, agreement)?;
    let drawing = figure::draw(experiment, outcomes, env!("CARGO_PKG_VERSION"));
    let svg = figure::svg(&drawing);
    let page = report::html(experiment, outcomes, &manifest, &svg);
    store::write_bytes(out, "figure.svg", svg.as_bytes())?;
    store::write_bytes(out, "report.html", page.as_bytes())?;
    match figure::png(&drawing, PNG_WIDTH) {
        Ok(png) => store::write_bytes(out, "figure.png", &png),
        Err(reason) => {
            eprintln!("warning: figure.png could not be drawn ({reason}); figure.svg is there");
            Ok(())
        }
    }
}

/// Pixels: a column and a half of a paper at 300 dpi.
const PNG_WIDTH: u32 = 2000;

/// Keeps the views named.
fn select(experiment: &mut Experiment, only: &[String]) -> Result<(), Failure> {
    let names: Vec<&str> = experiment.views.iter().map(|view| view.name.as_str()).collect();
    if let Some(unknown) = only.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(vec![format!("error: there is no view `{unknown}`\nhelp: the views are {}", names.join(", "))]);
    }
    if !only.is_empty() {
        experiment.keep_views(|view| only.contains(&view.name));
    }
    Ok(())
}

/// A directory that holds the results of another experiment is not overwritten unasked.
fn refuse_strangers(out: &Path, experiment: &Experiment, overwrite: bool) -> Result<(), Failure> {
    if overwrite || !out.join("manifest.json").exists() {
        return Ok(());
    }
    let same =
        Manifest::read(out).is_ok_and(|manifest| manifest.experiment["views"] == experiment.resolved.json["views"]);
    if same {
        return Ok(());
    }
    let reason = format!("error: {} holds the results of another experiment, or of other views", out.display());
    Err(vec![format!("{reason}\nhelp: choose another directory with --out, or pass --overwrite")])
}

/// The command that repeats the run.
fn command(arguments: &Arguments, out: &Path) -> String {
    let mut words = vec!["twolayer run".to_string(), quote(&arguments.file.display().to_string())];
    words.extend(arguments.only.iter().map(|view| format!("--only {}", quote(view))));
    words.extend(arguments.seed.map(|seed| format!("--seed {seed}")));
    words.push(format!("--out {}", quote(&out.display().to_string())));
    words.join(" ")
}

fn quote(word: &str) -> String {
    let plain = word.chars().all(|c| c.is_alphanumeric() || "/._-:".contains(c));
    if plain { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
