//! The finished tasks of a run on disk: the unit of resumption.
//!
//! A synchronised file costs milliseconds, and so may a task: tasks that are finished wait until together they are a
//! moment's work, and are then written as one file, whole or not at all. Whatever kills the program loses that moment
//! and no more; a task that took longer is on disk before its thread begins the next.

use std::{
    collections::{HashMap, HashSet},
    fs, io, mem,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    Error, Part,
    part::{contents, read_at},
    write_bytes,
};

/// Seconds of work that may wait in memory, all threads together.
const MOMENT: f64 = 0.25;

/// Bytes that may.
const MOST_WAITING: usize = 1 << 20;

const ENDING: &str = ".part";

/// The directory `parts/` of a run; shared by all threads.
#[derive(Debug)]
pub struct Parts {
    directory: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Waiting,
    /// The file of each task, and where in it the task lies.
    place: HashMap<String, (Arc<str>, Range<u64>)>,
    /// How many tasks each file still holds.
    held: HashMap<Arc<str>, usize>,
}

/// Finished tasks that are not written yet.
#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    tasks: Vec<(String, Range<u64>)>,
    seconds: f64,
}

impl Parts {
    /// Those in `directory`, of which nothing is known before [`Self::find`].
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.into(), state: Mutex::default() }
    }

    /// Learns what earlier sessions have left; of files that hold any of the tasks `wanted` every number is checked.
    /// Damaged files are removed and told to `say`: their tasks are as good as not begun.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn find(&self, wanted: &HashSet<&str>, say: &mut dyn FnMut(String)) -> Result<(), Error> {
        for name in file_names(&self.directory)? {
            let path = self.directory.join(&*name);
            match checked(&path, wanted) {
                Ok(tasks) => self.lock().enter(&name, tasks),
                // Another job has found it damaged meanwhile.
                Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                Err(Error::Damaged { path, reason }) => {
                    say(format!("{} is damaged ({reason}): its tasks are run again", path.display()));
                    remove(&path)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The tasks that are on disk.
    pub fn tasks(&self) -> HashSet<String> {
        self.lock().place.keys().cloned().collect()
    }

    /// Keeps a finished task: in a file at the latest when a moment's work waits.
    ///
    /// # Errors
    /// [`Error::Io`]; the tasks that waited are then lost, and all that were written before are kept.
    pub fn keep(&self, task: &str, part: &Part) -> Result<(), Error> {
        let bytes = part.to_bytes(task);
        let mut state = self.lock();
        let waiting = &mut state.waiting;
        let start = waiting.bytes.len() as u64;
        waiting.tasks.push((task.into(), start..start + bytes.len() as u64));
        waiting.bytes.extend(bytes);
        waiting.seconds += part.seconds;
        if waiting.seconds < MOMENT && waiting.bytes.len() < MOST_WAITING {
            return Ok(());
        }
        let full = mem::take(waiting);
        drop(state);
        self.write(full)
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// As [`Self::keep`].
    pub fn flush(&self) -> Result<(), Error> {
        let waiting = mem::take(&mut self.lock().waiting);
        self.write(waiting)
    }

    /// The result of `task`, if it is on disk.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it is not, bit for bit, what was written; [`Error::Io`].
    pub fn read(&self, task: &str) -> Result<Option<Part>, Error> {
        let Some((name, range)) = self.lock().place.get(task).cloned() else { return Ok(None) };
        read_at(&self.directory.join(&*name), &range, task).map(Some)
    }

    /// Forgets `task`; a file goes with the last of its tasks.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn release(&self, task: &str) -> Result<(), Error> {
        let mut state = self.lock();
        let Some((name, _)) = state.place.remove(task) else { return Ok(()) };
        let held = state.held.entry(name.clone()).or_default();
        *held = held.saturating_sub(1);
        if *held > 0 {
            return Ok(());
        }
        state.held.remove(&name);
        drop(state);
        remove(&self.directory.join(&*name))
    }

    fn write(&self, waiting: Waiting) -> Result<(), Error> {
        let Some((first, _)) = waiting.tasks.first() else { return Ok(()) };
        let name: Arc<str> = format!("{first}{ENDING}").into();
        write_bytes(&self.directory, &name, &waiting.bytes)?;
        self.lock().enter(&name, waiting.tasks);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, name: &Arc<str>, tasks: Vec<(String, Range<u64>)>) {
        for (task, range) in tasks {
            // Of a task that is there twice the two results are the same.
            if self.place.insert(task, (name.clone(), range)).is_none_or(|(other, _)| other != *name) {
                *self.held.entry(name.clone()).or_default() += 1;
            }
        }
    }
}

/// How many tasks `directory` holds, by the first lines of each; those of damaged files are not counted.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn count(directory: &Path) -> Result<usize, Error> {
    let contents = |name: Arc<str>| contents(&directory.join(&*name)).map_or(0, |tasks| tasks.len());
    Ok(file_names(directory)?.into_iter().map(contents).sum())
}

/// The tasks of a file; every number is checked where any of them is wanted.
fn checked(path: &Path, wanted: &HashSet<&str>) -> Result<Vec<(String, Range<u64>)>, Error> {
    let tasks = contents(path)?;
    if tasks.iter().any(|(task, _)| wanted.contains(task.as_str())) {
        tasks.iter().try_for_each(|(task, range)| read_at(path, range, task).map(drop))?;
    }
    Ok(tasks)
}

fn file_names(directory: &Path) -> Result<Vec<Arc<str>>, Error> {
    let entries = fs::read_dir(directory).map_err(Error::io(directory, "read the directory"))?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.filter(|name| name.ends_with(ENDING) && !name.starts_with('.')).map(Arc::from).collect())
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(path, "remove")(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabricated::{self, Sizes};
    use twolayer::record::observable::RISK;

    fn part(seconds: f64) -> Part {
        let times = fabricated::log_times(3, 0.01, 10.0);
        let trajectory = fabricated::simulation(Sizes { p: 2, k: 1 }, &times, 1, 0.1, 7).trajectories.remove(0);
        Part { trajectory, kernel: "erf".into(), started: 1.7e9, seconds }
    }

    fn found(directory: &Path, wanted: &[&str]) -> (HashSet<String>, Vec<String>) {
        let (parts, mut told) = (Parts::new(directory), Vec::new());
        parts.find(&wanted.iter().copied().collect(), &mut |line| told.push(line)).unwrap();
        (parts.tasks(), told)
    }

    /// Tasks of a hundredth of a second wait for one another, a long one takes those that wait along; nothing waits for
    /// longer than a moment's work.
    #[test]
    fn cheap_tasks_share_a_file_and_a_long_one_waits_for_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let parts = Parts::new(directory.path());
        let files = || file_names(directory.path()).unwrap().len();
        for i in 0..100 {
            parts.keep(&format!("t{i}"), &part(0.01)).unwrap();
            assert!(i + 1 - count(directory.path()).unwrap() <= 25);
        }
        assert!((4..=6).contains(&files()), "{}", files());
        parts.keep("short", &part(0.01)).unwrap();
        parts.keep("long", &part(3600.0)).unwrap();
        assert_eq!(count(directory.path()).unwrap(), 102);
        parts.keep("last", &part(0.01)).unwrap();
        assert_eq!(parts.read("last").unwrap(), None);
        parts.flush().unwrap();
        assert_eq!(parts.read("last").unwrap().unwrap().trajectory.of(&RISK), part(0.0).trajectory.of(&RISK));
        // Another session finds them all; each is what was kept; a file goes with its last task.
        let again = Parts::new(directory.path());
        again.find(&["t0"].into(), &mut |line| panic!("{line}")).unwrap();
        assert_eq!(again.tasks().len(), 103);
        for task in again.tasks() {
            assert_eq!(again.read(&task).unwrap().unwrap().kernel, "erf");
            again.release(&task).unwrap();
            assert_eq!(again.read(&task).unwrap(), None);
        }
        assert_eq!(files(), 0);
    }

    /// Cut off anywhere, one bit turned anywhere: the file is removed, and nothing of it is taken for a result.
    #[test]
    fn a_damaged_file_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let parts = Parts::new(directory.path());
        for task in ["a", "b", "c"] {
            parts.keep(task, &part(0.0)).unwrap();
        }
        parts.flush().unwrap();
        let path = directory.path().join("a.part");
        let whole = fs::read(&path).unwrap();
        assert_eq!(found(directory.path(), &["c"]), (["a", "b", "c"].map(String::from).into(), vec![]));
        for at in 0..whole.len() {
            let mut garbled = whole.clone();
            garbled[at] ^= 1 << (at % 8);
            for bytes in [&whole[..at], &garbled] {
                fs::write(&path, bytes).unwrap();
                let (tasks, told) = found(directory.path(), &["a", "b", "c"]);
                // What is cut between two tasks lacks the others, and is right itself.
                let right = bytes.len() == at && tasks.iter().all(|task| task != "c");
                assert!(tasks.is_empty() && told.len() == 1 && !path.exists() || right, "{at}: {tasks:?} {told:?}");
            }
        }
    }
}
