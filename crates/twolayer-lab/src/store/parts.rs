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
    Error, Marker, Owner, Part,
    layout::{MARKER, part_directory},
    part::{Place, contents, read_at},
    whole::{is_there, remove, temporary_of, write_bytes},
};

/// Seconds of work that may wait in memory, all threads together.
const MOMENT: f64 = 0.25;

/// Bytes that may.
const MOST_WAITING: usize = 1 << 20;

const ENDING: &str = ".part";

/// The directory `parts/` of a run; shared by all threads.
#[derive(Debug)]
pub struct Parts<'a> {
    directory: PathBuf,
    /// Whose tasks are believed, and whose damaged files are removed; all tasks and no files where there is none.
    owner: Option<&'a Owner<'a>>,
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
    tasks: Vec<Place>,
    seconds: f64,
}

impl<'a> Parts<'a> {
    /// Those in `directory`, of which nothing is known before [`Self::find`].
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.into(), owner: None, state: Mutex::default() }
    }

    /// Those of one run.
    pub fn of(directory: &Path, owner: &'a Owner<'a>) -> Self {
        Self { owner: Some(owner), ..Self::new(directory) }
    }

    /// Learns what earlier sessions have left; of files that hold any of the tasks `wanted` every number is checked.
    /// Damaged files are told to `say`, and removed where their name is that of a task: their tasks are as good as not
    /// begun. Files with tasks of other runs are left alone.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn find(&self, wanted: &HashSet<&str>, say: &mut dyn FnMut(String)) -> Result<(), Error> {
        for name in file_names(&self.directory)? {
            let path = self.directory.join(&*name);
            match checked(&path, wanted) {
                Ok(places) if self.owner.is_none_or(|owner| is_of(&places, owner)) => self.lock().enter(&name, places),
                Ok(_) => {}
                // Another job has found it damaged meanwhile.
                Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                Err(Error::Damaged { path, reason, .. }) => {
                    if self.owner.is_none_or(|owner| !is_named(&name, owner)) {
                        say(format!("{} is no part of this run ({reason}): it is left alone", path.display()));
                        continue;
                    }
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
        let bytes = part.to_bytes(task, self.owner.map_or("", |owner| owner.identity));
        let mut state = self.lock();
        let waiting = &mut state.waiting;
        let start = waiting.bytes.len() as u64;
        let range = start..start + bytes.len() as u64;
        waiting.tasks.push(Place { task: task.into(), experiment: String::new(), range });
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
        let Some(Place { task: first, .. }) = waiting.tasks.first() else { return Ok(()) };
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
    fn enter(&mut self, name: &Arc<str>, tasks: Vec<Place>) {
        for Place { task, range, .. } in tasks {
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

/// Whether `directory` holds a file with tasks of `owner`, whole to the last number.
pub(super) fn any_of(directory: &Path, owner: &Owner<'_>) -> Result<bool, Error> {
    let is = |name: Arc<str>| checked(&directory.join(&*name), &owner.tasks).is_ok_and(|places| is_of(&places, owner));
    Ok(directory.is_dir() && file_names(directory)?.into_iter().any(is))
}

/// Whether `out/parts` is there, and none that a run of this program has made: it has no marker that is whole, no part of
/// `owner`, and something in it.
pub(super) fn are_foreign(out: &Path, owner: &Owner<'_>) -> Result<bool, Error> {
    let directory = part_directory(out);
    if !directory.is_dir() {
        return Ok(is_there(&directory));
    }
    if Marker::read(&directory)?.is_some() || any_of(&directory, owner)? {
        return Ok(false);
    }
    // A kill may leave it empty, or with the marker under its temporary name.
    let mut entries = fs::read_dir(&directory).map_err(Error::io(&directory, "read the directory"))?.flatten();
    Ok(entries.any(|entry| entry.file_name().to_str().and_then(temporary_of) != Some(MARKER)))
}

/// Removes the files with tasks of `owner` or of the run that the marker names, and temporary files of tasks.
pub(super) fn remove_all(directory: &Path, owner: &Owner<'_>) -> Result<(), Error> {
    let marker = Marker::read(directory)?;
    // Parts of 0.1.0 do not tell their run: beside a marker they are its.
    let of_marker = |place: &Place| {
        marker.as_ref().is_some_and(|marker| place.experiment.is_empty() || place.experiment == marker.identity)
    };
    let ours = |name: &str| match contents(&directory.join(name)) {
        Ok(places) => is_of(&places, owner) || places.iter().all(of_marker),
        Err(_) => is_named(name, owner),
    };
    for name in file_names(directory)?.iter().filter(|name| ours(name)) {
        remove(&directory.join(&**name))?;
    }
    let entries = fs::read_dir(directory).map_err(Error::io(directory, "read the directory"))?;
    let temporary = |name: &str| {
        temporary_of(name).is_some_and(|stem| stem == MARKER || stem.strip_suffix(ENDING).is_some_and(is_task))
    };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(temporary)) {
        remove(&entry.path())?;
    }
    Ok(())
}

/// Whether all tasks of a file are `owner`'s.
fn is_of(places: &[Place], owner: &Owner<'_>) -> bool {
    places.iter().all(|place| owner.tasks.contains(place.task.as_str()))
}

/// Whether a file is named after a task of `owner`.
fn is_named(name: &str, owner: &Owner<'_>) -> bool {
    name.strip_suffix(ENDING).is_some_and(|task| owner.tasks.contains(task))
}

/// Whether `word` can be the name of a task.
fn is_task(word: &str) -> bool {
    word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The tasks of a file; every number is checked where any of them is wanted.
fn checked(path: &Path, wanted: &HashSet<&str>) -> Result<Vec<Place>, Error> {
    let tasks = contents(path)?;
    if tasks.iter().any(|place| wanted.contains(place.task.as_str())) {
        tasks.iter().try_for_each(|place| read_at(path, &place.range, &place.task).map(drop))?;
    }
    Ok(tasks)
}

fn file_names(directory: &Path) -> Result<Vec<Arc<str>>, Error> {
    let entries = fs::read_dir(directory).map_err(Error::io(directory, "read the directory"))?;
    let files = entries.flatten().filter(|entry| entry.path().is_file());
    let names = files.filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter(|name| name.ends_with(ENDING) && !name.starts_with('.')).map(Arc::from).collect())
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
        let owner = Owner { identity: "run", tasks: ["a", "b", "c"].into(), ..Owner::default() };
        let (parts, mut told) = (Parts::of(directory, &owner), Vec::new());
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
