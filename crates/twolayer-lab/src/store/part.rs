//! One finished task in bytes: a line of words, a line of JSON, the arrays as little-endian f64, and a checksum of all
//! that. What does not read back to the last bit is as good as absent.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
};

use serde::{Deserialize, Serialize};
use twolayer::record::{KeepQ, Trajectory};

use super::{Error, ReplicateRecord};
use twolayer_file::hash;

const MAGIC: &[u8] = b"twolayer part 1\n";

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
    kernel: String,
    started: f64,
    seconds: f64,
    ended: ReplicateRecord,
    width: usize,
    directions: usize,
    keep_q: String,
    /// Names and lengths of the arrays, in their order.
    arrays: Vec<(String, usize)>,
}

/// One array of a trajectory.
pub(super) struct Array {
    name: &'static str,
    /// It, where there is one.
    pub(super) get: fn(&Trajectory) -> Option<&[f64]>,
    set: fn(&mut Trajectory, Vec<f64>),
}

macro_rules! always {
    ($name:literal, $field:ident) => {
        Array { name: $name, get: |run| Some(&run.$field), set: |run, array| run.$field = array }
    };
}
macro_rules! perhaps {
    ($name:literal, $field:ident) => {
        Array { name: $name, get: |run| run.$field.as_deref(), set: |run, array| run.$field = Some(array) }
    };
}

/// Every array of a trajectory.
pub(super) const ARRAYS: [Array; 19] = [
    always!("step", step),
    always!("time", time),
    always!("samples", samples),
    always!("gradients", gradients),
    always!("risk", risk),
    perhaps!("training_risk", training_risk),
    perhaps!("risk_error", risk_error),
    always!("M", student_teacher),
    perhaps!("M_error", student_teacher_error),
    perhaps!("Q_diag_error", student_squares_error),
    always!("Q", student_student),
    always!("Q_diag", student_squares),
    always!("a", second_layer),
    always!("bias", bias),
    perhaps!("gradient_M", gradient_teacher),
    perhaps!("gradient_norm", gradient_norm),
    always!("crossing_step", crossing_step),
    perhaps!("C_loss", loss_correlation),
    perhaps!("R_loss", loss_response),
];

impl Part {
    pub(super) fn to_bytes(&self, task: &str) -> Vec<u8> {
        let run = &self.trajectory;
        let arrays = || ARRAYS.iter().filter_map(|array| Some((array.name, (array.get)(run)?)));
        let header = Header {
            task: task.into(),
            kernel: self.kernel.clone(),
            started: self.started,
            seconds: self.seconds,
            ended: ReplicateRecord::new(run),
            width: run.width,
            directions: run.directions,
            keep_q: word(run.keep_q).into(),
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
        let keep_q = [KeepQ::Full, KeepQ::Diagonal, KeepQ::None].into_iter().find(|keep| word(*keep) == header.keep_q);
        let mut run = Trajectory {
            risk_error: None,
            status: header.ended.status().ok_or("its status is unknown")?,
            valid: header.ended.valid,
            ..Trajectory::new(header.width, header.directions, keep_q.ok_or("its Q is unknown")?)
        };
        for (name, length) in &header.arrays {
            let array = ARRAYS.iter().find(|array| array.name == name).ok_or("an array of it is unknown")?;
            (array.set)(&mut run, numbers.by_ref().take(*length).collect());
        }
        Ok(Self { trajectory: run, kernel: header.kernel, started: header.started, seconds: header.seconds })
    }
}

/// The tasks of a file, and where each of them lies.
type Contents = Vec<(String, Range<u64>)>;

/// The contents of a file, from the first lines of each task alone.
///
/// # Errors
/// [`Error::Damaged`] where these lines do not lead to the end of the file; [`Error::Io`].
pub(super) fn contents(path: &Path) -> Result<Contents, Error> {
    let walk = || -> io::Result<Option<Contents>> {
        let mut file = BufReader::new(File::open(path)?);
        let length = file.get_ref().metadata()?.len();
        let (mut found, mut at) = (Vec::new(), 0);
        while at < length {
            let mut line = Vec::new();
            // The line of words, then that of JSON.
            let words = file.read_until(b'\n', &mut line)?;
            file.read_until(b'\n', &mut line)?;
            let Ok(header) = serde_json::from_slice::<Header>(&line[words..]) else { return Ok(None) };
            let numbers = header.arrays.iter().fold(0_u64, |sum, (_, length)| sum.saturating_add(*length as u64));
            // The checksum is one more.
            let bytes = numbers.saturating_mul(8).saturating_add(8);
            let end = bytes.saturating_add(at + line.len() as u64);
            if end > length {
                return Ok(None);
            }
            file.seek_relative(bytes as i64)?;
            found.push((header.task, at..end));
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
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(range.start))?;
        let mut bytes = Vec::new();
        file.take(range.end - range.start).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(Error::io(path, "read"))?;
    Part::from_bytes(&bytes, task).map_err(|reason| Error::damaged(path, reason))
}

fn word(keep_q: KeepQ) -> &'static str {
    match keep_q {
        KeepQ::Full => "full",
        KeepQ::Diagonal => "diagonal",
        KeepQ::None => "none",
    }
}

#[cfg(test)]
mod tests {
    use twolayer::record::Status;

    use super::*;
    use crate::fabricated::{self, Sizes};

    fn part() -> Part {
        let times = fabricated::log_times(7, 0.01, 10.0);
        let mut trajectory = fabricated::simulation(Sizes { p: 3, k: 2 }, &times, 1, 0.1, 7).trajectories.remove(0);
        trajectory.training_risk = Some(trajectory.risk.iter().map(|risk| risk + 0.25).collect());
        (trajectory.loss_correlation, trajectory.loss_response) = (Some(vec![0.25; 4]), Some(vec![-0.5; 4]));
        trajectory.gradient_norm = Some(vec![0.5; 7 * 3]);
        trajectory.crossing_step = vec![12.5, f64::NAN];
        trajectory.risk[7] = f64::from_bits(0x7ff8_0000_dead_beef);
        trajectory.status = Status::Diverged { at: 31.0 };
        trajectory.valid = 7;
        Part { trajectory, kernel: "erf, closed form".into(), started: 1.7e9, seconds: 1.5 }
    }

    fn bits(part: &Part) -> Vec<Vec<u64>> {
        let arrays = ARRAYS.iter().filter_map(|array| (array.get)(&part.trajectory));
        arrays.map(|array| array.iter().map(|x| x.to_bits()).collect()).collect()
    }

    #[test]
    fn a_part_is_read_back_bit_for_bit() {
        let mut parts = vec![part(), part()];
        parts[1].trajectory.status = Status::Failed { reason: "no \"covariance\"".into() };
        for part in &parts {
            let back = Part::from_bytes(&part.to_bytes("name"), "name").unwrap();
            assert_eq!(bits(&back), bits(part));
            assert_eq!(back.trajectory.loss_correlation, part.trajectory.loss_correlation);
            assert_eq!(back.trajectory.loss_response, part.trajectory.loss_response);
            let head = |part: &Part| (part.kernel.clone(), part.started, part.seconds, part.trajectory.status.clone());
            assert_eq!(head(&back), head(part));
            assert_eq!((back.trajectory.valid, back.trajectory.keep_q), (7, KeepQ::Diagonal));
        }
    }

    /// Cut off anywhere, one bit turned anywhere, another task's bytes: never taken for a result.
    #[test]
    fn what_is_not_whole_is_damaged() {
        let whole = part().to_bytes("name");
        assert!((0..whole.len()).all(|length| Part::from_bytes(&whole[..length], "name").is_err()));
        for at in 0..whole.len() {
            let mut garbled = whole.clone();
            garbled[at] ^= 1 << (at % 8);
            assert!(Part::from_bytes(&garbled, "name").is_err(), "byte {at}");
        }
        assert!(Part::from_bytes(&part().to_bytes("other"), "name").is_err());
        assert!(Part::from_bytes(&whole, "name").is_ok());
    }
}
