//! Says what a command is at, where its answer takes longer than a moment.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use crate::tell;

/// Before the first line, and between two.
const FIRST: Duration = Duration::from_millis(1500);
const BETWEEN: Duration = Duration::from_secs(10);

/// Speaks until it is dropped; what it says may change meanwhile.
pub struct Patience {
    at: Arc<Mutex<String>>,
    _ends: Sender<()>,
}

impl Patience {
    /// It is `at` this from now on: `reading the experiment`.
    pub fn new(at: &str) -> Self {
        let at = Arc::new(Mutex::new(at.to_string()));
        let (ends, end) = channel();
        let words = at.clone();
        // Where there is no thread for it, nothing is said.
        let _ = thread::Builder::new().spawn(move || speak(&words, &end));
        Self { at, _ends: ends }
    }

    /// It is at something else.
    pub fn now(&self, at: String) {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

fn speak(words: &Mutex<String>, end: &Receiver<()>) {
    let mut wait = FIRST;
    while end.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        tell(&format!("{} …", words.lock().unwrap_or_else(PoisonError::into_inner)));
        wait = BETWEEN;
    }
}
