//! Ctrl-C. While tasks run, the first one asks them to stop and keep what they have; at any other time, and when pressed
//! twice, the program ends at once: what is on disk is whole.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use crate::{INTERRUPTED, tell};

/// Between Ctrl-C and the end of a program whose tasks do not hear it.
const GRACE: Duration = Duration::from_millis(900);

static ASKED: AtomicBool = AtomicBool::new(false);
static AT_WORK: AtomicBool = AtomicBool::new(false);

/// From now on. Without a handler Ctrl-C still ends the program, only less kindly.
pub fn listen() {
    let _ = ctrlc::set_handler(|| {
        if ASKED.swap(true, Relaxed) || !AT_WORK.load(Relaxed) {
            end();
        }
        tell("\nstopping; what is finished is kept (Ctrl-C again to stop at once)");
        thread::spawn(|| {
            thread::sleep(GRACE);
            // What is deep in one step or one average hears nothing; finished tasks are on disk, as after a kill.
            if AT_WORK.load(Relaxed) {
                tell("interrupted: what is finished is kept; go on with the same command and --resume");
                end();
            }
        });
    });
}

fn end() -> ! {
    std::process::exit(i32::from(INTERRUPTED))
}

/// Whether it was pressed.
pub fn was_asked() -> bool {
    ASKED.load(Relaxed)
}

/// Tasks run from now on, or do not run any more.
pub fn at_work(now: bool) {
    AT_WORK.store(now, Relaxed);
}
