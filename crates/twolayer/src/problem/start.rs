//! The start: both layers before the first step, in coordinates that every engine can use.

use faer::Mat;
use rand::RngExt;

use crate::{
    error::{Error, Result},
    overlaps::{Overlaps, inverse_root, lower_factor, symmetric_root, symmetric_root_at_scale},
    problem::{Init, Placement, Problem, StartMode},
    random::{Chi, Purpose, Stream, Streams, fill_normal, normal},
};

/// Coordinates of the start in an orthonormal basis of span(W*, W): `w_j = Σ_r C_jr ê_r + Σ_i L_ji ê_{k+i}`, with
/// `W* = P^{1/2} Ê`, so that `M = C P^{1/2}` and `Q = C Cᵀ + L Lᵀ`.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// C, p×k.
    pub teacher: Mat<f64>,
    /// L, p×m with m ≤ p, lower trapezoidal.
    pub complement: Mat<f64>,
    /// a (p).
    pub second_layer: Vec<f64>,
}

impl Problem {
    /// Where the network starts: the shared draw, or this replicate's own.
    ///
    /// Costs O(p²) whatever d: the rows' part outside the target is the Bartlett factor of a Wishart matrix.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the overlaps given are not those of any weights, or do not fit in d dimensions.
    pub fn start(&self, streams: Streams) -> Result<Start> {
        let streams = match self.network.start {
            StartMode::Shared => Streams { seed: self.network.start_seed, replicate: 0 },
            StartMode::Independent => streams,
        };
        let mut stream = streams.stream(Purpose::Start);
        let (p, k) = (self.width(), self.directions());
        let symmetric = self.network.first_layer.symmetric;
        let drawn = if symmetric { p / 2 } else { p };
        let d = self.network.start_dimension.or(self.dimension());

        let (mut teacher, mut complement) = match &self.network.first_layer.placement {
            Placement::Gaussian => gaussian(drawn, k, d, &mut stream),
            Placement::Sphere => {
                let (mut teacher, mut complement) = gaussian(drawn, k, d, &mut stream);
                for j in 0..drawn {
                    let norm = (teacher.row(j).squared_norm_l2() + complement.row(j).squared_norm_l2()).sqrt();
                    teacher.row_mut(j).iter_mut().for_each(|x| *x /= norm);
                    complement.row_mut(j).iter_mut().for_each(|x| *x /= norm);
                }
                (teacher, complement)
            }
            Placement::Orthonormal => (Mat::zeros(drawn, k), Mat::identity(drawn, drawn)),
            Placement::Overlaps { student_teacher, student_student } => {
                from_overlaps(student_teacher, student_student, &self.target.overlaps)?
            }
        };
        let scale = self.network.first_layer.scale.value(self.sizes());
        teacher *= faer::Scale(scale);
        complement *= faer::Scale(scale);
        let mut second_layer = self.second_layer(drawn, &mut stream);
        if symmetric && !matches!(self.network.first_layer.placement, Placement::Overlaps { .. }) {
            teacher = twice(&teacher);
            complement = twice(&complement);
        }
        if symmetric {
            let negated: Vec<f64> = second_layer[..p / 2].iter().map(|a| -a).collect();
            second_layer.truncate(p / 2);
            second_layer.extend(negated);
        }
        if let Some(d) = self.dimension()
            && (complement.ncols() + k) as u64 > d
        {
            let reason = format!("the start spans {} dimensions, d = {d}", complement.ncols() + k);
            let remedy = "raise the dimension, or lower the width or start_dimension";
            return Err(Error::invalid("training.dimension", reason, remedy));
        }
        Ok(Start { teacher, complement, second_layer })
    }

    fn second_layer(&self, drawn: usize, stream: &mut Stream) -> Vec<f64> {
        let p = self.width();
        let sign = |positive: bool| if positive { 1.0 } else { -1.0 };
        let mut a: Vec<f64> = match &self.network.second_layer.init {
            Init::Ones => vec![1.0; drawn],
            Init::Alternating => (0..drawn).map(|j| sign(j % 2 == 0)).collect(),
            Init::Signs => (0..drawn).map(|_| sign(stream.random::<bool>())).collect(),
            Init::Gaussian => (0..drawn).map(|_| normal(stream)).collect(),
            Init::Uniform => (0..drawn).map(|_| 2.0 * stream.random::<f64>() - 1.0).collect(),
            Init::Grid => (0..p).map(|i| -1.0 + (2 * i + 1) as f64 / p as f64).collect(),
            Init::Values(values) => values.clone(),
        };
        let scale = self.network.second_layer.scale.value(self.sizes());
        a.iter_mut().for_each(|a| *a *= scale);
        a
    }
}

impl Start {
    /// M, Q of the start, for a target with overlaps P.
    ///
    /// # Errors
    /// [`Error::Numerical`] where P is not a covariance.
    pub fn overlaps(&self, teacher_teacher: &Mat<f64>) -> Result<Overlaps> {
        let root = symmetric_root(teacher_teacher.as_ref())?;
        Ok(Overlaps {
            student_teacher: &self.teacher * &root,
            student_student: &self.teacher * self.teacher.transpose() + &self.complement * self.complement.transpose(),
            teacher_teacher: teacher_teacher.clone(),
        })
    }
}

/// Coordinates of p rows N(0, I/d): `C_jr ~ N(0, 1/d)`, and L the Bartlett factor with d − k degrees of freedom,
/// `L_ii = χ_{d−k−i}/√d`, normals below. At d = ∞: C = 0, L = I.
fn gaussian(p: usize, k: usize, d: Option<u64>, stream: &mut Stream) -> (Mat<f64>, Mat<f64>) {
    let Some(d) = d else { return (Mat::zeros(p, k), Mat::identity(p, p)) };
    let scale = 1.0 / (d as f64).sqrt();
    let free = d - k as u64;
    let columns = p.min(usize::try_from(free).unwrap_or(usize::MAX));
    let mut row = vec![0.0; k];
    let mut teacher = Mat::zeros(p, k);
    let mut complement = Mat::zeros(p, columns);
    for j in 0..p {
        fill_normal(stream, &mut row);
        for r in 0..k {
            teacher[(j, r)] = scale * row[r];
        }
        for i in 0..columns.min(j + 1) {
            let value = if i == j { Chi::new(free - i as u64).sample(stream) } else { normal(stream) };
            complement[(j, i)] = scale * value;
        }
    }
    (teacher, complement)
}

/// `C = M P^{−1/2}`, `L Lᵀ = Q − C Cᵀ`.
fn from_overlaps(m: &Mat<f64>, q: &Mat<f64>, teacher_teacher: &Mat<f64>) -> Result<(Mat<f64>, Mat<f64>)> {
    let remedy = "write overlaps of real weights: [[Q, M], [Mᵀ, P]] must be positive semi-definite";
    let invalid = |reason: String| Error::invalid("network.first_layer", reason, remedy);
    let teacher = m * inverse_root(teacher_teacher.as_ref())?;
    let back = &teacher * symmetric_root(teacher_teacher.as_ref())?;
    if (&back - m).norm_max() > 1e-9 * (1.0 + m.norm_max()) {
        return Err(invalid("M has a part outside the span of the target directions".into()));
    }
    let rest = q - &teacher * teacher.transpose();
    // Where the students lie in the target's span this is rounding of Q's size, not a negative eigenvalue of Ω.
    let scale = (0..q.nrows()).map(|j| q[(j, j)].abs()).sum();
    let root = symmetric_root_at_scale(rest.as_ref(), scale)
        .map_err(|error| invalid(format!("the overlaps of the start are not possible ({error})")))?;
    Ok((teacher, lower_factor(root.as_ref())))
}

fn twice(rows: &Mat<f64>) -> Mat<f64> {
    let half = rows.nrows();
    Mat::from_fn(2 * half, rows.ncols(), |i, j| rows[(i % half, j)])
}
