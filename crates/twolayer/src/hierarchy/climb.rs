//! From nothing known to everything, stair by stair.

use faer::Mat;

use super::{
    End, HIGHEST, Spectrum, Stair, Stairs, Undecided,
    decisive::decisive,
    function::Function,
    grid::Grid,
    indices::factorial,
    sample::{Labels, Sample, plans},
    subspace::{columns, complement, eigen, join},
    vectors,
};
use crate::error::Result;

/// Rounding of a tensor, relative to its largest eigenvalue.
const ROUNDING: f64 = 1e-14;

/// Climbs the stairs of `function`, which is itself known to `slack` of its standard deviation; `mirrors` are the spans of
/// what its reflections turn round.
pub(super) fn climb(function: &Function<'_>, labels: Labels, mirrors: &[Mat<f64>], slack: f64) -> Result<Stairs> {
    let m = function.dimension();
    let (mut known, mut slack) = (Mat::<f64>::zeros(m, 0), slack);
    let mut stairs: Vec<Stair> = Vec::new();
    loop {
        let rest = complement(&known);
        // An error of U lets through a trace of what is known: at a jump in proportion.
        if known.ncols() == m || function.dependence(&known, &rest) <= 30.0 * slack + 1e-14 {
            return Ok(Stairs { stairs, end: End::Complete });
        }
        match step(&Place { function, known: &known, rest: &rest, labels, mirrors, slack })? {
            Step::Nothing => return Ok(Stairs { stairs, end: End::NeverFound }),
            Step::Found { found, stair, drift, undecided } => {
                known = join(&known, &found);
                slack += drift;
                stairs.push(stair);
                if let Some(undecided) = undecided {
                    let undecided = Undecided { stair: stairs.len(), ..undecided };
                    return Ok(Stairs { stairs, end: End::Undecided(undecided) });
                }
            }
            Step::Undecided(undecided) => {
                let undecided = Undecided { stair: stairs.len() + 1, ..undecided };
                return Ok(Stairs { stairs, end: End::Undecided(undecided) });
            }
        }
    }
}

enum Step {
    Found { found: Mat<f64>, stair: Stair, drift: f64, undecided: Option<Undecided> },
    Nothing,
    Undecided(Undecided),
}

/// Where the climb has come to.
struct Place<'a> {
    function: &'a Function<'a>,
    known: &'a Mat<f64>,
    rest: &'a Mat<f64>,
    labels: Labels,
    mirrors: &'a [Mat<f64>],
    slack: f64,
}

impl Place<'_> {
    /// An orthonormal basis of the directions, in the basis of the complement, along which a tensor of degree 1 is forbidden:
    /// those that some reflection turns round while it leaves alone what is known.
    fn forbidden(&self) -> Result<Mat<f64>> {
        let m = self.rest.ncols();
        let spans = self.leaving_known().map(|span| self.rest.transpose() * span);
        let joined = spans.fold(Mat::zeros(m, 0), |joined, span| join(&joined, &span));
        let (values, vectors) = eigen(&(&joined * joined.transpose()))?;
        let rank = values.iter().filter(|value| **value > 1e-6).count();
        Ok(columns(&vectors, 0..rank))
    }

    /// Whether a reflection leaves alone what is known and turns round all that is left: then odd degrees vanish.
    fn is_even(&self) -> bool {
        self.leaving_known().any(|span| span.ncols() == self.rest.ncols())
    }

    fn leaving_known(&self) -> impl Iterator<Item = &Mat<f64>> {
        self.mirrors.iter().filter(|span| (span.transpose() * self.known).squared_norm_l2() < 1e-18)
    }
}

/// Averages over the reflections that leave the known subspace where it is, so that what symmetry makes vanish vanishes.
struct Symmetry {
    reflections: Vec<Mat<f64>>,
    /// What a tensor of degree 1 has to be projected on: the identity less the forbidden directions.
    allowed: Mat<f64>,
    even: bool,
}

impl Symmetry {
    fn of(place: &Place<'_>) -> Result<Self> {
        let Place { known, rest, mirrors, .. } = *place;
        let identity = Mat::<f64>::identity(rest.ncols(), rest.ncols());
        let forbidden = place.forbidden()?;
        let stays = |span: &&Mat<f64>| (rest.transpose() * *span * (span.transpose() * known)).norm_max() < 1e-9;
        let within = |span: &Mat<f64>| {
            let inside = rest.transpose() * span;
            &identity - &inside * inside.transpose() * faer::Scale(2.0)
        };
        let reflections = mirrors.iter().filter(stays).map(within).collect();
        let allowed = &identity - &forbidden * forbidden.transpose();
        Ok(Self { reflections, allowed, even: place.is_even() })
    }

    /// Whether a tensor of this degree vanishes altogether.
    fn forbids(&self, degree: usize) -> bool {
        (degree == 1 && self.allowed.norm_max() < 1e-9) || (degree % 2 == 1 && self.even)
    }

    /// The nearest matrix that commutes with every reflection: averages in turn, until nothing changes.
    fn average(&self, matrix: &Mat<f64>, degree: usize) -> Mat<f64> {
        let mut average = if degree == 1 { &self.allowed * matrix * &self.allowed } else { matrix.clone() };
        for _ in 0..200 {
            let before = average.clone();
            for reflection in &self.reflections {
                average = (&average + reflection * &average * reflection) * faer::Scale(0.5);
            }
            if (&average - before).norm_max() <= 1e-16 * average.norm_max() {
                break;
            }
        }
        average
    }
}

/// The next stair.
fn step(place: &Place<'_>) -> Result<Step> {
    let Place { function, known, rest, labels, .. } = *place;
    let symmetry = Symmetry::of(place)?;
    let mut evidence = Evidence { place, symmetry, grid: None, sample: None, tried: 0 };
    if labels == Labels::Value {
        evidence.grid = Grid::agreeing(function, known, rest, place.slack);
    }
    let mut zero_within = 0.0_f64;
    for degree in 1..=HIGHEST {
        if evidence.symmetry.forbids(degree) {
            continue;
        }
        let spectrum = evidence.about(degree)?;
        let rank = spectrum.rank();
        let undecided = spectrum.first_undecided().map(|at| spectrum.undecided(at, degree));
        if rank == 0 {
            match undecided {
                Some(undecided) => return Ok(Step::Undecided(undecided)),
                None => zero_within = zero_within.max(spectrum.resolution),
            }
            continue;
        }
        let found = rest * columns(&spectrum.vectors, 0..rank);
        let unit = factorial(degree).sqrt();
        let (mut size, mut error) = (spectrum.size * unit, spectrum.size_error * unit);
        let mut known_degree = (labels == Labels::Value).then_some(0);
        if labels == Labels::Value && known.ncols() > 0 {
            let decisive = decisive(function, known, rest, degree)?;
            known_degree = decisive.as_ref().map(|decisive| decisive.known_degree);
            if let Some(decisive) = decisive {
                (size, error) = (decisive.size, decisive.error + place.slack * decisive.size);
            }
        }
        let stair = Stair {
            leap: degree,
            directions: vectors(&found),
            size,
            error,
            known_degree,
            zero_within,
            method: spectrum.method,
        };
        return Ok(Step::Found { found, stair, drift: spectrum.drift(rank), undecided });
    }
    Ok(Step::Nothing)
}

/// Tensors from one known subspace, by the cheapest means that decides.
struct Evidence<'a> {
    place: &'a Place<'a>,
    symmetry: Symmetry,
    grid: Option<Grid>,
    sample: Option<Sample>,
    /// Plans of the sample that were tried.
    tried: usize,
}

impl Evidence<'_> {
    fn about(&mut self, degree: usize) -> Result<Spectrum> {
        let average = |matrix: &Mat<f64>| self.symmetry.average(matrix, degree);
        if let Some(grid) = self.grid.as_ref().filter(|grid| grid.reaches(degree)) {
            let spectrum = grid.spectrum(degree, &average)?;
            if spectrum.first_undecided().is_none() {
                return Ok(spectrum);
            }
        }
        let Place { function, known, rest, labels, slack, .. } = *self.place;
        let plans = plans(known.ncols() == 0);
        loop {
            if let Some(sample) = &self.sample {
                let spectrum = sample.spectrum(degree, &average)?;
                if spectrum.first_undecided().is_none() || self.tried == plans.len() {
                    return Ok(spectrum);
                }
            }
            let plan = plans[self.tried];
            self.sample = Some(Sample::draw(function, known, rest, labels, plan, slack)?);
            self.tried += 1;
        }
    }
}

impl Spectrum {
    /// Eigenvalues that are not zero.
    fn rank(&self) -> usize {
        self.values.iter().zip(&self.nonzero_above).take_while(|(value, above)| value > above).count()
    }

    /// The first eigenvalue that is neither zero nor not.
    fn first_undecided(&self) -> Option<usize> {
        let rank = self.rank();
        let sharp = self.resolution <= self.required;
        (rank..self.values.len()).find(|&at| !sharp || self.values[at] > self.zero_below[at])
    }

    /// The angle by which an error of the matrix turns what was found: three times the error of the block between what
    /// was found and what was not, over the smallest eigenvalue found.
    fn drift(&self, rank: usize) -> f64 {
        let m = self.values.len();
        let block = |error: &Mat<f64>| {
            let turned = self.vectors.transpose() * error * &self.vectors;
            (rank..m).flat_map(|i| (0..rank).map(move |j| (i, j))).map(|at| turned[at].powi(2)).sum::<f64>()
        };
        let error = 3.0 * self.deviations.iter().map(block).sum::<f64>().sqrt();
        ((error + ROUNDING * self.values[0]) / self.values[rank - 1]).min(1.0)
    }

    fn undecided(&self, at: usize, degree: usize) -> Undecided {
        let unit = |eigenvalue: f64| (eigenvalue.max(0.0) / self.scale).sqrt();
        Undecided {
            stair: 0,
            degree,
            size: unit(self.values[at]),
            zero_below: unit(self.zero_below[at]),
            nonzero_above: unit(self.nonzero_above[at]),
            method: self.method,
        }
    }
}
