//! From nothing known to everything, stair by stair.

use faer::Mat;

use super::{
    End, HIGHEST, Spectrum, Stair, Stairs, Undecided,
    decisive::decisive,
    function::{Function, Spread},
    grid::Grid,
    indices::factorial,
    sample::{Labels, Sample, plans},
    subspace::{columns, complement, eigen, join},
    vectors,
};
use crate::error::Result;

/// Rounding of a tensor, relative to its largest eigenvalue.
const ROUNDING: f64 = 1e-14;

/// Error of directions that were found by slopes.
const SLOPES: f64 = 1e-6;
/// Directions known to this angle are good enough to go on from.
const FAITHFUL: f64 = 1e-3;

/// Exact knowledge of a function that helps to climb.
#[derive(Default)]
pub(super) struct Hints {
    /// The spans of what its reflections turn round.
    pub(super) mirrors: Vec<Mat<f64>>,
    /// The directions in which it has a slope, where there are others.
    pub(super) sloped: Option<Mat<f64>>,
}

/// Climbs the stairs of `function`, which is itself known to `slack` of its standard deviation.
pub(super) fn climb(function: &Function<'_>, labels: Labels, hints: &Hints, slack: f64) -> Result<Stairs> {
    let m = function.dimension();
    let (mut known, mut slack) = (Mat::<f64>::zeros(m, 0), slack);
    let mut stairs: Vec<Stair> = Vec::new();
    loop {
        let rest = complement(&known);
        if known.ncols() == m || is_idle(function, &known, &rest, slack) {
            return Ok(Stairs { stairs, end: End::Complete });
        }
        match step(&Place { function, known: &known, rest: &rest, labels, mirrors: &hints.mirrors, slack })? {
            Step::Nothing => return Ok(Stairs { stairs, end: End::NeverFound }),
            Step::Found { found, stair, drift, undecided } => {
                known = join(&known, &found);
                slack += drift;
                stairs.push(stair);
                if let Some(sloped) = hints.sloped.as_ref().filter(|sloped| coincide(sloped, &known, slack)) {
                    (known, slack) = (sloped.clone(), SLOPES);
                }
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

/// Whether g depends on `rest` by no more than an error of U explains.
fn is_idle(function: &Function<'_>, known: &Mat<f64>, rest: &Mat<f64>, slack: f64) -> bool {
    if known.ncols() == 0 {
        return false;
    }
    let (y, moved) = function.shaken(known, rest, slack);
    let change = y.iter().zip(&moved).map(|(y, moved)| (y - moved).powi(2)).sum::<f64>() / y.len() as f64;
    let explained = change / (2.0 * Spread::of(&y).variance);
    // An error that explains more than that could hide a direction.
    function.dependence(known, rest) <= 4.0 * explained.min(1e-3) + 1e-14
}

/// Whether two subspaces are the same up to `slack`.
fn coincide(exact: &Mat<f64>, known: &Mat<f64>, slack: f64) -> bool {
    exact.ncols() == known.ncols() && (known - exact * (exact.transpose() * known)).norm_l2() <= slack.clamp(1e-9, 0.03)
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
        let spectrum = evidence.well_about(degree)?;
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
        let drift = spectrum.drift(rank);
        let stair = Stair {
            leap: degree,
            directions: vectors(&found),
            size,
            error,
            known_degree,
            zero_within,
            turned_by: place.slack + drift,
            method: spectrum.method,
        };
        return Ok(Step::Found { found, stair, drift, undecided });
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
    /// As [`Self::about`], with more samples where those do not say well in which directions.
    fn well_about(&mut self, degree: usize) -> Result<Spectrum> {
        let plans = plans(self.place.known.ncols() == 0).len();
        loop {
            let spectrum = self.about(degree)?;
            let rank = spectrum.rank();
            let partial = rank > 0 && rank < spectrum.values.len();
            if !partial || spectrum.drift(rank) <= FAITHFUL || self.tried == plans || self.tried == 0 {
                return Ok(spectrum);
            }
            self.draw_more()?;
        }
    }

    fn draw_more(&mut self) -> Result<()> {
        let Place { function, known, rest, labels, slack, .. } = *self.place;
        let plan = plans(known.ncols() == 0)[self.tried];
        self.sample = Some(Sample::draw(function, known, rest, labels, plan, slack)?);
        self.tried += 1;
        Ok(())
    }

    fn about(&mut self, degree: usize) -> Result<Spectrum> {
        if let Some(grid) = self.grid.as_ref().filter(|grid| grid.reaches(degree)) {
            let spectrum = grid.spectrum(degree, &|matrix| self.symmetry.average(matrix, degree))?;
            if spectrum.first_undecided().is_none() {
                return Ok(spectrum);
            }
        }
        let plans = plans(self.place.known.ncols() == 0).len();
        loop {
            if let Some(sample) = &self.sample {
                let spectrum = sample.spectrum(degree, &|matrix| self.symmetry.average(matrix, degree))?;
                if spectrum.first_undecided().is_none() || self.tried == plans {
                    return Ok(spectrum);
                }
            }
            self.draw_more()?;
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
