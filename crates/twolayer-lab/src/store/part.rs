//! One finished task in bytes: a line of words, a line of JSON, the arrays as little-endian f64, and a checksum of all
//! that. What does not read back to the last bit is as good as absent.

use std::{
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
};

use serde::{Deserialize, Serialize};
use twolayer::record::{OBSERVABLES, Observable, Trajectory};

use super::{Error, ReplicateRecord, whole};
use twolayer_file::hash;

const MAGIC: &[u8] = b"twolayer part 1\n";

/// The line of JSON is no longer, whatever a file says.
const LONGEST_HEADER: u64 = 1 << 20;

/// What one task gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The record.
    pub trajectory: Trajectory,
    /// How the population averages were taken.
    pub kernel: String,
    /// When it began, seconds since 1970-01-01 UTC.
    pub started: f64,
    /// How long it took.
    pub seconds: f64,
}

#[derive(Serialize, Deserialize)]
struct Header {
    task: String,
    /// The identity of the run; 0.1.0 did not write it.
    #[serde(default)]
    experiment: String,
    kernel: String,
    started: f64,
    seconds: f64,
    ended: ReplicateRecord,
    width: usize,
    directions: usize,
    /// Names and lengths of the arrays, in their order.
    arrays: Vec<(String, usize)>,
}

impl Part {
    pub(super) fn to_bytes(&self, task: &str, experiment: &str) -> Vec<u8> {
        let run = &self.trajectory;
        let arrays = || OBSERVABLES.iter().filter_map(|array| Some((array.name, run.get(array)?)));
        let header = Header {
            task: task.into(),
            experiment: experiment.into(),
            kernel: self.kernel.clone(),
            started: self.started,
            seconds: self.seconds,
            ended: ReplicateRecord::new(run),
            width: run.width,
            directions: run.directions,
            arrays: arrays().map(|(name, array)| (name.into(), array.len())).collect(),
        };
        let mut bytes = MAGIC.to_vec();
        bytes.extend(serde_json::json!(header).to_string().bytes());
        bytes.push(b'\n');
        bytes.extend(arrays().flat_map(|(_, array)| array).flat_map(|x| x.to_le_bytes()));
        let checksum = hash::checksum(&bytes);
        bytes.extend(checksum.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8], task: &str) -> Result<Self, String> {
        let (content, checksum) = bytes.split_last_chunk::<8>().ok_or("it is cut off")?;
        if hash::checksum(content) != u64::from_le_bytes(*checksum) {
            return Err("its checksum is another".into());
        }
        let content = content.strip_prefix(MAGIC).ok_or("it is no part of this program")?;
        let line = content.iter().position(|byte| *byte == b'\n').ok_or("it has no header")?;
        let header: Header = serde_json::from_slice(&content[..line]).map_err(|error| error.to_string())?;
        if header.task != task {
            return Err(format!("it holds task {}", header.task));
        }
        let mut numbers =
            content[line + 1..].chunks_exact(8).map(|x| f64::from_le_bytes(x.try_into().unwrap_or_default()));
        let mut run = Trajectory::empty(header.width, header.directions);
        run.status = header.ended.status().ok_or("its status is unknown")?;
        run.valid = header.ended.valid;
        for (name, length) in &header.arrays {
            let array = Observable::named(name).ok_or("an array of it is unknown")?;
            run.set(array, numbers.by_ref().take(*length).collect());
        }
        if let Some(fault) = run.fault() {
            return Err(fault);
        }
        Ok(Self { trajectory: run, kernel: header.kernel, started: header.started, seconds: header.seconds })
    }
}

/// One task of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub(super) task: String,
    /// The identity of its run; empty in files of 0.1.0.
    pub(super) experiment: String,
    /// Where in the file it lies.
    pub(super) range: Range<u64>,
}

/// The tasks of a file.
type Contents = Vec<Place>;

/// The contents of a file, from the first lines of each task alone.
///
/// # Errors
/// [`Error::Damaged`] where these lines do not lead to the end of the file; [`Error::Io`].
pub(super) fn contents(path: &Path) -> Result<Contents, Error> {
    let walk = || -> io::Result<Option<Contents>> {
        let mut file = BufReader::new(whole::open(path)?);
        let length = file.get_ref().metadata()?.len();
        let (mut found, mut at) = (Vec::new(), 0);
        while at < length {
            let mut line = Vec::new();
            // The line of words, then that of JSON.
            let words = file.by_ref().take(MAGIC.len() as u64).read_until(b'\n', &mut line)?;
            file.by_ref().take(LONGEST_HEADER).read_until(b'\n', &mut line)?;
            let Ok(header) = serde_json::from_slice::<Header>(&line[words..]) else { return Ok(None) };
            let numbers = header.arrays.iter().fold(0_u64, |sum, (_, length)| sum.saturating_add(*length as u64));
            // The checksum is one more.
            let bytes = numbers.saturating_mul(8).saturating_add(8);
            let end = bytes.saturating_add(at + line.len() as u64);
            if end > length {
                return Ok(None);
            }
            file.seek_relative(bytes as i64)?;
            found.push(Place { task: header.task, experiment: header.experiment, range: at..end });
            at = end;
        }
        Ok(Some(found))
    };
    let found = walk().map_err(Error::io(path, "read"))?;
    found.filter(|found| !found.is_empty()).ok_or_else(|| Error::damaged(path, "it is cut off or garbled"))
}

/// The part of `task` that lies at `range` of a file.
///
/// # Errors
/// [`Error::Damaged`] where it is not, bit for bit, what was written; [`Error::Io`].
pub(super) fn read_at(path: &Path, range: &Range<u64>, task: &str) -> Result<Part, Error> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = whole::open(path)?;
        file.seek(SeekFrom::Start(range.start))?;
        let mut bytes = Vec::new();
        file.take(range.end - range.start).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(Error::io(path, "read"))?;
    Part::from_bytes(&bytes, task).map_err(|reason| Error::damaged(path, reason))
}

#[cfg(test)]
mod tests {
    use twolayer::record::{
        Status,
        observable::{CROSSING_STEP, HALF_TIME, HALF_TIME_ERROR, READOUT_SAMPLES, READOUT_STEP, RIDGE, RISK},
    };

    use super::*;
    use crate::fabricated::{self, Sizes};

    fn part() -> Part {
        let times = fabricated::log_times(7, 0.01, 10.0);
        let mut trajectory = fabricated::simulation(Sizes { p: 3, k: 2 }, &times, 1, 0.1, 7).trajectories.remove(0);
        // Every array of the table, each with other numbers; one of them a NaN that says more.
        for (at, observable) in OBSERVABLES.iter().enumerate().filter(|(_, o)| !o.is_coordinate()) {
            // Axes that only the record knows.
            let own = [&CROSSING_STEP, &HALF_TIME, &HALF_TIME_ERROR, &READOUT_STEP, &READOUT_SAMPLES, &RIDGE]
                .contains(observable);
            trajectory.set(observable, vec![0.25 * at as f64; if own { 2 } else { 0 }]);
            let size = trajectory.shape(observable).iter().product();
            trajectory.set(observable, (0..size).map(|i| at as f64 + 1e-3 * i as f64).collect());
        }
        trajectory.of_mut(&RISK)[7] = f64::from_bits(0x7ff8_0000_dead_beef);
        trajectory.status = Status::Diverged { at: 31.0 };
        trajectory.valid = 7;
        Part { trajectory, kernel: "erf, closed form".into(), started: 1.7e9, seconds: 1.5 }
    }

    fn bits(part: &Part) -> Vec<Option<Vec<u64>>> {
        let arrays = OBSERVABLES.iter().map(|array| part.trajectory.get(array));
        arrays.map(|array| Some(array?.iter().map(|x| x.to_bits()).collect())).collect()
    }

    #[test]
    fn a_part_is_read_back_bit_for_bit() {
        let mut parts = vec![part(), part()];
        parts[1].trajectory.status = Status::Failed { reason: "no \"covariance\"".into() };
        for part in &parts {
            let back = Part::from_bytes(&part.to_bytes("name", "run"), "name").unwrap();
            assert_eq!(bits(&back), bits(part));
            assert!(bits(&back).iter().all(Option::is_some));
            let head = |part: &Part| (part.kernel.clone(), part.started, part.seconds, part.trajectory.status.clone());
            assert_eq!(head(&back), head(part));
            assert_eq!(back.trajectory.valid, 7);
        }
    }

    /// Cut off anywhere, one bit turned anywhere, another task's bytes: never taken for a result.
    #[test]
    fn what_is_not_whole_is_damaged() {
        let whole = part().to_bytes("name", "run");
        assert!((0..whole.len()).all(|length| Part::from_bytes(&whole[..length], "name").is_err()));
        for at in 0..whole.len() {
            let mut garbled = whole.clone();
            garbled[at] ^= 1 << (at % 8);
            assert!(Part::from_bytes(&garbled, "name").is_err(), "byte {at}");
        }
        assert!(Part::from_bytes(&part().to_bytes("other", "run"), "name").is_err());
        // Whole, and of a shape that no run has.
        let mut wide = part();
        wide.trajectory.width = usize::MAX;
        let mut long = part();
        long.trajectory.valid = long.trajectory.len() + 1;
        for strange in [wide, long] {
            assert!(Part::from_bytes(&strange.to_bytes("name", "run"), "name").is_err());
        }
        assert!(Part::from_bytes(&whole, "name").is_ok());
    }
}
