//! A progress bar for each view, and Ctrl-C.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use twolayer::observer::Progress;
use twolayer_lab::{experiment::Experiment, run::Monitor};

/// Ticks of one replicate.
const TICKS: f64 = 1000.0;

/// Bars for all views; hidden where standard error is no terminal, or on request.
pub struct Bars {
    views: Vec<View>,
    interrupted: Arc<AtomicBool>,
}

struct View {
    bar: ProgressBar,
    /// Ticks of each replicate.
    done: Mutex<Vec<u64>>,
}

impl Bars {
    /// One bar for each view of `experiment`; the first Ctrl-C asks the run to stop, a second one kills it.
    pub fn new(experiment: &Experiment, quiet: bool) -> Self {
        let all = MultiProgress::new();
        if quiet {
            all.set_draw_target(ProgressDrawTarget::hidden());
        }
        let width = experiment.views.iter().map(|view| view.name.chars().count()).max().unwrap_or(0);
        let template = format!("{{prefix:{width}}} {{bar:30}} {{percent:>3}} %  {{msg}}  {{eta}} left");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let views = (experiment.views.iter())
            .map(|named| {
                let replicates = named.view.replicates;
                let bar = all.add(ProgressBar::new(replicates as u64 * TICKS as u64));
                bar.set_style(style.clone());
                bar.set_prefix(named.name.clone());
                View { bar, done: Mutex::new(vec![0; replicates]) }
            })
            .collect();
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = interrupted.clone();
        // Without a handler Ctrl-C still ends the program, only less kindly.
        let _ = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(crate::INTERRUPTED));
            }
            eprintln!("\nstopping; what is done will be kept (Ctrl-C again to drop it)");
        });
        Self { views, interrupted }
    }

    /// Whether Ctrl-C was pressed.
    pub fn was_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Takes the bars off the screen.
    pub fn clear(&self) {
        self.views.iter().for_each(|view| view.bar.finish_and_clear());
    }

    fn advance(&self, view: usize, replicate: usize, ticks: u64) {
        let View { bar, done } = &self.views[view];
        let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        bar.inc(ticks.saturating_sub(done[replicate]));
        done[replicate] = done[replicate].max(ticks);
    }
}

impl Monitor for Bars {
    fn progress(&self, view: usize, replicate: usize, at: &Progress) {
        let part = if at.total > 0.0 { (at.done / at.total).clamp(0.0, 1.0) } else { 0.0 };
        self.views[view].bar.set_message(format!("risk {:.2e}", at.risk));
        self.advance(view, replicate, (part * TICKS) as u64);
    }

    fn finished(&self, view: usize, replicate: usize) {
        self.advance(view, replicate, TICKS as u64);
    }

    fn interrupted(&self) -> bool {
        self.was_interrupted()
    }
}
