//! From nothing known to everything, stair by stair.

use faer::Mat;

use super::{
    End, HIGHEST, Spectrum, Stair, Stairs, Undecided,
    decisive::decisive,
    function::Function,
    grid::Grid,
    indices::factorial,
    sample::{Labels, Sample, plans},
    subspace::{columns, complement, join},
    vectors,
};
use crate::error::Result;

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
    /// Whether reflections forbid a tensor of this degree. A reflection that leaves what is known alone makes every entry
    /// vanish in which the directions it turns round occur an odd number of times in all: degree 1 along each of them, and
    /// every odd degree where it turns all that is left.
    fn is_forbidden(&self, degree: usize) -> bool {
        let tolerance = 1e-9 + 10.0 * self.slack.powi(2);
        let inside =
            |span: &Mat<f64>, of: &Mat<f64>, c: usize| (span.transpose() * columns(of, c..c + 1)).squared_norm_l2();
        let leaves_known = |span: &&Mat<f64>| (0..self.known.ncols()).all(|c| inside(span, self.known, c) < tolerance);
        let turns = |span: &Mat<f64>, c: usize| inside(span, self.rest, c) > 1.0 - tolerance;
        let mirrors: Vec<&Mat<f64>> = self.mirrors.iter().filter(leaves_known).collect();
        let mut rest = 0..self.rest.ncols();
        match degree {
            1 => rest.all(|c| mirrors.iter().any(|span| turns(span, c))),
            odd if odd % 2 == 1 => mirrors.iter().any(|span| rest.clone().all(|c| turns(span, c))),
            _ => false,
        }
    }
}

/// The next stair.
fn step(place: &Place<'_>) -> Result<Step> {
    let Place { function, known, rest, labels, .. } = *place;
    let mut evidence = Evidence { place, grid: None, sample: None, tried: 0 };
    if labels == Labels::Value {
        evidence.grid = Grid::agreeing(function, known, rest, place.slack);
    }
    let mut zero_within = 0.0_f64;
    for degree in 1..=HIGHEST {
        if place.is_forbidden(degree) {
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
        // The angle by which an error of the matrix turns what was found.
        let drift = (spectrum.matrix_error / spectrum.values[rank - 1]).min(1.0);
        return Ok(Step::Found { found, stair, drift, undecided });
    }
    Ok(Step::Nothing)
}

/// Tensors from one known subspace, by the cheapest means that decides.
struct Evidence<'a> {
    place: &'a Place<'a>,
    grid: Option<Grid>,
    sample: Option<Sample>,
    /// Plans of the sample that were tried.
    tried: usize,
}

impl Evidence<'_> {
    fn about(&mut self, degree: usize) -> Result<Spectrum> {
        if let Some(grid) = self.grid.as_ref().filter(|grid| grid.reaches(degree)) {
            let spectrum = grid.spectrum(degree)?;
            if spectrum.first_undecided().is_none() {
                return Ok(spectrum);
            }
        }
        let Place { function, known, rest, labels, slack, .. } = *self.place;
        let plans = plans(known.ncols() == 0);
        loop {
            if let Some(sample) = &self.sample {
                let spectrum = sample.spectrum(degree)?;
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
