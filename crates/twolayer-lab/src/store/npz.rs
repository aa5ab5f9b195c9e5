//! `<view>.npz`: the trajectories of one view as f64 arrays in C order.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Seek, Write},
    path::Path,
};

use npyz::WriterBuilder;
use twolayer::record::{Axis, OBSERVABLES, Observable, Trajectory, When};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{
    Error, Manifest, ReplicateRecord, ViewRecord,
    arrays::{ENDED, written},
    layout::{WORDS, array_name, is_plain},
    whole::{self, Staged, stage},
};
use twolayer_file::hash;

use crate::outcome::Outcome;

/// Writes what shall be `directory/<name>.npz`: every [`Observable`] that all replicates have, stacked where each has its own,
/// and of each replicate `status` ([`Status::code`](twolayer::record::Status::code)) and `valid`; and `<name>.readout.npz`,
/// where there is anything for it.
///
/// # Errors
/// [`Error::Name`]; [`Error::Shape`] where the replicates do not share their axis; [`Error::Io`].
pub(super) fn stage_view(directory: &Path, name: &str, outcome: &Outcome) -> Result<Vec<Staged>, Error> {
    let runs = &outcome.trajectories;
    // `../x` would be written elsewhere, `.x` be hidden.
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', ':', '\0']) {
        return Err(Error::Name { view: name.into() });
    }
    check_shapes(name, runs)?;
    let numbers: usize = runs.iter().map(numbers).sum();
    let words = WORDS.into_iter().filter(|word| written(runs, *word).next().is_some());
    let staged = words.map(|word| {
        stage(directory, &array_name(name, word), 8 * numbers as u64, |file| {
            let mut archive = ZipWriter::new(file);
            if let Err(error) = write_arrays(&mut archive, runs, word) {
                // Its drop would try to finish the archive, and print that it cannot.
                std::mem::forget(archive);
                return Err(error);
            }
            archive.finish()?;
            Ok(())
        })
    });
    staged.collect()
}

/// Numbers of one trajectory.
fn numbers(run: &Trajectory) -> usize {
    OBSERVABLES.iter().map(|array| run.of(array).len()).sum()
}

fn check_shapes(view: &str, runs: &[Trajectory]) -> Result<(), Error> {
    let Some(first) = runs.first() else {
        return Err(Error::Shape { view: view.into(), reason: "no replicate, nothing to write".into() });
    };
    let shape = |run: &Trajectory| (run.len(), run.width, run.directions, run.keep_q());
    match runs.iter().position(|run| shape(run) != shape(first)) {
        None => Ok(()),
        Some(r) => {
            let reason =
                format!("replicate {r} has (T, p, k, Q) = {:?}, replicate 0 {:?}", shape(&runs[r]), shape(first));
            Err(Error::Shape { view: view.into(), reason })
        }
    }
}

fn write_arrays<W: Write + Seek>(
    archive: &mut ZipWriter<W>,
    runs: &[Trajectory],
    word: Option<&str>,
) -> io::Result<()> {
    // What is shared is the same for all: the longest valid replicate knows most of it (samples are NaN from `valid` on).
    let longest = runs.iter().max_by_key(|run| run.valid).unwrap_or(&runs[0]);
    for array in written(runs, word) {
        let name = array.place().1;
        let shape = longest.shape(array);
        if array.is_shared() {
            write_array(archive, name, &shape, &mut std::iter::once(longest.of(array)))?;
        } else {
            let shape: Vec<usize> = std::iter::once(runs.len()).chain(shape).collect();
            write_array(archive, name, &shape, &mut runs.iter().map(|run| run.of(array)))?;
        }
    }
    for (name, of) in ENDED.into_iter().filter(|_| word.is_none()) {
        let values: Vec<f64> = runs.iter().map(of).collect();
        write_array(archive, name, &[runs.len()], &mut std::iter::once(values.as_slice()))?;
    }
    Ok(())
}

/// Streams the parts one after the other, so that a stack of replicates is never built in memory.
fn write_array<W: Write + Seek>(
    archive: &mut ZipWriter<W>,
    name: &str,
    shape: &[usize],
    parts: &mut dyn Iterator<Item = &[f64]>,
) -> io::Result<()> {
    let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    let bytes = 8 * shape.iter().product::<u64>();
    // Stored: doubles with noise in them do not shrink, and stored arrays can be memory-mapped.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(bytes + 1024 > u64::from(u32::MAX));
    archive.start_file(npyz::npz::file_name_from_array_name(name), options)?;
    let mut buffered = BufWriter::with_capacity(1 << 16, archive);
    let mut writer = npyz::WriteOptions::<f64>::new().default_dtype().shape(&shape).writer(&mut buffered).begin_nd()?;
    for part in parts {
        writer.extend(part.iter().copied())?;
    }
    writer.finish()?;
    buffered.flush()
}

/// Reads the files of a view back, bit for bit: with the hashes that the manifest tells, or, of 0.1.0, with the checksum of
/// each array.
///
/// # Errors
/// [`Error::Io`] where it cannot be read, [`Error::Damaged`] where it is missing or not what was written.
pub fn read_view(directory: &Path, manifest: &Manifest, record: &ViewRecord) -> Result<Outcome, Error> {
    let again = |error: Error| error.remedied(format!("`{} --resume` makes it again", manifest.command));
    let mut read = Found { extents: vec![(Axis::Replicate, record.replicate_status.len())], arrays: Vec::new() };
    for word in WORDS.into_iter().filter(|word| record.has_file(*word)) {
        let file = record.file_of(word);
        let path = directory.join(&file);
        if !is_plain(&file) {
            return Err(Error::damaged(&path, "the manifest names a file elsewhere"));
        }
        let opened = open(&path, manifest.files.get(&file)).map_err(again)?;
        let archive = ZipArchive::new(BufReader::new(opened)).map_err(|e| again(Error::damaged(&path, e)))?;
        Arrays { path: &path, archive }.read(word, &mut read).map_err(again)?;
    }
    let trajectories = read.trajectories(directory, record).map_err(again)?;
    Ok(Outcome {
        method_id: record.method_id.clone(),
        method: record.method.clone(),
        reason: record.reason.clone(),
        kernel: record.kernel.clone(),
        trajectories,
        seconds: record.seconds,
        core_seconds: record.core_seconds,
        bytes: record.bytes,
        advice: record.advice.clone(),
        warnings: record.warnings.clone(),
        expected: record.phases.expected.clone(),
    })
}

/// A file, whose content has the hash `expected` where one is.
fn open(path: &Path, expected: Option<&String>) -> Result<File, Error> {
    let mut file = match whole::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::damaged(path, "the file is missing"));
        }
        file => file.map_err(Error::io(path, "read"))?,
    };
    if let Some(expected) = expected {
        let found = hash::sha256_of(&mut file).and_then(|found| file.rewind().map(|()| found));
        if found.map_err(Error::io(path, "read"))? != *expected {
            return Err(Error::damaged(path, "its content has another hash than the manifest says: damaged"));
        }
    }
    Ok(file)
}

struct Arrays<'a> {
    path: &'a Path,
    archive: ZipArchive<BufReader<File>>,
}

struct Array {
    shape: Vec<usize>,
    data: Vec<f64>,
}

impl Array {
    /// The rows of replicate r.
    fn replicate(&self, r: usize) -> Vec<f64> {
        let rows = self.data.len() / self.shape[0].max(1);
        self.data[r * rows..(r + 1) * rows].to_vec()
    }
}

impl Arrays<'_> {
    fn get(&mut self, name: &str) -> Result<Option<Array>, Error> {
        let path = self.path;
        let damaged = |e: &dyn std::fmt::Display| Error::damaged(path, format!("array `{name}`: {e}"));
        let mut entry = match self.archive.by_name(&npyz::npz::file_name_from_array_name(name)) {
            Ok(entry) => entry,
            Err(zip::result::ZipError::FileNotFound) => return Ok(None),
            Err(e) => return Err(damaged(&e)),
        };
        // Arrays are stored as they are: what would grow in memory is none of ours.
        let bytes = entry.compressed_size();
        let array = npyz::NpyFile::new(BufReader::new(&mut entry)).map_err(|e| damaged(&e))?;
        if array.order() != npyz::Order::C {
            return Err(damaged(&"not in C order"));
        }
        let numbers = array.shape().iter().try_fold(1_u64, |product, size| product.checked_mul(*size));
        // Nothing is allocated on the word of a header.
        if numbers.is_none_or(|numbers| numbers > bytes / 8) {
            return Err(damaged(&format!("its shape {:?} is larger than the file", array.shape())));
        }
        let shape = array.shape().iter().map(|&n| n as usize).collect();
        let data = array.into_vec().map_err(|e| damaged(&e))?;
        // The checksum is compared at the end.
        io::copy(&mut entry, &mut io::sink()).map_err(|e| damaged(&e))?;
        Ok(Some(Array { shape, data }))
    }

    /// Reads all arrays of the file with this word.
    fn read(&mut self, word: Option<&str>, into: &mut Found) -> Result<(), Error> {
        for array in OBSERVABLES.iter().copied().filter(|array| array.place().0 == word) {
            match self.get(array.place().1)? {
                Some(values) => {
                    into.check(array, &values.shape).map_err(|reason| Error::damaged(self.path, reason))?;
                    into.arrays.push((array, values));
                }
                None if matches!(array.when, When::Always) => {
                    return Err(Error::damaged(self.path, format!("array `{}` is missing", array.name)));
                }
                None => {}
            }
        }
        Ok(())
    }
}

/// What the files of a view hold.
struct Found {
    /// How long each axis is, as far as the arrays have said it.
    extents: Vec<(Axis, usize)>,
    arrays: Vec<(&'static Observable, Array)>,
}

impl Found {
    /// How long an axis is; 0 where no array has said it.
    fn extent(&self, axis: Axis) -> usize {
        self.extents.iter().find(|(other, _)| *other == axis).map_or(0, |(_, length)| *length)
    }

    /// Compares an array's shape with the axes that the arrays before it have, and learns the others.
    fn check(&mut self, array: &Observable, shape: &[usize]) -> Result<(), String> {
        let mut fits = shape.len() == array.axes.len();
        for (&axis, &length) in array.axes.iter().zip(shape) {
            let (axis, length) = match axis {
                Axis::Interval => {
                    fits &= length == self.extent(Axis::Time).saturating_sub(1);
                    continue;
                }
                Axis::OtherTime => (Axis::Time, length),
                Axis::OtherNeuron => (Axis::Neuron, length),
                axis => (axis, length),
            };
            match self.extents.iter().find(|(other, _)| *other == axis) {
                Some((_, known)) => fits &= length == *known,
                None => self.extents.push((axis, length)),
            }
        }
        if fits {
            return Ok(());
        }
        let known: Vec<String> = self.extents.iter().map(|(axis, n)| format!("{} = {n}", axis.letter())).collect();
        Err(format!("array `{}` has shape {shape:?}, not {} with {}", array.name, array.shape(), known.join(", ")))
    }

    /// Every replicate, as the files and the manifest have it.
    fn trajectories(&self, directory: &Path, record: &ViewRecord) -> Result<Vec<Trajectory>, Error> {
        let (p, k, entries) = (self.extent(Axis::Neuron), self.extent(Axis::Direction), self.extent(Axis::Time));
        let damaged = |reason: String| Error::damaged(&directory.join(&record.file), reason);
        let run = |(r, outcome): (usize, &ReplicateRecord)| -> Result<Trajectory, Error> {
            let mut run = Trajectory::empty(p, k);
            run.status = outcome.status().ok_or_else(|| {
                damaged(format!("unknown status `{}` of replicate {r} in the manifest", outcome.status))
            })?;
            run.valid = outcome.valid.min(entries);
            for (array, values) in &self.arrays {
                let mut own = if array.is_shared() { values.data.clone() } else { values.replicate(r) };
                if array.is_shared() && array.is_by_entry() {
                    // The file has the longest replicate's.
                    own.iter_mut().skip(run.valid * run.row_size(array)).for_each(|x| *x = f64::NAN);
                }
                run.set(array, own);
            }
            run.valid = outcome.valid;
            match run.fault() {
                Some(fault) => Err(damaged(format!("replicate {r}: {fault}"))),
                None => Ok(run),
            }
        };
        record.replicate_status.iter().enumerate().map(run).collect()
    }
}
