//! One run in a results directory at a time: a lock of the operating system, held for the run's life and freed by its
//! death. Jobs of one array share it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    process, thread,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::{Error, whole};

/// The name of the file that is locked, and that tells who has locked it; it goes with the last of them.
pub(super) const LOCK: &str = ".twolayer.lock";

/// How a line of it begins.
const BEGINNING: &str = "{\"pid\":";

/// Who holds a directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Holder {
    /// The number of the process.
    pub pid: u32,
    /// The name of its machine.
    pub host: String,
    /// What it runs.
    pub command: String,
    /// Since when, in seconds since 1970-01-01 UTC.
    pub since: u64,
}

/// A lock, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    shared: bool,
}

/// What came of the attempt.
#[derive(Debug)]
pub enum Locking {
    /// It is ours.
    Held(Lock),
    /// Others have it, as far as they have told.
    Busy(Vec<Holder>),
    /// The file system has no locks: why.
    Without(String),
}

/// Tries to lock `directory`, which is there: alone, or `shared` with others that share it. Never waits.
///
/// # Errors
/// [`Error::Io`] where the file cannot be made; [`Error::InTheWay`] where another program's file has its name.
pub fn lock(directory: &Path, shared: bool, command: &str) -> Result<Locking, Error> {
    let attempt = |file: &File| if shared { file.try_lock_shared() } else { file.try_lock() };
    lock_by(directory, shared, command, &attempt)
}

/// Looks at a lock file that is still empty, a hundredth of a second apart.
const INTRODUCTIONS: usize = 50;

fn lock_by(
    directory: &Path,
    shared: bool,
    command: &str,
    attempt: &dyn Fn(&File) -> Result<(), TryLockError>,
) -> Result<Locking, Error> {
    let path = directory.join(LOCK);
    loop {
        let failed = || Error::io(&path, "lock the directory");
        // A pipe or a device is never read to its end.
        if fs::metadata(&path).is_ok_and(|it| !it.is_file()) {
            return Err(Error::InTheWay { path });
        }
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(Error::io(&path, "write to the directory"))?;
        let holders = holders(&mut file).map_err(failed())?;
        let Some(holders) = holders else { return Err(Error::InTheWay { path }) };
        match attempt(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Locking::Busy(introduced(&mut file).map_err(failed())?)),
            Err(TryLockError::Error(error)) => {
                // Nobody else's: it was empty, and says nothing.
                if holders.is_empty() {
                    let _ = whole::remove(&path);
                }
                return Ok(Locking::Without(error.to_string()));
            }
        }
        // The last holder may have removed the file between opening and locking it.
        if !is_still(&file, &path) {
            continue;
        }
        let mut lock = Lock { file, path, shared };
        lock.tell(command).map_err(Error::io(&lock.path, "write"))?;
        return Ok(Locking::Held(lock));
    }
}

impl Lock {
    fn tell(&mut self, command: &str) -> io::Result<()> {
        if !self.shared {
            self.file.set_len(0)?;
        }
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        let holder = Holder { pid: process::id(), host, command: command.into(), since };
        // In one piece, as other jobs append theirs.
        self.file.write_all(format!("{}\n", serde_json::to_string(&holder)?).as_bytes())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Whoever opens the file before it is gone, and locks it after, sees that it is gone.
        if !self.shared || self.file.try_lock().is_ok() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Holder {
    /// `process 123 on host, since 2026-11-28T17:42:42Z: twolayer run a.toml`.
    pub fn in_words(&self) -> String {
        let since = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(self.since));
        format!("process {} on {}, since {since}: {}", self.pid, self.host, self.command)
    }
}

/// Who has written into the file; `None` where it is of another program.
fn holders(file: &mut File) -> io::Result<Option<Vec<Holder>>> {
    let mut text = Vec::new();
    file.rewind()?;
    file.take(1 << 20).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    if !(text.starts_with(BEGINNING) || BEGINNING.starts_with(&*text)) {
        return Ok(None);
    }
    // The last line may be cut off by a kill; times beyond what can be written are no times.
    let known = |holder: &Holder| holder.since < 1 << 37;
    Ok(Some(text.lines().filter_map(|line| serde_json::from_str(line).ok()).filter(known).collect()))
}

/// Those of a file that is locked: whoever has just locked it writes its line a moment later.
fn introduced(file: &mut File) -> io::Result<Vec<Holder>> {
    for _ in 0..INTRODUCTIONS {
        let found = holders(file)?.unwrap_or_default();
        if !found.is_empty() {
            return Ok(found);
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(Vec::new())
}

#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |locked: &fs::Metadata, named: &fs::Metadata| (locked.dev(), locked.ino()) == (named.dev(), named.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(locked), Ok(named)) if same(&locked, &named))
}

#[cfg(not(unix))]
fn is_still(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(directory: &Path, shared: bool) -> Lock {
        match lock(directory, shared, "twolayer run a.toml").unwrap() {
            Locking::Held(lock) => lock,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_alone_or_many_together() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let alone = held(path, false);
        for shared in [false, true] {
            let Locking::Busy(holders) = lock(path, shared, "b").unwrap() else { panic!("two have it") };
            assert_eq!(
                (holders.len(), holders[0].pid, &*holders[0].command),
                (1, process::id(), "twolayer run a.toml")
            );
        }
        drop(alone);
        assert!(!path.join(LOCK).exists());
        let (one, two) = (held(path, true), held(path, true));
        let Locking::Busy(holders) = lock(path, false, "b").unwrap() else { panic!("two have it") };
        assert_eq!(holders.len(), 2);
        drop(one);
        assert!(path.join(LOCK).exists());
        assert!(matches!(lock(path, false, "b").unwrap(), Locking::Busy(_)));
        drop(two);
        assert!(!path.join(LOCK).exists());
        drop(held(path, false));
    }

    #[test]
    fn a_file_of_another_program_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(LOCK);
        fs::write(&path, "mine").unwrap();
        assert!(matches!(lock(directory.path(), false, "a"), Err(Error::InTheWay { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        // What a run that was killed has left is taken over.
        fs::write(&path, "{\"pid\":1,\"host\":\"h\",\"comm").unwrap();
        drop(held(directory.path(), false));
        assert!(!path.exists());
    }

    #[test]
    fn without_locks_it_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let none = |_: &File| Err(TryLockError::Error(io::Error::from(io::ErrorKind::Unsupported)));
        let locking = lock_by(directory.path(), false, "a", &none).unwrap();
        assert!(matches!(locking, Locking::Without(_)) && !directory.path().join(LOCK).exists());
    }

    #[test]
    fn a_holder_in_words() {
        let holder = Holder { pid: 7, host: "h".into(), command: "twolayer run a.toml".into(), since: 86_400 };
        assert_eq!(holder.in_words(), "process 7 on h, since 1970-01-02T00:00:00Z: twolayer run a.toml");
    }
}
