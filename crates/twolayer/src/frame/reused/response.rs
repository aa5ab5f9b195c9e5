//! Correlation and response functions of the error signals, for free. (theory.md §5.3)

use faer::{Mat, MatRef};

use super::Reused;
use crate::{error::Result, overlaps::inverse_root};

/// What one pass of gradients saw.
pub(super) struct Seen {
    /// C, for each neuron over l.
    students: Vec<Vec<f64>>,
    /// Its signals on the v_i, for each neuron.
    signals: Vec<Vec<f64>>,
}

impl Reused {
    /// From now on, remembers what each step saw, for [`memory`](Self::memory).
    pub fn remember(&mut self) {
        self.seen = Some(Vec::new());
    }

    pub(super) fn see(&mut self) {
        if let Some(seen) = &mut self.seen {
            seen.push(Seen { students: self.students.clone(), signals: self.coordinates.clone() });
        }
    }

    /// `C_ℓ(t,s) = β E[g^t g^sᵀ]` and, by Stein's lemma, `R_ℓ(t, 0..t) = β E[g^t (ξ^{0..t})ᵀ] Cov(ξ^{0..t})⁺` of T passes over
    /// all n = βd samples at learning rate η, each T×T×p×p; `ξ^t = Σ_{l>k} C^t_l h_l`. R is zero for s > t, and `R_ℓ(t,t)` is
    /// the effective regularisation.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where the covariance of ξ is none.
    pub fn memory(&self, beta: f64, learning_rate: f64) -> Result<(Vec<f64>, Vec<f64>)> {
        let seen = self.seen.as_deref().unwrap_or(&[]);
        let (p, times, r) = (self.width, seen.len(), self.knowledge.right());
        // Signals are η/n g, and v has length 1 over n samples.
        let square = beta * self.rows as f64 / (learning_rate * learning_rate);
        let entry = |t: usize, s: usize, j: usize, l: usize| ((t * times + s) * p + j) * p + l;
        let (mut correlation, mut response) = (vec![0.0; times * times * p * p], vec![0.0; times * times * p * p]);
        // ξ^t_j over h_l, all times and neurons one below the other; E[g^t_j h_l] likewise.
        let fields = Mat::from_fn(times * p, r - self.directions, |i, l| {
            seen[i / p].students[i % p].get(self.directions + l).copied().unwrap_or(0.0)
        });
        let along = Mat::from_fn(times * p, r - self.directions, |i, l| {
            let signals = seen[i / p].signals[i % p].iter().enumerate();
            // v_i meets the normals that were there before it; its own, the last coordinate, is drawn later.
            let known = |i: usize| {
                let image = self.knowledge.image(i);
                image[..image.len() - 1].get(self.directions + l).copied().unwrap_or(0.0)
            };
            signals.map(|(i, c)| c * known(i)).sum::<f64>() / learning_rate
        });
        let covariance = &fields * fields.transpose();
        for t in 0..times {
            for s in 0..times {
                for j in 0..p {
                    for l in 0..p {
                        let pairs = seen[t].signals[j].iter().zip(&seen[s].signals[l]);
                        correlation[entry(t, s, j, l)] = square * pairs.map(|(x, y)| x * y).sum::<f64>();
                    }
                }
            }
            let known = (t + 1) * p;
            let root = inverse_root(covariance.as_ref().submatrix(0, 0, known, known))?;
            let with: Mat<f64> = along.as_ref().subrows(t * p, p) * fields.as_ref().subrows(0, known).transpose();
            let slope: Mat<f64> = with * &root * &root;
            let slope: MatRef<'_, f64> = slope.as_ref();
            for s in 0..=t {
                for j in 0..p {
                    for l in 0..p {
                        response[entry(t, s, j, l)] = beta * slope[(j, s * p + l)];
                    }
                }
            }
        }
        Ok((correlation, response))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        average,
        frame::reused::{Fluctuations, Normals},
        gaussian::sobol,
        observer::Silent,
        problem::{
            Activation, Data, Duration, FirstLayer, Formula, Init, Network, Placement, Problem, Record, Rule, Target,
            Training,
        },
        random::Streams,
        signal::Feed,
        simulate::simulate,
    };

    const PATHS: usize = 1 << 18;
    const STEPS: usize = 3;
    const BETA: f64 = 3.0;
    const RATE: f64 = 1.5;

    fn problem() -> Problem {
        let mut network = Network::new(2, Activation::Tanh);
        network.output_scale = Formula::number(1.0);
        network.first_layer =
            FirstLayer { placement: Placement::Orthonormal, scale: Formula::number(1.0), symmetric: false };
        network.second_layer.init = Init::Values(vec![0.9, -0.6]);
        let target = Target::new(Rule::committee(Activation::Tanh, 2, 1.0));
        let steps = Duration::Steps(Formula::number(STEPS as f64));
        let mut training = Training::new(1_000_000, Formula::number(RATE), steps);
        training.data = Data::Reused;
        training.samples = Some(Formula::number(PATHS as f64));
        training.batch = Formula::number(PATHS as f64);
        Problem::new(target, network, training).unwrap()
    }

    /// A path on its own, while averages stay as they are: its field at s is moved by ±ε, and its later signals follow.
    #[test]
    fn stein_has_the_response_of_finite_differences() {
        let problem = problem();
        let streams = Streams { seed: 0, replicate: 0 };
        let start = problem.start(streams).unwrap();
        let normals = sobol::normals(PATHS, 2, 1);
        let feed = Feed::of_samples(&problem, &normals[..2 * PATHS], &[], streams).unwrap();
        let labels = feed.all().unwrap().1.to_vec();
        let off = Fluctuations::Off { dimension: PATHS as f64 / BETA };
        let source = Normals::Points { points: sobol::Points::new(4 + 2 * STEPS, 1), next: 2 };
        let coordinates = normals[..2 * PATHS].to_vec();
        let mut frame = Reused::with_source(&problem, &start, &coordinates, off, source, streams, 2).unwrap();
        frame.remember();
        let kernel = average::for_problem(&problem, 1e-2).unwrap();
        let moments = [0, STEPS as u64];
        simulate(&problem, &mut frame, feed, &start, &*kernel, &moments, &Record::default(), &Silent).unwrap();
        let (correlation, response) = frame.memory(BETA, RATE).unwrap();

        let p = 2;
        let mut columns = Vec::new();
        for c in 0..frame.columns() {
            frame.lanes.iter_mut().for_each(|lane| columns.extend(lane.columns.column(c)));
        }
        let seen = frame.seen.as_ref().unwrap();
        let unit = RATE / PATHS as f64;
        // The signals of one path, its field of neuron l at time s moved.
        let path = |mu: usize, s: usize, l: usize, by: f64| {
            let mut signals: Vec<f64> = Vec::new();
            for (t, seen) in seen.iter().enumerate() {
                let mut fields = [0.0; 2];
                for (j, field) in fields.iter_mut().enumerate() {
                    for (l, coordinate) in seen.students[j].iter().enumerate() {
                        let mixing = frame.knowledge.mixing(l).iter().zip(&signals);
                        let y = columns[frame.normals[l] * PATHS + mu] + mixing.map(|(k, g)| k * g).sum::<f64>();
                        *field += coordinate * y;
                    }
                    *field += if (t, j) == (s, l) { by } else { 0.0 };
                }
                let values = fields.map(f64::tanh);
                let e = 0.9 * values[0] - 0.6 * values[1] - labels[mu];
                signals.push(unit * 0.9 * e * (1.0 - values[0] * values[0]));
                signals.push(unit * -0.6 * e * (1.0 - values[1] * values[1]));
            }
            signals
        };
        let step = 1e-4;
        let mut worst: f64 = 0.0;
        let mut largest: f64 = 0.0;
        for s in 0..STEPS {
            for l in 0..p {
                let mut difference = vec![0.0; STEPS * p];
                for mu in 0..PATHS {
                    let (up, down) = (path(mu, s, l, step), path(mu, s, l, -step));
                    for (sum, (up, down)) in difference.iter_mut().zip(up.iter().zip(&down)) {
                        *sum += BETA * (up - down) / (2.0 * step * unit * PATHS as f64);
                    }
                }
                for t in 0..STEPS {
                    for j in 0..p {
                        let stein = response[((t * STEPS + s) * p + j) * p + l];
                        worst = worst.max((stein - difference[t * p + j]).abs());
                        largest = largest.max(if s < t { stein.abs() } else { 0.0 });
                    }
                }
            }
        }
        assert!(worst < 0.005 && largest > 0.02, "off by {worst:.1e}, memory up to {largest:.1e}");
        let signals = |mu: usize| path(mu, 0, 0, 0.0);
        let mean = (0..PATHS).map(|mu| signals(mu)[1] * signals(mu)[4]).sum::<f64>() / (PATHS as f64 * unit * unit);
        let stated = correlation[(2 * p + 1) * p];
        assert!((stated - BETA * mean).abs() < 1e-9, "C(0,2)_10 = {stated}, {}", BETA * mean);
    }
}
