//! The start: both layers before the first step, in coordinates that every engine can use.

use faer::{Mat, Row, Scale};
use rand::RngExt;

use crate::{
    error::{Error, Result},
    gaussian::quadrature::Quadrature,
    overlaps::{Overlaps, inverse_root, symmetric_root, symmetric_root_at_scale},
    problem::{BiasInit, Init, Placement, Problem, StartMode},
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
    /// b (p); zeros where the network has no biases.
    pub bias: Vec<f64>,
}

impl Start {
    /// Appends a row of zeros to the first layer: one that is no neuron.
    pub fn add_row(&mut self) {
        for matrix in [&mut self.teacher, &mut self.complement] {
            let (rows, columns) = (matrix.nrows(), matrix.ncols());
            matrix.resize_with(rows + 1, columns, |_, _| 0.0);
        }
    }
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
        let d = self.network.start_dimension.or(self.dimension());
        let start = self.start_in(d, &mut streams.stream(Purpose::Start))?;
        self.refuse_span(start.complement.ncols())?;
        Ok(start)
    }

    /// The mean of the law of independent starts: where rows are drawn, `M = 0` and `Q ∝ I`, as in infinitely many
    /// dimensions, where the law has no spread; of a second layer or biases that are drawn it is one draw.
    ///
    /// # Errors
    /// As for [`Problem::start`].
    pub fn mean_start(&self) -> Result<Start> {
        let streams = Streams { seed: self.network.start_seed, replicate: 0 };
        self.start_in(None, &mut streams.stream(Purpose::Start))
    }

    /// A start drawn in d dimensions, `None` for infinitely many.
    fn start_in(&self, d: Option<u64>, stream: &mut Stream) -> Result<Start> {
        let (p, k) = (self.width(), self.directions());
        let symmetric = self.network.first_layer.symmetric;
        let drawn = self.drawn();
        let (mut teacher, mut complement) = match &self.network.first_layer.placement {
            Placement::Gaussian => gaussian(drawn, k, d, stream),
            Placement::Sphere => {
                let (mut teacher, mut complement) = gaussian(drawn, k, d, stream);
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
        teacher *= Scale(scale);
        complement *= Scale(scale);
        let mut second_layer = self.second_layer(drawn, stream);
        // After everything else, so that a network with biases starts where the same one without them does.
        let mut bias = self.bias(drawn, stream);
        if symmetric {
            teacher = twice(&teacher);
            complement = twice(&complement);
            let negated: Vec<f64> = second_layer[..p / 2].iter().map(|a| -a).collect();
            second_layer.truncate(p / 2);
            second_layer.extend(negated);
            bias.extend_from_within(..);
        }
        Ok(Start { teacher, complement, second_layer, bias })
    }

    /// What [`start`](Self::start) would say, without forming it: nothing of size p is allocated but where overlaps are
    /// given, which are of that size themselves.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub fn check_start(&self) -> Result<()> {
        let d = self.network.start_dimension.or(self.dimension());
        let columns = match &self.network.first_layer.placement {
            Placement::Overlaps { .. } => return self.start(Streams { seed: 0, replicate: 0 }).map(drop),
            Placement::Orthonormal => self.drawn(),
            Placement::Gaussian | Placement::Sphere => columns(self.drawn(), self.directions(), d),
        };
        self.refuse_span(columns)
    }

    /// Neurons whose rows are drawn: half of a symmetric network.
    fn drawn(&self) -> usize {
        if self.network.first_layer.symmetric { self.width() / 2 } else { self.width() }
    }

    fn refuse_span(&self, columns: usize) -> Result<()> {
        let spanned = columns + self.directions();
        match self.dimension() {
            Some(d) if spanned as u64 > d => {
                let reason = format!("the start spans {spanned} dimensions, d = {d}");
                let remedy = "raise the dimension, or lower the width or start_dimension";
                Err(Error::invalid("training.dimension", reason, remedy))
            }
            _ => Ok(()),
        }
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
            Init::Nodes => Quadrature::clustered(p).nodes,
            Init::Values(values) => values.clone(),
        };
        let scale = self.network.second_layer.scale.value(self.sizes());
        a.iter_mut().for_each(|a| *a *= scale);
        a
    }

    fn bias(&self, drawn: usize, stream: &mut Stream) -> Vec<f64> {
        match self.network.bias.map(|bias| bias.init) {
            None | Some(BiasInit::Zero) => vec![0.0; drawn],
            Some(BiasInit::Gaussian) => (0..drawn).map(|_| normal(stream)).collect(),
            Some(BiasInit::Uniform) => (0..drawn).map(|_| 2.0 * stream.random::<f64>() - 1.0).collect(),
        }
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
    let columns = columns(p, k, Some(d));
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

/// Dimensions outside the target that p rows drawn in d dimensions span.
fn columns(p: usize, k: usize, d: Option<u64>) -> usize {
    d.map_or(p, |d| p.min(usize::try_from(d.saturating_sub(k as u64)).unwrap_or(usize::MAX)))
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
    Ok((teacher, echelon_factor(&root, 1e-10 * scale.sqrt())))
}

/// L, p×rank, with `L Lᵀ = A Aᵀ`: coordinates of the rows of A in the orthonormal basis of the rows that, in their order,
/// add more than `tolerance` to the span of those before. Lower trapezoidal, and no wider than it must be.
fn echelon_factor(rows: &Mat<f64>, tolerance: f64) -> Mat<f64> {
    let mut basis: Vec<Row<f64>> = Vec::new();
    let mut coordinates = Mat::zeros(rows.nrows(), rows.nrows());
    for j in 0..rows.nrows() {
        let mut rest = rows.row(j).to_owned();
        // Twice, so that the basis is orthogonal to rounding also where little is left.
        for _ in 0..2 {
            for (i, direction) in basis.iter().enumerate() {
                let along = &rest * direction.transpose();
                coordinates[(j, i)] += along;
                rest -= Scale(along) * direction;
            }
        }
        let norm = rest.norm_l2();
        if norm > tolerance {
            coordinates[(j, basis.len())] = norm;
            basis.push(Scale(1.0 / norm) * rest);
        }
    }
    coordinates.subcols(0, basis.len()).to_owned()
}

fn twice(rows: &Mat<f64>) -> Mat<f64> {
    let half = rows.nrows();
    Mat::from_fn(2 * half, rows.ncols(), |i, j| rows[(i % half, j)])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::problem::{Activation, Bias, Duration, FirstLayer, Formula, Network, Rule, Target, Training};

    fn problem(p: usize, k: usize, d: u64, placement: Placement) -> Problem {
        let mut target = Target::new(Rule::committee(Activation::Erf, k, 1.0));
        if k == 2 {
            target.overlaps[(0, 1)] = 0.5;
            target.overlaps[(1, 0)] = 0.5;
        }
        let mut network = Network::new(p, Activation::Erf);
        network.first_layer = FirstLayer { placement, scale: Formula::number(1.0), symmetric: false };
        network.start = StartMode::Independent;
        let steps = Duration::Steps(Formula::number(1.0));
        Problem::new(target, network, Training::new(d, Formula::number(0.1), steps)).unwrap()
    }

    fn overlaps(problem: &Problem, replicate: u64) -> Overlaps {
        problem.start(Streams { seed: 5, replicate }).unwrap().overlaps(&problem.target.overlaps).unwrap()
    }

    /// Rows N(0, I/d): E M² = P_rr/d, E Q_jj = 1, Var Q_jj = 2/d, E Q_jl² = 1/d, also where p > d.
    #[test]
    fn gaussian_starts_have_the_moments_of_gaussian_rows() {
        for (p, d) in [(3, 10), (6, 4)] {
            let problem = problem(p, 2, d, Placement::Gaussian);
            let runs = 20_000;
            let mut sums = [0.0; 4];
            for replicate in 0..runs {
                let state = overlaps(&problem, replicate);
                let q = &state.student_student;
                sums[0] += state.student_teacher[(p - 1, 1)].powi(2);
                sums[1] += q[(p - 1, p - 1)];
                sums[2] += (q[(p - 1, p - 1)] - 1.0).powi(2);
                sums[3] += q[(p - 1, 0)].powi(2);
            }
            let d = d as f64;
            for (sum, expected) in sums.iter().zip([1.0 / d, 1.0, 2.0 / d, 1.0 / d]) {
                let mean = sum / runs as f64;
                assert!((mean / expected - 1.0).abs() < 0.06, "p = {p}, d = {d}: {mean} for {expected}");
            }
        }
    }

    /// Rows of length 3/√d on average over infinitely many dimensions, at the problem's own d = 36.
    #[test]
    fn the_mean_start_has_no_spread() {
        for placement in [Placement::Gaussian, Placement::Sphere] {
            let problem = problem(3, 2, 36, placement).with(|parts| {
                parts.network.first_layer.scale = Formula::parse("3/sqrt(d)", &BTreeMap::new()).unwrap();
                parts.network.start_dimension = Some(50);
                parts.network.start = StartMode::Independent;
            });
            let problem = problem.unwrap();
            let mean = problem.mean_start().unwrap().overlaps(&problem.target.overlaps).unwrap();
            assert!(mean.student_teacher.norm_max() < 1e-12);
            assert!((mean.student_student - Mat::<f64>::identity(3, 3) * Scale(0.25)).norm_max() < 1e-12);
        }
    }

    #[test]
    fn spheres_and_orthonormal_frames_are_exact() {
        let sphere = overlaps(&problem(5, 2, 8, Placement::Sphere), 0);
        let frame = overlaps(&problem(5, 2, 8, Placement::Orthonormal), 0);
        for j in 0..5 {
            assert!((sphere.student_student[(j, j)] - 1.0).abs() < 1e-14);
            for l in 0..5 {
                assert_eq!(frame.student_student[(j, l)], f64::from(u8::from(j == l)));
            }
            assert_eq!((frame.student_teacher[(j, 0)], frame.student_teacher[(j, 1)]), (0.0, 0.0));
        }
    }

    #[test]
    fn given_overlaps_come_back() {
        let student_teacher = Mat::from_fn(2, 2, |j, r| [[0.3, -0.2], [0.3, -0.2]][j][r]);
        // Two equal neurons: Ω is singular.
        let student_student = Mat::full(2, 2, 0.7);
        let placement =
            Placement::Overlaps { student_teacher: student_teacher.clone(), student_student: student_student.clone() };
        let back = overlaps(&problem(2, 2, 20, placement), 0);
        assert!((back.student_teacher - student_teacher).norm_max() < 1e-14);
        assert!((back.student_student - student_student).norm_max() < 1e-14);
    }

    #[test]
    fn impossible_overlaps_are_invalid() {
        let placement =
            Placement::Overlaps { student_teacher: Mat::full(1, 1, 1.1), student_student: Mat::full(1, 1, 1.0) };
        let error = problem(1, 1, 20, placement).start(Streams { seed: 0, replicate: 0 }).unwrap_err();
        assert!(matches!(&error, Error::Invalid(advice) if advice.key == "network.first_layer"), "{error}");
    }

    #[test]
    fn a_shared_start_is_one_draw() {
        let mut problem = problem(3, 2, 30, Placement::Gaussian);
        problem = problem.with(|parts| parts.network.start = StartMode::Shared).unwrap();
        let start = |replicate| problem.start(Streams { seed: replicate, replicate }).unwrap();
        assert_eq!(start(0), start(1));
    }

    /// Three neurons in a plane with the target: two coordinates, whatever the order, and they fit in d = 3.
    #[test]
    fn given_overlaps_span_no_more_than_they_must() {
        let weights = [[0.6, 0.8, 0.0], [0.6, -0.8, 0.0], [1.2, 0.8, 0.0], [-0.3, 0.5, 0.7]];
        for (order, columns) in [([0, 1, 2], 1), ([2, 0, 1], 1), ([0, 3, 2], 2), ([0, 0, 3], 2)] {
            let student_teacher = Mat::from_fn(3, 1, |j, _| weights[order[j]][0]);
            let student_student =
                Mat::from_fn(3, 3, |j, l| weights[order[j]].iter().zip(weights[order[l]]).map(|(a, b)| a * b).sum());
            let given = (student_teacher.clone(), student_student.clone());
            let problem = problem(3, 1, 3, Placement::Overlaps { student_teacher, student_student });
            let start = problem.start(Streams { seed: 0, replicate: 0 }).unwrap();
            assert_eq!(start.complement.ncols(), columns, "{order:?}");
            for (j, i) in (0..3).flat_map(|j| (j + 1..columns).map(move |i| (j, i))) {
                assert_eq!(start.complement[(j, i)], 0.0, "trapezoidal");
            }
            let back = start.overlaps(&problem.target.overlaps).unwrap();
            assert!((back.student_teacher - given.0).norm_max() < 1e-14);
            assert!((back.student_student - given.1).norm_max() < 1e-14, "{order:?}");
        }
    }

    #[test]
    fn biases_are_drawn_after_everything_else() {
        let start = |init: Option<BiasInit>, seed| {
            let mut problem = problem(400, 2, 500, Placement::Gaussian);
            problem = problem.with(|parts| parts.network.second_layer.init = Init::Uniform).unwrap();
            problem = problem.with(|parts| parts.network.bias = init.map(|init| Bias { init, train: false })).unwrap();
            problem.start(Streams { seed, replicate: 0 }).unwrap()
        };
        let none = start(None, 1);
        assert_eq!(none.bias, [0.0; 400]);
        for init in [BiasInit::Zero, BiasInit::Gaussian, BiasInit::Uniform] {
            let with = start(Some(init), 1);
            assert_eq!((&with.teacher, &with.complement), (&none.teacher, &none.complement));
            assert_eq!(with.second_layer, none.second_layer);
            let of = |power: i32| {
                let all = (0..20).flat_map(|seed| start(Some(init), seed).bias);
                all.map(|b| b.powi(power)).sum::<f64>() / 8000.0
            };
            let (variance, fourth) = match init {
                BiasInit::Zero => (0.0, 0.0),
                BiasInit::Gaussian => (1.0, 3.0),
                BiasInit::Uniform => (1.0 / 3.0, 0.2),
            };
            // Five standard errors.
            assert!(of(1).abs() <= 5.0 * (variance / 8000_f64).sqrt(), "{init:?}");
            assert!((of(2) - variance).abs() <= 5.0 * ((fourth - variance * variance) / 8000_f64).sqrt(), "{init:?}");
        }
    }

    /// `f ≡ 0`: whatever the first layer, the second, and the biases.
    #[test]
    fn paired_neurons_cancel() {
        let inits = [Init::Ones, Init::Alternating, Init::Signs, Init::Gaussian, Init::Uniform, Init::Grid];
        for placement in [Placement::Gaussian, Placement::Sphere, Placement::Orthonormal] {
            for init in &inits {
                let mut problem = problem(6, 2, 5, placement.clone());
                problem = problem.with(|parts| parts.network.first_layer.symmetric = true).unwrap();
                problem = problem.with(|parts| parts.network.second_layer.init = init.clone()).unwrap();
                problem = problem
                    .with(|parts| parts.network.bias = Some(Bias { init: BiasInit::Gaussian, train: true }))
                    .unwrap();
                let start = problem.start(Streams { seed: 3, replicate: 0 }).unwrap();
                assert_eq!((start.complement.shape(), start.second_layer.len(), start.bias.len()), ((6, 3), 6, 6));
                for j in 0..3 {
                    assert_eq!(start.teacher.row(j), start.teacher.row(j + 3));
                    assert_eq!(start.complement.row(j), start.complement.row(j + 3));
                    assert!(start.second_layer[j] != 0.0 && start.second_layer[j + 3] == -start.second_layer[j]);
                    assert!(start.bias[j] != 0.0 && start.bias[j + 3] == start.bias[j]);
                }
                assert_ne!(start.bias[0], start.bias[1], "one for each pair");
            }
        }
    }

    #[test]
    fn values_of_a_pair_that_do_not_cancel_are_invalid() {
        let made = |values: [f64; 4]| {
            problem(4, 1, 20, Placement::Sphere).with(|parts| {
                parts.network.first_layer.symmetric = true;
                parts.network.second_layer.init = Init::Values(values.to_vec());
            })
        };
        assert!(made([1.0, 2.0, -1.0, -2.0]).is_ok());
        let error = made([1.0, 2.0, -1.0, 2.0]).unwrap_err();
        assert!(error.to_string().contains("neurons 2 and 4 are a pair, with a = 2 and 2"), "{error}");
    }
}
