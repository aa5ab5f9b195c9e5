//! A progress bar for each view, and Ctrl-C.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use twolayer::{observer::Progress, record::Status};
use twolayer_lab::{run::Monitor, store::Part, task::Task};

use crate::{DONE, INTERRUPTED, UNFINISHED, tell};

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
    interrupted: Arc<AtomicBool>,
    unfinished: AtomicBool,
}

struct View {
    bar: ProgressBar,
    tasks: usize,
    /// Ticks of each task that has begun, and how many have ended.
    state: Mutex<(HashMap<String, u64>, usize)>,
}

struct Counts {
    done: usize,
    told: Instant,
}

impl Bars {
    /// A bar for each view of `tasks`; the first Ctrl-C asks the run to stop, a second one kills it.
    pub fn new(tasks: &[Task], quiet: bool) -> Self {
        let all = MultiProgress::new();
        let lines = !quiet && all.is_hidden();
        if quiet {
            all.set_draw_target(ProgressDrawTarget::hidden());
        }
        let width = tasks.iter().map(|task| task.view_name.chars().count()).max().unwrap_or(0);
        let template = format!("{{prefix:{width}}} {{bar:30}} {{percent:>3}} %  {{msg}}  {{eta}} left");
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
            (name.to_string(), View { bar: bar.with_prefix(name.to_string()), tasks, state: Mutex::default() })
        };
        let views = counts.into_iter().map(bar).collect();
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = interrupted.clone();
        // Without a handler Ctrl-C still ends the program, only less kindly.
        let _ = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(INTERRUPTED));
            }
            tell("\nstopping; what is finished is kept (Ctrl-C again to stop at once)");
        });
        let counts = Mutex::new(Counts { done: 0, told: Instant::now() });
        Self { views, total: tasks.len(), lines, counts, interrupted, unfinished: AtomicBool::new(false) }
    }

    /// Counts the tasks that are not among `left` as done.
    pub fn start(&self, left: &[Task]) {
        let mut open: HashMap<&str, usize> = HashMap::new();
        left.iter().for_each(|task| *open.entry(&task.view_name).or_default() += 1);
        for (name, view) in &self.views {
            let done = view.tasks - open.get(name.as_str()).copied().unwrap_or(0).min(view.tasks);
            view.state.lock().unwrap_or_else(PoisonError::into_inner).1 = done;
            view.bar.set_position(done as u64 * TICKS as u64);
            view.bar.reset_eta();
        }
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).done = self.total - left.len();
    }

    /// Whether Ctrl-C was pressed.
    pub fn was_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
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

    /// Takes the bars off the screen.
    pub fn clear(&self) {
        self.views.values().for_each(|view| view.bar.finish_and_clear());
    }

    fn advance(&self, task: &Task, ticks: u64, ended: bool, risk: f64) {
        let Some(View { bar, tasks, state }) = self.views.get(&task.view_name) else { return };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, done) = &mut *state;
        let before = begun.get(&task.name).copied().unwrap_or(0);
        bar.inc(ticks.saturating_sub(before));
        if ended {
            begun.remove(&task.name);
            *done += 1;
        } else {
            begun.insert(task.name.clone(), ticks.max(before));
        }
        let risk = if risk.is_finite() { format!(", risk {risk:.2e}") } else { String::new() };
        bar.set_message(format!("{done} of {tasks}{risk}"));
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
        let risk = if run.valid > 0 { run.risk[run.valid - 1] } else { f64::NAN };
        self.advance(task, TICKS as u64, true, risk);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.done += usize::from(run.status != Status::Interrupted);
        if self.lines && counts.told.elapsed() >= PAUSE {
            counts.told = Instant::now();
            tell(&format!("{} of {} tasks are finished", counts.done, self.total));
        }
    }

    fn interrupted(&self) -> bool {
        self.was_interrupted()
    }
}
