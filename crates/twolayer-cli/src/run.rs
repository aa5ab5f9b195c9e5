//! `twolayer run`.

use std::{
    num::NonZero,
    path::{Path, PathBuf},
    str::FromStr,
    time::Instant,
};

use clap::Args;
use twolayer_lab::{
    answer::answer,
    files, gallery, machine,
    run::{About, Finished, Mode, Session, Stopped, advice_on_error, enter},
    store::{self, Index},
    task::{self, Tasks},
};

use crate::{
    DONE, Failure, INTERRUPTED, UNFINISHED,
    changes::{Changes, quote},
    check,
    patience::Patience,
    progress::Bars,
    say, sweep, words,
};

/// `twolayer run`.
#[derive(Args)]
#[command(after_help = "Examples:
  twolayer run gallery/odes/high-dimensional.toml
  twolayer run my.toml --only limit --only reduced --threads 1 --out results/quiet
  twolayer run my.toml --set training.dimension=500 --set 'sweep.target.noise=[0.1, 0.2]'
  twolayer run my.toml --task 3/10    in ten jobs of a cluster, then, once:
  twolayer run my.toml --resume

Results (default results/<file name>/):
  <view>.npz, manifest.json, figure.svg, figure.png, figure.pdf, report.html
  of a sweep, these for each point in its directory, e.g. dimension=1000,noise=0.1/, and index.json

Finished replicates are in parts/ but for a quarter of a second of work. Whatever ends the run
(Ctrl-C, kill -9, a full disk), --resume goes on from there, to the same results bit for bit;
parts/ is removed when everything is put together.

Exit codes: 0 done; 1 a view did not finish, or the disk is full; 2 the file or the command is
wrong, nothing written; 130 interrupted.")]
pub struct Arguments {
    /// The experiment file, or gallery:NAME.
    file: PathBuf,
    /// Directory of the results [default: results/<file name>].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    changes: Changes,
    /// Threads; the results do not depend on their number [default: all cores].
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// Go on with a run that was ended early, or put together what --task jobs have left.
    #[arg(long, conflicts_with = "overwrite")]
    resume: bool,
    /// Remove what a run, of this or of another experiment, has left in the directory.
    #[arg(long)]
    overwrite: bool,
    /// Run only the i-th of N shares of all tasks, i from 1, and write only their parts; jobs may run at the same time.
    /// When all have ended, the same command with --resume in place of --task writes the results.
    #[arg(long, value_name = "i/N", conflicts_with_all = ["overwrite", "resume"])]
    task: Option<Share>,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

impl Arguments {
    /// What the run may do in its directory.
    fn mode(&self) -> Mode {
        match self {
            Self { task: Some(_), .. } => Mode::Job,
            Self { overwrite: true, .. } => Mode::Overwrite,
            Self { resume: true, .. } => Mode::Resume,
            _ => Mode::Begin,
        }
    }

    /// The same, for an experiment of the gallery that is named without the prefix.
    pub fn of_gallery(mut self) -> Self {
        let name = self.file.to_string_lossy();
        if !name.starts_with(gallery::PREFIX) {
            self.file = format!("{}{name}", gallery::PREFIX).into();
        }
        self
    }
}

/// `3/10`.
#[derive(Clone, Copy)]
struct Share {
    job: usize,
    jobs: usize,
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(job, jobs)| Some((job.parse().ok()?, jobs.parse().ok()?)));
        match numbers {
            Some((job, jobs)) if (1..=jobs).contains(&job) => Ok(Self { job, jobs }),
            _ => Err("write i/N with i from 1 to N, e.g. --task 3/10 for the third of ten jobs".into()),
        }
    }
}

/// Runs the command; the exit code, or what to print.
pub fn run(arguments: &Arguments) -> Result<u8, Failure> {
    if files::is_standard_input(&arguments.file) {
        let why = "error: a run is repeated and resumed from its file, and standard input is none";
        return Err(vec![format!(
            "{why}\nhelp: write the experiment into a file; `twolayer check -` reads standard input"
        )]);
    }
    let patience = Patience::new("reading and planning the experiment");
    let study = files::read(&arguments.file, &arguments.changes.request()).map_err(words)?;
    let threads = machine::threads(arguments.threads);
    let machine = machine::machine(threads);
    let tasks = Tasks::new(&study, &machine).map_err(words)?;
    drop(patience);
    let stem = arguments.file.file_stem().unwrap_or("experiment".as_ref());
    let out = arguments.out.clone().unwrap_or_else(|| Path::new("results").join(stem));
    let (owner, command) = (tasks.owner(), command(arguments, &out));
    // It is held until the end.
    let entry = enter(&out, &study, &tasks, &owner, arguments.mode(), &command)
        .map_err(|denied| vec![format!("error: {denied}")])?;
    let tell = |line: &str| {
        if !arguments.quiet {
            crate::tell(line);
        }
    };
    tasks.advice.iter().for_each(|advice| tell(&format!("advice: {advice}")));
    let clock = Instant::now();
    let mut session = Session::new(&study, &tasks, &owner, &out, machine).map_err(disk)?;
    let mut wanted = task::once(&tasks.all);
    let all = wanted.len();
    if let Some(Share { job, jobs }) = arguments.task {
        wanted = task::share(wanted, job, jobs);
        tell(&format!("job {job} of {jobs}: {} of {all} tasks", wanted.len()));
    }
    let bars = Bars::new(&wanted, arguments.quiet);
    let mut warn = |note: String| crate::tell(&format!("warning: {note}"));
    entry.notes.iter().cloned().for_each(&mut warn);
    let mut left = wanted.clone();
    if entry.again {
        left = session.unfinished(wanted.clone(), &mut warn).map_err(disk)?;
        tell(&format!("{} of {} tasks are finished already", wanted.len() - left.len(), wanted.len()));
    }
    expect(task::expected(&left, threads), &tell);
    bars.start(&left);
    let worked = session.work(left, threads, &bars);
    bars.clear();
    if let Err(error) = worked {
        return Ok(stopped(&error));
    }
    if let Some(Share { job, jobs }) = arguments.task {
        let done = format!("job {job} of {jobs}: {} of {} tasks are finished", bars.done(), wanted.len());
        tell(&format!("{done}; when all jobs have ended: {command} --resume"));
        return Ok(bars.code());
    }
    let about = About { command: command.clone(), threads };
    let (mut lines, mut warned) = (sweep::Lines::new(&study), 0);
    let mut each = |point: &Finished<'_>| {
        let text = if study.is_sweep() {
            lines.point(point)
        } else {
            let Finished { experiment, outcomes, agreement, directory, .. } = point;
            answer(experiment, outcomes, agreement, clock.elapsed().as_secs_f64(), &directory.join("figure.svg"))
        };
        if !arguments.quiet {
            say(&text);
            tell_cautions(point, &mut warned);
        }
    };
    let (index, together) = match session.finish(&about, &mut each, &mut warn) {
        Ok(finished) => finished,
        Err(error) => return Ok(stopped(&error)),
    };
    if study.is_sweep() && !arguments.quiet {
        say(&lines.end(&index, &together, &out, clock.elapsed().as_secs_f64()));
    }
    let code = code(&index, bars.was_interrupted());
    if code == INTERRUPTED {
        tell(&format!("interrupted: {} of {all} tasks are finished; go on with: {command} --resume", bars.done()));
    }
    Ok(code)
}

/// Warnings that are told, of all points of a sweep: the manifests keep all.
const MOST_WARNINGS: usize = 12;

/// Says what the views of a point should be read with, as long as not too much has been told, and what their errors ask for.
fn tell_cautions(point: &Finished<'_>, told: &mut usize) {
    let at = point.experiment.point_in_words().map(|point| format!("at {point}: ")).unwrap_or_default();
    let views = point.experiment.views.iter().zip(point.outcomes);
    let all = views.flat_map(|(view, outcome)| outcome.warnings.iter().map(move |warning| (view, warning)));
    for (view, warning) in all.take(MOST_WARNINGS - *told) {
        crate::tell(&format!("warning: {at}view `{}`: {}: {}", view.name, warning.id, warning.text));
        *told += 1;
    }
    tell_errors(point);
}

/// Says what the errors of the limits of a point ask for.
fn tell_errors(point: &Finished<'_>) {
    let at = point.experiment.point_in_words().map(|point| format!("at {point}: ")).unwrap_or_default();
    for (view, outcome) in point.experiment.views.iter().zip(point.outcomes) {
        if let Some(words) = advice_on_error(view, &outcome.trajectories) {
            crate::tell(&format!("advice: {at}view `{}`: {words}", view.name));
        }
    }
}

/// Seconds above which a run says how long it will take.
const WORTH_SAYING: f64 = 10.0;
/// Seconds above which it says what to do about it.
const LONG: f64 = 3600.0;

/// Says how long the run will take, where that is long.
fn expect(seconds: f64, tell: &dyn Fn(&str)) {
    if seconds > WORTH_SAYING {
        tell(&format!("expected: about {}", check::seconds(seconds)));
    }
    if seconds > LONG {
        tell(
            "help: --quick shows the same at a tenth of the sizes; --task i/N is one job of a cluster; fewer replicates, a \
             lower dimension or --only VIEW take less; Ctrl-C keeps what is finished, for --resume",
        );
    }
}

/// What hindered the run, and that nothing is lost.
fn stopped(error: &Stopped) -> u8 {
    crate::tell(&format!("error: {error}"));
    if matches!(error, Stopped::Store(error) if error.is_full()) {
        crate::tell("help: what was written is kept: make room, then run the same command with --resume");
    } else {
        crate::tell("help: what was written is kept: mend this, then run the same command with --resume");
    }
    UNFINISHED
}

fn code(index: &Index, interrupted: bool) -> u8 {
    let open = |status: &str| ["interrupted", "not started"].contains(&status);
    match (index.points.iter().all(|point| point.status == "done"), interrupted) {
        (true, _) => DONE,
        (false, true) if index.points.iter().any(|point| open(&point.status)) => INTERRUPTED,
        _ => UNFINISHED,
    }
}

fn disk(error: store::Error) -> Failure {
    vec![format!("error: {error}")]
}

/// The command that repeats the run.
fn command(arguments: &Arguments, out: &Path) -> String {
    let mut words = vec!["twolayer run".to_string(), quote(&arguments.file.display().to_string())];
    words.extend(arguments.changes.words());
    words.push(format!("--out {}", quote(&out.display().to_string())));
    words.join(" ")
}
