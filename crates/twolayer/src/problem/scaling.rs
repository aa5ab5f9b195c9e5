//! Exponents of d, read off expressions, and the limit theory that they choose. (architecture.md, “the way of the data”)

use crate::{
    error::{Error, Result},
    problem::{Algorithm, Data, Duration, Problem},
};

/// What a quantity does as d → ∞.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// It vanishes.
    Zero,
    /// It stays at this number.
    Constant(f64),
    /// It grows without bound.
    Infinite,
}

/// A quantity that behaves like `d^exponent`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLaw {
    /// The exponent of d.
    pub exponent: f64,
    /// The quantity at d = 10¹².
    pub far: f64,
}

impl PowerLaw {
    /// Reads the exponent as `log₂(v(4D)/v(2D))` at D = 10⁶, 10⁹, 10¹², which must agree to 10⁻³.
    ///
    /// # Errors
    /// [`Error::Refused`] about `key` where they do not: not a power of d.
    pub fn read(key: &str, what: &str, value: impl Fn(f64) -> f64) -> Result<Self> {
        let exponents = [1e6, 1e9, 1e12].map(|d| (value(4.0 * d) / value(2.0 * d)).log2());
        let far = value(1e12);
        let agree = exponents.iter().all(|e| (e - exponents[0]).abs() < 1e-3);
        if agree && far.is_finite() && far > 0.0 {
            return Ok(Self { exponent: exponents[2], far });
        }
        let reason = format!("{what} is not a power of d: its exponent is {exponents:.3?} at d = 10⁶, 10⁹, 10¹²");
        Err(Error::refused(key, reason, "write a power of d, e.g. \"0.5/d\", or drop the limit view"))
    }

    /// What it does as d → ∞.
    pub fn limit(self) -> Limit {
        if self.exponent.abs() < 1e-3 {
            Limit::Constant(self.far)
        } else if self.exponent < 0.0 {
            Limit::Zero
        } else {
            Limit::Infinite
        }
    }
}

/// The limit theory of a problem.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Regime {
    /// ODE; `κ = lim ηs·d/n_b`, 0 for the gradient flow.
    Ode {
        /// κ.
        kappa: f64,
    },
    /// Giant steps; `α = lim n_b/d`, possibly infinite.
    GiantStep {
        /// α.
        alpha: f64,
    },
    /// One step with n_b ~ d^ℓ and ηs ~ d^{(ℓ−1)/2}, ℓ ≥ 2.
    LeapStep {
        /// ℓ.
        degree: u32,
    },
    /// Dynamical mean-field theory; `β = lim n/d`.
    Reused {
        /// β.
        beta: f64,
    },
}

/// A regime, and what the reader should know about how it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The limit theory.
    pub regime: Regime,
    /// Why, with the exponents: `ηs ~ d^-1, ηs·d/n_b → 1`.
    pub reason: String,
    /// A plain-number learning rate that was read as a power of d.
    pub advice: Option<String>,
}

impl Problem {
    /// Reads the scaling of η, n_b and n with d and finds the limit theory.
    ///
    /// With `H = lim ηs`, `κ = lim ηs·d/n_b`, `α = lim n_b/d`, `β = lim n/d`, p fixed.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is no limit, naming the key and the scaling that has one.
    pub fn scaling(&self) -> Result<Reading> {
        if self.training.algorithm == Algorithm::GradientFlow {
            let reason = "gradient flow".into();
            return Ok(Reading { regime: Regime::Ode { kappa: 0.0 }, reason, advice: None });
        }
        let (short, batch) = self.step_and_batch()?;
        let alpha = PowerLaw { exponent: batch.exponent - 1.0, far: batch.far / 1e12 };
        let advice = self.plain_rate(alpha).and_then(|at| self.advice_of_plain_rate(at));
        let noise = PowerLaw { exponent: short.exponent - alpha.exponent, far: short.far / alpha.far };
        let said = format!("ηs ~ d^{:.3}, n_b ~ d^{:.3}", short.exponent, batch.exponent);
        match self.training.data {
            Data::Fresh if let Some(degree) = leap(&short, &batch) => {
                let reason = format!("{said}: one step that learns degree {degree}");
                Ok(Reading { regime: Regime::LeapStep { degree }, reason, advice })
            }
            Data::Fresh => self.fresh(short.limit(), noise.limit(), alpha.limit(), said, advice),
            Data::Reused => self.reused(short.limit(), said),
        }
    }

    /// How ηs and n_b behave as d grows, and p with it where the width depends on d.
    ///
    /// # Errors
    /// [`Error::Refused`] where they are no powers of d.
    pub(super) fn step_and_batch(&self) -> Result<(PowerLaw, PowerLaw)> {
        let key = "training.learning_rate";
        let Some(rate) = &self.training.learning_rate else {
            return Err(Error::refused(key, "sgd without a learning rate", "write one"));
        };
        let batch = PowerLaw::read("training.batch", "the batch size", |d| self.sizes_at(d).n_b)?;
        let at = self.plain_rate(PowerLaw { exponent: batch.exponent - 1.0, far: batch.far / 1e12 });
        let step_time = |d: f64| {
            let sizes = self.sizes_at(d);
            let shrink = at.map_or(1.0, |at| at / d);
            rate.value(&sizes) * shrink * self.network.output_scale.value(&sizes)
        };
        Ok((PowerLaw::read(key, "ηs", step_time)?, batch))
    }

    /// The d at which a plain-number learning rate of one-pass SGD is read as c/d.
    fn plain_rate(&self, alpha: PowerLaw) -> Option<f64> {
        let rate = self.training.learning_rate.as_ref()?;
        let plain = rate.is_number() && self.training.data == Data::Fresh && alpha.limit() == Limit::Zero;
        if plain { self.dimension().map(|d| d as f64) } else { None }
    }

    fn advice_of_plain_rate(&self, d: f64) -> Option<String> {
        let rate = self.training.learning_rate.as_ref()?;
        let product = rounded(rate.value(self.sizes()) * d);
        product.is_finite().then(|| {
            format!(
                "learning_rate = {}: at d = {d} that is {product}/d, and the limit reads it so; if it should shrink with \
                 d, write \"{product}/d\"",
                rate.text()
            )
        })
    }

    fn fresh(&self, h: Limit, kappa: Limit, alpha: Limit, said: String, advice: Option<String>) -> Result<Reading> {
        let refuse = |why: &str, remedy: &str| {
            Err(Error::refused("training.learning_rate", format!("{said}: {why}"), remedy.to_string()))
        };
        let regime = match (h, kappa, alpha) {
            (Limit::Zero, Limit::Zero, _) => Regime::Ode { kappa: 0.0 },
            (Limit::Zero, Limit::Constant(kappa), _) => Regime::Ode { kappa },
            (Limit::Zero, Limit::Infinite, _) => {
                let why = "ηs·d/n_b → ∞, the noise of the batches dominates and there is no limit";
                return refuse(why, "write learning_rate = \"c/d\" at batch 1, or a batch that grows with d");
            }
            (Limit::Constant(_), _, Limit::Constant(alpha)) => Regime::GiantStep { alpha },
            (Limit::Constant(_), _, Limit::Infinite) => Regime::GiantStep { alpha: f64::INFINITY },
            (Limit::Constant(_), _, Limit::Zero) => {
                let why = "ηs stays finite while n_b/d → 0, and there is no limit";
                return refuse(why, "write batch = \"d\", or a learning rate that shrinks: \"c/d\"");
            }
            (Limit::Infinite, ..) => {
                let why = "ηs grows without bound";
                return refuse(why, "write a learning rate that does not grow with d, or drop the limit view");
            }
        };
        let reason = match regime {
            Regime::Ode { kappa: 0.0 } => format!("{said}, ηs·d/n_b → 0: gradient flow"),
            Regime::Ode { kappa } => format!("{said}, ηs·d/n_b → {kappa:.4}: online ODE"),
            Regime::LeapStep { degree } => format!("{said}: one step that learns degree {degree}"),
            Regime::GiantStep { alpha } => format!("{said}, n_b/d → {alpha}: giant steps"),
            Regime::Reused { beta } => format!("{said}, n/d → {beta}: dynamical mean-field theory"),
        };
        Ok(Reading { regime, reason, advice })
    }

    fn reused(&self, h: Limit, said: String) -> Result<Reading> {
        let beta = PowerLaw::read("training.samples", "the number of samples", |d| self.sizes_at(d).n / d)?;
        let regime = match (h, beta.limit()) {
            (Limit::Constant(_), Limit::Constant(beta)) => Regime::Reused { beta },
            (Limit::Constant(_), Limit::Infinite) => Regime::GiantStep { alpha: f64::INFINITY },
            _ => {
                let reason =
                    format!("{said}: reused data have a limit for a learning rate that stays finite and n ~ d");
                let remedy = "use the reduced view, or samples = \"3*d\" with a constant learning rate";
                return Err(Error::refused("training.learning_rate", reason, remedy));
            }
        };
        Ok(Reading { regime, reason: format!("{said}, n ~ d^{:.3}", beta.exponent + 1.0), advice: None })
    }

    /// Whether moments are counted in steps: giant steps and reused data; else in time.
    pub fn counts_steps(&self) -> bool {
        let giant = || match self.scaling() {
            Ok(reading) => !matches!(reading.regime, Regime::Ode { .. }),
            Err(_) => matches!(self.training.duration, Duration::Steps(_)),
        };
        self.training.data == Data::Reused || giant()
    }
}

/// Without the last digits, which are those of the arithmetic: 0.6 for 0.6000000000000001.
fn rounded(value: f64) -> f64 {
    format!("{value:.12e}").parse().unwrap_or(value)
}

/// ℓ ≥ 2 where n_b ~ d^ℓ and ηs ~ d^{(ℓ−1)/2}.
fn leap(short: &PowerLaw, batch: &PowerLaw) -> Option<u32> {
    let degree = batch.exponent.round();
    let fits = (batch.exponent - degree).abs() < 1e-3 && (short.exponent - (degree - 1.0) / 2.0).abs() < 1e-3;
    (degree >= 2.0 && fits).then_some(degree as u32)
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::problem::{Activation, Rule};

    /// p = 4, s = 1/p, so that ηs = η/4.
    fn problem(rate: &str, batch: &str) -> Problem {
        let committee = Problem::builder().target(Rule::committee(Activation::Erf, 2, 0.5)).network(4, "erf");
        committee.dimension(1000).learning_rate(rate).batch(batch).steps(10).build().unwrap()
    }

    fn kappa(rate: &str, batch: &str) -> f64 {
        match problem(rate, batch).scaling().unwrap().regime {
            Regime::Ode { kappa } => kappa,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn exponents_choose_the_theory() {
        assert!((kappa("2/d", "1") - 0.5).abs() < 1e-9);
        assert!((kappa("2/d", "8") - 0.0625).abs() < 1e-9);
        assert_eq!(kappa("2/d^1.5", "1"), 0.0);
        assert_eq!(kappa("2/d", "sqrt(d)"), 0.0);
        assert!((kappa("1/sqrt(d)", "sqrt(d)") - 0.25).abs() < 1e-9);
        let giant = problem("2*p", "3*d").scaling().unwrap().regime;
        assert!(matches!(giant, Regime::GiantStep { alpha } if (alpha - 3.0).abs() < 1e-9), "{giant:?}");
        let infinite = problem("2*p", "d^2").scaling().unwrap().regime;
        assert_eq!(infinite, Regime::GiantStep { alpha: f64::INFINITY });
    }

    #[test]
    fn what_has_no_limit_is_refused() {
        for (rate, batch, why) in [
            ("1/sqrt(d)", "1", "no limit"),
            ("0.1*d/(1 + d)", "1", "n_b/d → 0"),
            ("d", "d", "without bound"),
            ("1/log(d)", "1", "not a power of d"),
        ] {
            let error = problem(rate, batch).scaling().unwrap_err();
            assert!(matches!(error, Error::Refused(_)) && error.to_string().contains(why), "{rate}, {batch}: {error}");
        }
    }

    #[test]
    fn a_plain_number_is_read_at_its_own_dimension() {
        let reading = problem("0.0005", "1").scaling().unwrap();
        assert!(matches!(reading.regime, Regime::Ode { kappa } if (kappa - 0.125).abs() < 1e-9));
        let advice = reading.advice.unwrap();
        assert!(advice.contains("\"0.5/d\"") && advice.contains("at d = 1000"), "{advice}");
        assert_eq!(problem("0.5/d", "1").scaling().unwrap().advice, None);
        assert_eq!([0.006 * 100.0, 1e-4 * 1000.0].map(rounded), [0.6, 0.1]);
    }
}
