//! A run on disk: finished tasks are in files of `parts/` but for a moment's work, so that nothing that kills the program
//! loses more than that and the tasks that were running. A session that goes on from there skips what it finds.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use twolayer::{method::Machine, record::Status};

use super::{Monitor, Stopped, execute};
use twolayer_file::Study;

use crate::{
    store::{self, Error, Manifest, Part, Parts},
    task::{self, Prepared, Task, Tasks},
};

/// Experiments of points that are kept at hand; tasks of one point come one after the other, more or less.
const AT_HAND: usize = 4;

/// A run of a study in its results directory. Memory does not grow with the number of points or tasks, apart from the
/// list of tasks itself.
pub struct Session<'a> {
    pub(super) study: &'a Study,
    pub(super) tasks: &'a Tasks,
    pub(super) out: &'a Path,
    pub(super) parts: Parts,
    machine: Machine,
    recent: Mutex<VecDeque<(usize, Arc<Prepared>)>>,
    /// Points whose results are here, whole, from an earlier session.
    pub(super) complete: Vec<bool>,
    /// What was interrupted, by the name of its task: at most one for each thread.
    pub(super) interrupted: Mutex<HashMap<String, Part>>,
}

impl<'a> Session<'a> {
    /// A session in `out`, which holds nothing or this study's tasks.
    ///
    /// # Errors
    /// [`Error::Io`] where `out` cannot be written to.
    pub fn new(study: &'a Study, tasks: &'a Tasks, out: &'a Path, machine: Machine) -> Result<Self, Error> {
        let title = study.title();
        let all = task::once(&tasks.all).len();
        store::begin(out, &store::Marker::new(&tasks.identity, &title, study.path(), all))?;
        let complete = vec![false; study.points().len()];
        let (recent, interrupted) = (Mutex::default(), Mutex::default());
        let parts = Parts::new(&store::part_directory(out));
        Ok(Self { study, tasks, out, parts, machine, recent, complete, interrupted })
    }

    /// The tasks of `wanted` that are not finished. Files that are damaged are reported to `say`, and as good as absent.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn unfinished(&mut self, wanted: Vec<Task>, say: &mut dyn FnMut(String)) -> Result<Vec<Task>, Error> {
        for point in 0..self.complete.len() {
            self.complete[point] = self.is_complete(point, say);
        }
        let open = |task: &&Task| !self.complete[task.point];
        let names: HashSet<&str> = wanted.iter().filter(open).map(|task| task.name.as_str()).collect();
        self.parts.find(&names, say)?;
        let found = self.parts.tasks();
        Ok(wanted.into_iter().filter(|task| open(&task) && !found.contains(&task.name)).collect())
    }

    /// Runs `tasks`; what is finished is on disk but for a moment's work, and all of it at the end.
    ///
    /// # Errors
    /// What hindered it, a full disk for one; what was on disk before is kept.
    pub fn work(&self, tasks: Vec<Task>, threads: usize, monitor: &dyn Monitor) -> Result<(), Stopped> {
        let keep = |task: &Task, part: Part| {
            if part.trajectory.status == Status::Interrupted {
                let mut interrupted = self.interrupted.lock().unwrap_or_else(PoisonError::into_inner);
                interrupted.insert(task.name.clone(), part);
                return Ok(());
            }
            self.parts.keep(&task.name, &part)
        };
        execute(&task::by_length(tasks), &|point| self.prepared(point), threads, monitor, &keep)?;
        Ok(self.parts.flush()?)
    }

    /// The directory of a point's results.
    pub fn directory(&self, point: usize) -> PathBuf {
        if self.study.is_sweep() { self.out.join(&self.study.points()[point].directory) } else { self.out.into() }
    }

    /// The experiment of a point, planned.
    pub(super) fn prepared(&self, point: usize) -> Result<Arc<Prepared>, Stopped> {
        let lock = || self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = lock().iter().find(|(number, _)| *number == point) {
            return Ok(known.clone());
        }
        let prepared = Prepared::new(self.study, point, &self.machine).map_err(|faults| {
            Stopped::Point(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))
        })?;
        let prepared = Arc::new(prepared);
        let mut recent = lock();
        recent.push_front((point, prepared.clone()));
        recent.truncate(AT_HAND);
        Ok(prepared)
    }

    /// Whether the point's directory holds the results of exactly these tasks, all of them, readable to the last number.
    fn is_complete(&self, point: usize, say: &mut dyn FnMut(String)) -> bool {
        let directory = self.directory(point);
        let Ok(manifest) = Manifest::read(&directory) else { return false };
        if manifest.provenance.tasks != self.tasks.of_point_in_a_word(point) || !manifest.is_complete() {
            return false;
        }
        match store::load(&directory) {
            Ok(_) => true,
            Err(error) => {
                say(format!("{error}: its tasks are run again"));
                false
            }
        }
    }
}
