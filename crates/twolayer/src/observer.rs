//! How an engine tells the outside world where it is, and hears that it should stop.

use std::ops::ControlFlow;

/// Where a computation is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Work done, in the engine's own unit (steps of a simulation, time of an integration).
    pub done: f64,
    /// Work in all, in the same unit.
    pub total: f64,
    /// Last population risk known.
    pub risk: f64,
}

/// Hears of progress and may say stop. Called now and then, never in the hot loop.
pub trait Observer: Sync {
    /// `Break` stops the engine, which returns the trajectory up to there.
    fn progress(&self, at: &Progress) -> ControlFlow<()>;
}

/// The observer that lets everything pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn progress(&self, _: &Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Tells of a computation whose main part is done, and still hears that it should stop.
pub(crate) struct Finished<'a>(pub(crate) &'a dyn Observer);

impl Observer for Finished<'_> {
    fn progress(&self, at: &Progress) -> ControlFlow<()> {
        self.0.progress(&Progress { done: at.total, ..*at })
    }
}
