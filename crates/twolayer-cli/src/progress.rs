//! A progress bar for each view.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use twolayer::record::observable::RISK;
use twolayer::{observer::Progress, record::Status};
use twolayer_lab::{run::Monitor, store::Part, task::Task};

use crate::{DONE, INTERRUPTED, UNFINISHED, check, interrupt, tell, terminal::printable};

/// Ticks of one task.
const TICKS: f64 = 1000.0;

/// Between two lines where there is no terminal for bars.
const PAUSE: Duration = Duration::from_secs(30);

/// One bar for each view, over all points of a sweep; lines now and then where standard error is no terminal.
pub struct Bars {
    views: HashMap<String, View>,
    total: usize,
    lines: bool,
    counts: Mutex<Counts>,
    unfinished: AtomicBool,
}

struct View {
    bar: ProgressBar,
    tasks: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Ticks of each task that has begun.
    begun: HashMap<String, u64>,
    /// How many have ended.
    done: usize,
    /// When the first began, and the ticks that were done before.
    since: Option<(Instant, u64)>,
}

impl State {
    /// `, 12 s left`, once something is known of it.
    fn left(&self, ticks: u64, all: u64) -> String {
        let Some((since, before)) = self.since else { return String::new() };
        let (now, open) = (ticks.saturating_sub(before) as f64, all.saturating_sub(ticks) as f64);
        if now == 0.0 || open == 0.0 {
            return String::new();
        }
        format!(", {} left", check::seconds(since.elapsed().as_secs_f64() * open / now))
    }
}

struct Counts {
    done: usize,
    told: Instant,
}

impl Bars {
    /// A bar for each view of `tasks`.
    pub fn new(tasks: &[Task], quiet: bool) -> Self {
        let all = MultiProgress::new();
        let lines = !quiet && all.is_hidden();
        if quiet {
            all.set_draw_target(ProgressDrawTarget::hidden());
        }
        let width = tasks.iter().map(|task| task.view_name.chars().count()).max().unwrap_or(0);
        let template = format!("{{prefix:{width}}} {{bar:30}} {{percent:>3}} %  {{msg}}");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for task in tasks {
            match counts.iter_mut().find(|(name, _)| *name == task.view_name) {
                Some((_, count)) => *count += 1,
                None => counts.push((&task.view_name, 1)),
            }
        }
        let bar = |(name, tasks): (&str, usize)| {
            let bar = all.add(ProgressBar::new(tasks as u64 * TICKS as u64).with_style(style.clone()));
            (
                name.to_string(),
                View { bar: bar.with_prefix(printable(name).into_owned()), tasks, state: Mutex::default() },
            )
        };
        let views = counts.into_iter().map(bar).collect();
        let counts = Mutex::new(Counts { done: 0, told: Instant::now() });
        Self { views, total: tasks.len(), lines, counts, unfinished: AtomicBool::new(false) }
    }

    /// Tasks run from now on; those that are not among `left` are done.
    pub fn start(&self, left: &[Task]) {
        interrupt::at_work(true);
        let mut open: HashMap<&str, usize> = HashMap::new();
        left.iter().for_each(|task| *open.entry(&task.view_name).or_default() += 1);
        for (name, view) in &self.views {
            let done = view.tasks - open.get(name.as_str()).copied().unwrap_or(0).min(view.tasks);
            view.state.lock().unwrap_or_else(PoisonError::into_inner).done = done;
            view.bar.set_position(done as u64 * TICKS as u64);
            view.bar.set_message(if done == view.tasks { "done already" } else { "waiting" });
        }
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).done = self.total - left.len();
    }

    /// Whether Ctrl-C was pressed.
    pub fn was_interrupted(&self) -> bool {
        interrupt::was_asked()
    }

    /// Tasks that are finished.
    pub fn done(&self) -> usize {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).done
    }

    /// The exit code of tasks without results.
    pub fn code(&self) -> u8 {
        match (self.was_interrupted(), self.unfinished.load(Ordering::Relaxed)) {
            (true, _) => INTERRUPTED,
            (false, true) => UNFINISHED,
            (false, false) => DONE,
        }
    }

    /// Takes the bars off the screen, when no task runs any more.
    pub fn clear(&self) {
        interrupt::at_work(false);
        self.views.values().for_each(|view| view.bar.finish_and_clear());
    }

    /// Whether there is no terminal for bars, and the last line was told some time ago.
    fn is_time_for_a_line(&self) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let due = self.lines && counts.told.elapsed() >= PAUSE;
        if due {
            counts.told = Instant::now();
        }
        due
    }

    fn advance(&self, task: &Task, ticks: u64, ended: bool, risk: f64) {
        let Some(View { bar, tasks, state }) = self.views.get(&task.view_name) else { return };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.since.get_or_insert_with(|| (Instant::now(), bar.position()));
        let before = state.begun.get(&task.name).copied().unwrap_or(0);
        bar.inc(ticks.saturating_sub(before));
        if ended {
            state.begun.remove(&task.name);
            state.done += 1;
        } else {
            state.begun.insert(task.name.clone(), ticks.max(before));
        }
        let all = *tasks as u64 * TICKS as u64;
        let left = state.left(bar.position(), all);
        if self.is_time_for_a_line() {
            let part = 100.0 * bar.position() as f64 / all as f64;
            let done = format!("{} of {} tasks are finished", self.done(), self.total);
            tell(&format!("{done}; {}: {part:.0} %{left}", printable(&task.view_name)));
        }
        let risk = if risk.is_finite() { format!(", risk {risk:.2e}") } else { String::new() };
        bar.set_message(format!("{} of {tasks}{risk}{left}", state.done));
    }
}

impl Monitor for Bars {
    fn progress(&self, task: &Task, at: &Progress) {
        let part = if at.total > 0.0 { (at.done / at.total).clamp(0.0, 1.0) } else { 0.0 };
        self.advance(task, (part * TICKS) as u64, false, at.risk);
    }

    fn finished(&self, task: &Task, part: &Part) {
        let run = &part.trajectory;
        if run.status != Status::Done {
            self.unfinished.store(true, Ordering::Relaxed);
        }
        let risk = if run.valid > 0 { run.of(&RISK)[run.valid - 1] } else { f64::NAN };
        self.advance(task, TICKS as u64, true, risk);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.done += usize::from(run.status != Status::Interrupted);
    }

    fn interrupted(&self) -> bool {
        self.was_interrupted()
    }
}
