//! `<view>.npz`: the trajectories of one view as f64 arrays in C order.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Seek, Write},
    path::Path,
};

use npyz::WriterBuilder;
use twolayer::record::{KeepQ, Trajectory};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{Error, ViewRecord, part::ARRAYS, status_code, whole::write_whole};
use crate::outcome::Outcome;

/// Writes `directory/<name>.npz`, R replicates of T entries each:
///
/// | array | shape |
/// |---|---|
/// | `step`, `time`, `samples`, `gradients` | (T) |
/// | `risk`, `training_risk`, `risk_error` | (R,T), the last two where there are any |
/// | `M`, `M_error` | (R,T,p,k), the second where there is one |
/// | `Q` (all kept), `Q_diag`, `Q_diag_error` (at least the diagonal kept) | (R,T,p,p), (R,T,p), the last where there is one |
/// | `C_loss`, `R_loss` | (T,T,p,p), mean-field theory of reused data only, which has one replicate |
/// | `a`, `bias` | (R,T,p) |
/// | `gradient_M`, `gradient_norm`, `crossing_step`, as recorded | (R,T−1,p,k), (R,T−1,p), (R,C) |
/// | `status` ([`status_code`]), `valid` | (R) |
///
/// # Errors
/// [`Error::Name`]; [`Error::Shape`] where the replicates do not share their axis; [`Error::Io`].
pub fn write_view(directory: &Path, name: &str, outcome: &Outcome) -> Result<(), Error> {
    let runs = &outcome.trajectories;
    // `../x` would be written elsewhere, `.x` be hidden.
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', ':', '\0']) {
        return Err(Error::Name { view: name.into() });
    }
    check_shapes(name, runs)?;
    let numbers: usize = runs.iter().map(numbers).sum();
    write_whole(directory, &format!("{name}.npz"), 8 * numbers as u64, |file| {
        let mut archive = ZipWriter::new(file);
        if let Err(error) = write_arrays(&mut archive, runs) {
            // Its drop would try to finish the archive, and print that it cannot.
            std::mem::forget(archive);
            return Err(error);
        }
        archive.finish()?;
        Ok(())
    })
}

/// Numbers of one trajectory.
fn numbers(run: &Trajectory) -> usize {
    ARRAYS.iter().filter_map(|array| (array.get)(run)).map(<[f64]>::len).sum()
}

fn check_shapes(view: &str, runs: &[Trajectory]) -> Result<(), Error> {
    let Some(first) = runs.first() else {
        return Err(Error::Shape { view: view.into(), reason: "no replicate, nothing to write".into() });
    };
    let shape = |run: &Trajectory| (run.len(), run.width, run.directions, run.keep_q);
    match runs.iter().position(|run| shape(run) != shape(first)) {
        None => Ok(()),
        Some(r) => {
            let reason =
                format!("replicate {r} has (T, p, k, Q) = {:?}, replicate 0 {:?}", shape(&runs[r]), shape(first));
            Err(Error::Shape { view: view.into(), reason })
        }
    }
}

fn write_arrays<W: Write + Seek>(archive: &mut ZipWriter<W>, runs: &[Trajectory]) -> io::Result<()> {
    let (t, p, k) = (runs[0].len(), runs[0].width, runs[0].directions);
    // The axis is the same for all: the longest valid replicate knows most of it (samples are NaN from `valid` on).
    let axis = runs.iter().max_by_key(|run| run.valid).unwrap_or(&runs[0]);
    let mut put = |name: &str, tail: &[usize], parts: &mut dyn Iterator<Item = &[f64]>, stacked: bool| {
        let mut shape: Vec<u64> = if stacked { vec![runs.len() as u64] } else { Vec::new() };
        shape.extend(tail.iter().map(|&n| n as u64));
        write_array(archive, name, &shape, parts)
    };
    for (name, array) in
        [("step", &axis.step), ("time", &axis.time), ("samples", &axis.samples), ("gradients", &axis.gradients)]
    {
        put(name, &[t], &mut std::iter::once(array.as_slice()), false)?;
    }
    type Part = fn(&Trajectory) -> Option<&[f64]>;
    let (steps, crossings) = (t.saturating_sub(1), runs[0].crossing_step.len());
    let stacked: [(&str, &[usize], Part); 13] = [
        ("risk", &[t], |run| Some(&run.risk)),
        ("training_risk", &[t], |run| run.training_risk.as_deref()),
        ("risk_error", &[t], |run| run.risk_error.as_deref()),
        ("M", &[t, p, k], |run| Some(&run.student_teacher)),
        ("M_error", &[t, p, k], |run| run.student_teacher_error.as_deref()),
        ("Q", &[t, p, p], |run| (run.keep_q == KeepQ::Full).then_some(&run.student_student)),
        ("Q_diag", &[t, p], |run| (run.keep_q != KeepQ::None).then_some(&run.student_squares)),
        ("Q_diag_error", &[t, p], |run| run.student_squares_error.as_deref().filter(|_| run.keep_q != KeepQ::None)),
        ("a", &[t, p], |run| Some(&run.second_layer)),
        ("bias", &[t, p], |run| Some(&run.bias)),
        ("gradient_M", &[steps, p, k], |run| run.gradient_teacher.as_deref()),
        ("gradient_norm", &[steps, p], |run| run.gradient_norm.as_deref()),
        ("crossing_step", &[crossings], |run| (!run.crossing_step.is_empty()).then_some(&run.crossing_step)),
    ];
    for (name, tail, part) in stacked {
        let size = tail.iter().product::<usize>();
        if runs.iter().all(|run| part(run).is_some_and(|array| array.len() == size)) {
            put(name, tail, &mut runs.iter().filter_map(part), true)?;
        }
    }
    for (name, memory) in [("C_loss", &runs[0].loss_correlation), ("R_loss", &runs[0].loss_response)] {
        if let Some(memory) = memory.as_deref().filter(|memory| memory.len() == t * t * p * p) {
            put(name, &[t, t, p, p], &mut std::iter::once(memory), false)?;
        }
    }
    let status: Vec<f64> = runs.iter().map(|run| status_code(&run.status)).collect();
    let valid: Vec<f64> = runs.iter().map(|run| run.valid as f64).collect();
    put("status", &[], &mut std::iter::once(status.as_slice()), true)?;
    put("valid", &[], &mut std::iter::once(valid.as_slice()), true)
}

/// Streams the parts one after the other, so that a stack of replicates is never built in memory.
fn write_array<W: Write + Seek>(
    archive: &mut ZipWriter<W>,
    name: &str,
    shape: &[u64],
    parts: &mut dyn Iterator<Item = &[f64]>,
) -> io::Result<()> {
    let bytes = 8 * shape.iter().product::<u64>();
    // Stored: doubles with noise in them do not shrink, and stored arrays can be memory-mapped.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(bytes + 1024 > u64::from(u32::MAX));
    archive.start_file(npyz::npz::file_name_from_array_name(name), options)?;
    let mut buffered = BufWriter::with_capacity(1 << 16, archive);
    let mut writer = npyz::WriteOptions::<f64>::new().default_dtype().shape(shape).writer(&mut buffered).begin_nd()?;
    for part in parts {
        writer.extend(part.iter().copied())?;
    }
    writer.finish()?;
    buffered.flush()
}

/// Reads `directory/<record.file>` back, bit for bit.
///
/// # Errors
/// [`Error::Io`] where it cannot be read, [`Error::Damaged`] where arrays are missing or have other shapes.
pub fn read_view(directory: &Path, record: &ViewRecord) -> Result<Outcome, Error> {
    let path = directory.join(&record.file);
    let file = File::open(&path).map_err(Error::io(&path, "read"))?;
    let archive = ZipArchive::new(BufReader::new(file)).map_err(|e| Error::damaged(&path, e))?;
    let mut arrays = Arrays { path: &path, archive };
    let trajectories = arrays.trajectories(record)?;
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
        let entry = match self.archive.by_name(&npyz::npz::file_name_from_array_name(name)) {
            Ok(entry) => entry,
            Err(zip::result::ZipError::FileNotFound) => return Ok(None),
            Err(e) => return Err(damaged(&e)),
        };
        let array = npyz::NpyFile::new(BufReader::new(entry)).map_err(|e| damaged(&e))?;
        if array.order() != npyz::Order::C {
            return Err(damaged(&"not in C order"));
        }
        let shape = array.shape().iter().map(|&n| n as usize).collect();
        Ok(Some(Array { shape, data: array.into_vec().map_err(|e| damaged(&e))? }))
    }

    /// An array that must be there, with the shape it must have.
    fn need(&mut self, name: &str, shape: &[usize]) -> Result<Array, Error> {
        let path = self.path;
        self.maybe(name, shape)?.ok_or_else(|| Error::damaged(path, format!("array `{name}` is missing")))
    }

    fn maybe(&mut self, name: &str, shape: &[usize]) -> Result<Option<Array>, Error> {
        let array = self.get(name)?;
        if let Some(found) = &array
            && found.shape != shape
        {
            let reason = format!("array `{name}` has shape {:?}, not {shape:?}", found.shape);
            return Err(Error::damaged(self.path, reason));
        }
        Ok(array)
    }

    fn trajectories(&mut self, record: &ViewRecord) -> Result<Vec<Trajectory>, Error> {
        let path = self.path;
        let count = record.replicate_status.len();
        let overlaps = self.get("M")?.ok_or_else(|| Error::damaged(path, "array `M` is missing"))?;
        let &[replicates, t, p, k] = overlaps.shape.as_slice() else {
            return Err(Error::damaged(path, format!("array `M` has shape {:?}, not (R,T,p,k)", overlaps.shape)));
        };
        if replicates != count {
            return Err(Error::damaged(path, format!("{replicates} replicates, {count} in the manifest")));
        }
        let axis = |name, arrays: &mut Self| Ok(arrays.need(name, &[t])?.data);
        let (step, time) = (axis("step", self)?, axis("time", self)?);
        let (samples, gradients) = (axis("samples", self)?, axis("gradients", self)?);
        let risk = self.need("risk", &[count, t])?;
        let training_risk = self.maybe("training_risk", &[count, t])?;
        let risk_error = self.maybe("risk_error", &[count, t])?;
        let overlap_error = self.maybe("M_error", &[count, t, p, k])?;
        let norm_error = self.maybe("Q_diag_error", &[count, t, p])?;
        let correlation = self.maybe("C_loss", &[t, t, p, p])?;
        let response = self.maybe("R_loss", &[t, t, p, p])?;
        let full = self.maybe("Q", &[count, t, p, p])?;
        let diagonal = self.maybe("Q_diag", &[count, t, p])?;
        let steps = t.saturating_sub(1);
        let gradient_teacher = self.maybe("gradient_M", &[count, steps, p, k])?;
        let gradient_norm = self.maybe("gradient_norm", &[count, steps, p])?;
        let crossings = self.get("crossing_step")?.filter(|array| array.shape.first() == Some(&count));
        let (a, bias) = (self.need("a", &[count, t, p])?, self.need("bias", &[count, t, p])?);
        let keep_q = match (&full, &diagonal) {
            (Some(_), _) => KeepQ::Full,
            (None, Some(_)) => KeepQ::Diagonal,
            (None, None) => KeepQ::None,
        };
        let part = |array: &Option<Array>, r| array.as_ref().map(|array: &Array| array.replicate(r));
        let run = |r: usize, outcome: &super::ReplicateRecord| -> Result<Trajectory, Error> {
            let status = outcome.status().ok_or_else(|| {
                Error::damaged(path, format!("unknown status `{}` of replicate {r} in the manifest", outcome.status))
            })?;
            let mut trajectory = Trajectory {
                step: step.clone(),
                time: time.clone(),
                samples: samples.clone(),
                gradients: gradients.clone(),
                risk: risk.replicate(r),
                training_risk: part(&training_risk, r),
                student_teacher: overlaps.replicate(r),
                student_student: part(&full, r).unwrap_or_default(),
                student_squares: part(&diagonal, r).unwrap_or_default(),
                second_layer: a.replicate(r),
                bias: bias.replicate(r),
                risk_error: part(&risk_error, r),
                student_teacher_error: part(&overlap_error, r),
                student_squares_error: part(&norm_error, r),
                gradient_teacher: part(&gradient_teacher, r),
                gradient_norm: part(&gradient_norm, r),
                crossing_step: part(&crossings, r).unwrap_or_default(),
                loss_correlation: correlation.as_ref().map(|memory| memory.data.clone()),
                loss_response: response.as_ref().map(|memory| memory.data.clone()),
                status,
                valid: outcome.valid,
                ..Trajectory::new(p, k, keep_q)
            };
            for axis in [&mut trajectory.samples, &mut trajectory.gradients] {
                axis[outcome.valid.min(t)..].fill(f64::NAN);
            }
            Ok(trajectory)
        };
        record.replicate_status.iter().enumerate().map(|(r, outcome)| run(r, outcome)).collect()
    }
}
