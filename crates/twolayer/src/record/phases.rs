//! Phases of a risk curve: plateaus, and the transitions between them.
//!
//! The speed of learning is `v = −d ln R / d ln t`. A plateau is where v has a minimum that is small beside the maxima on
//! both sides, whatever its own size; the transition between two plateaus has their levels. A transition lasts from the
//! moment at which a tenth of its drop is done to that at which nine tenths are, and the plateaus last in between.

/// Phases of one curve, in the order of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Phases {
    /// Where the risk stood still.
    pub plateaus: Vec<Plateau>,
    /// Where it fell.
    pub transitions: Vec<Transition>,
}

/// A time in which the risk stands still.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plateau {
    /// The risk there.
    pub level: f64,
    /// When the fall before is nine tenths done; 0 for the first.
    pub start: f64,
    /// When the fall after is one tenth done; the last time recorded for the last.
    pub end: f64,
}

impl Plateau {
    /// How long it lasts.
    pub fn length(&self) -> f64 {
        self.end - self.start
    }
}

/// A fall of the risk from one level to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition {
    /// When half of the fall is done.
    pub time: f64,
    /// From a tenth to nine tenths of the fall.
    pub width: f64,
    /// The level before.
    pub from: f64,
    /// The level after.
    pub to: f64,
    /// The degree of the target that is learnt in it, where the levels are known.
    pub degree: Option<usize>,
}

/// A transition that theory expects: one degree of the target, learnt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Learning {
    /// ℓ.
    pub degree: usize,
    /// The risk before.
    pub before: f64,
    /// The risk after: `½ Σ_{k>ℓ} φ_k²` and what is never learnt.
    pub after: f64,
    /// When |e_ℓ| is |φ_ℓ|/2, where there is a formula for it.
    pub time: Option<f64>,
    /// The time goes as ε to this power: 1, ½ (with a logarithm), 1/(2ℓ).
    pub exponent: f64,
}

/// A minimum of the speed counts where it is below this part of both maxima beside it.
const DEEP: f64 = 0.3;
/// A fall by less than this part of its level is no transition.
const SMALLEST_FALL: f64 = 0.01;
/// A plateau is at least this part as long as the shorter of the transitions beside it.
const SHORTEST: f64 = 0.5;
/// The fall is counted from and to here.
const PART: f64 = 0.1;

impl Phases {
    /// The phases of `risk` at `time` (rising; entries that are not finite, and what comes after, are left out).
    ///
    /// Noise is no phase: the curve is first made monotone by least squares, and seen only as finely as it then allows.
    pub fn of(time: &[f64], risk: &[f64]) -> Self {
        let Some(curve) = Curve::new(time, risk) else { return Self::default() };
        let levels = curve.levels();
        let mut phases = Self::default();
        for pair in levels.windows(2) {
            phases.transitions.extend(curve.transition(pair[0], pair[1]));
        }
        phases.plateaus = curve.plateaus(&levels, &phases.transitions);
        phases
    }

    /// The phases of a curve of which theory expects these transitions, one after the other. Transitions that the curve does not reach half of are left out, and plateaus that none of
    /// the curve lies on.
    pub fn expected(time: &[f64], risk: &[f64], order: &[Learning]) -> Self {
        let Some(curve) = Curve::new(time, risk) else { return Self::default() };
        let mut phases = Self::default();
        let mut reached = Vec::new();
        for learning in order {
            let Some(transition) = curve.transition(learning.before, learning.after) else { break };
            if reached.is_empty() {
                reached.push(learning.before);
            }
            reached.push(learning.after);
            phases.transitions.push(Transition { degree: Some(learning.degree), ..transition });
        }
        phases.plateaus = curve.plateaus(&reached, &phases.transitions);
        phases
    }

    /// The plateau that lasts longest on a logarithmic clock, of those that the curve leaves again.
    pub fn longest(&self) -> Option<Plateau> {
        let left = self.plateaus.iter().filter(|plateau| {
            plateau.start > 0.0 && self.transitions.iter().any(|transition| transition.time > plateau.end)
        });
        left.copied().max_by(|a, b| (a.end / a.start).total_cmp(&(b.end / b.start)))
    }
}

/// A falling curve without noise.
struct Curve {
    /// t > 0, rising.
    time: Vec<f64>,
    /// R > 0, never rising.
    risk: Vec<f64>,
    /// The size of the noise of ln R.
    noise: f64,
}

impl Curve {
    /// `None` for fewer than three moments.
    fn new(time: &[f64], risk: &[f64]) -> Option<Self> {
        let pairs = time.iter().zip(risk).take_while(|(t, r)| t.is_finite() && r.is_finite());
        let raw: Vec<(f64, f64)> = pairs.map(|(t, r)| (*t, *r)).filter(|(t, _)| *t > 0.0).collect();
        if raw.len() < 3 {
            return None;
        }
        let monotone = falling(raw.iter().map(|(_, r)| *r));
        let largest = monotone[0].max(f64::MIN_POSITIVE);
        // Below this a risk is rounding.
        let floor = 1e-14 * largest;
        let risk: Vec<f64> = monotone.iter().map(|r| r.max(floor)).collect();
        let above = raw.iter().zip(&risk).filter(|(_, r)| **r > floor);
        let wrong = above.map(|((_, raw), r)| ((raw - r) / r).powi(2)).sum::<f64>();
        let noise = (wrong / raw.len() as f64).sqrt();
        Some(Self { time: raw.iter().map(|(t, _)| *t).collect(), risk, noise })
    }

    /// The levels of the plateaus, first and last included, falling.
    fn levels(&self) -> Vec<f64> {
        let (speeds, marks) = self.speeds();
        let mut levels = vec![self.risk[0]];
        levels.extend(deep_minima(&speeds).into_iter().map(|i| (marks[i] * marks[i + 1]).sqrt()));
        levels.push(self.risk[self.risk.len() - 1]);
        // Too small a fall is none.
        let mut kept: Vec<f64> = Vec::new();
        for level in levels {
            if kept.last().is_none_or(|above| *above - level > SMALLEST_FALL.max(3.0 * self.noise) * above) {
                kept.push(level);
            }
        }
        kept
    }

    /// −Δ ln R/Δ ln t between marks, and R at the marks: all moments where there is no noise, else moments between which
    /// the curve falls by more than the noise.
    fn speeds(&self) -> (Vec<f64>, Vec<f64>) {
        let mut at = vec![0];
        for i in 1..self.time.len() {
            let last = at[at.len() - 1];
            let fall = (self.risk[last] / self.risk[i]).ln();
            // A still stretch is one interval: its far end is where the next fall begins.
            if fall > 3.0 * self.noise {
                if self.noise > 0.0 && i - 1 > last {
                    at.push(i - 1);
                }
                at.push(i);
            }
        }
        if at[at.len() - 1] != self.time.len() - 1 {
            at.push(self.time.len() - 1);
        }
        let speed = |pair: &[usize]| {
            let (i, j) = (pair[0], pair[1]);
            (self.risk[i] / self.risk[j]).ln() / (self.time[j] / self.time[i]).ln()
        };
        (at.windows(2).map(speed).collect(), at.iter().map(|i| self.risk[*i]).collect())
    }

    /// When the curve first is at `level` or below, interpolated on logarithmic axes.
    fn reaches(&self, level: f64) -> Option<f64> {
        let after = self.risk.iter().position(|r| *r <= level)?;
        let Some(before) = after.checked_sub(1) else { return Some(self.time[0]) };
        let (high, low) = (self.risk[before], self.risk[after]);
        let part = (high / level).ln() / (high / low).ln();
        Some(self.time[before] * (self.time[after] / self.time[before]).powf(part))
    }

    /// The fall between two levels; `None` where half of it is not reached.
    fn transition(&self, from: f64, to: f64) -> Option<Transition> {
        let at = |part: f64| self.reaches(from - part * (from - to));
        let time = at(0.5)?;
        let begun = at(PART).unwrap_or(time);
        let done = at(1.0 - PART).unwrap_or(f64::NAN);
        Some(Transition { time, width: done - begun, from, to, degree: None })
    }

    /// The stretches at `levels` around and between `transitions`, long enough to be told from them.
    fn plateaus(&self, levels: &[f64], transitions: &[Transition]) -> Vec<Plateau> {
        let mut plateaus = Vec::new();
        for (i, &level) in levels.iter().enumerate() {
            let before = i.checked_sub(1).and_then(|i| transitions.get(i));
            let after = transitions.get(i);
            let begins =
                |transition: &Transition| self.reaches(transition.from - PART * (transition.from - transition.to));
            let ends = |transition: &Transition| self.reaches(transition.to + PART * (transition.from - transition.to));
            let start = match before {
                None => Some(0.0),
                Some(transition) => ends(transition),
            };
            let end = match after {
                None => self.time.last().copied(),
                Some(transition) => begins(transition),
            };
            let (Some(start), Some(end)) = (start, end) else { continue };
            let width =
                |transition: Option<&Transition>| transition.map_or(f64::INFINITY, |transition| transition.width);
            let shorter = width(before).min(width(after));
            // The last plateau may just have begun; without any transition everything is one.
            let long = if shorter.is_finite() { end - start > SHORTEST * shorter } else { end > start };
            if long {
                plateaus.push(Plateau { level, start, end });
            }
        }
        plateaus
    }
}

/// The falling sequence closest to `values`, by least squares (pool adjacent violators).
fn falling(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for value in values {
        let mut block = (value, 1);
        while let Some(&(mean, count)) = blocks.last()
            && mean < block.0
        {
            blocks.pop();
            let all = (count + block.1) as f64;
            block = ((mean * count as f64 + block.0 * block.1 as f64) / all, count + block.1);
        }
        blocks.push(block);
    }
    blocks.into_iter().flat_map(|(mean, count)| std::iter::repeat_n(mean, count)).collect()
}

/// Where `values` have minima below [`DEEP`] times the largest value on either side before a deeper minimum.
fn deep_minima(values: &[f64]) -> Vec<usize> {
    // Alternating maxima and minima; a minimum that is too shallow goes, with the lower of the maxima beside it.
    let mut minima = Vec::new();
    let mut maximum = f64::NEG_INFINITY;
    let mut candidate: Option<usize> = None;
    for (i, &value) in values.iter().enumerate() {
        match candidate {
            Some(at) if value * DEEP > values[at] => {
                // It has risen far enough from the candidate: a plateau.
                minima.push(at);
                (candidate, maximum) = (None, value);
            }
            Some(at) if value < values[at] => candidate = Some(i),
            Some(_) => {}
            None if value < DEEP * maximum => candidate = Some(i),
            None => maximum = maximum.max(value),
        }
    }
    minima
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_times(from: f64, to: f64, count: usize) -> Vec<f64> {
        (0..count).map(|i| from * (to / from).powf(i as f64 / (count - 1) as f64)).collect()
    }

    /// Falls of given heights at given times: logistic in t, of given widths.
    fn waterfall(time: &[f64], falls: &[(f64, f64, f64)]) -> Vec<f64> {
        let fall = |t: f64| falls.iter().map(|(height, at, width)| height / (1.0 + ((t - at) / width).exp())).sum();
        time.iter().map(|t| fall(*t)).collect()
    }

    #[test]
    fn a_waterfall_of_three_steps() {
        let time = log_times(1e-4, 100.0, 600);
        let falls = [(0.5, 0.1, 0.01), (0.3, 1.0, 0.05), (0.2, 10.0, 0.5)];
        let phases = Phases::of(&time, &waterfall(&time, &falls));
        let levels: Vec<f64> = phases.plateaus.iter().map(|plateau| plateau.level).collect();
        assert_eq!(levels.len(), 4, "{phases:?}");
        for (level, expected) in levels.iter().zip([1.0, 0.5, 0.2, 0.0]) {
            assert!((level - expected).abs() < 1e-3, "{levels:?}");
        }
        for (transition, (height, at, width)) in phases.transitions.iter().zip(falls) {
            assert!((transition.time / at - 1.0).abs() < 1e-2, "{transition:?}");
            assert!((transition.from - transition.to - height).abs() < 2e-3, "{transition:?}");
            // ln 9 on either side.
            let exact = 2.0 * 9_f64.ln() * width;
            assert!((transition.width / exact - 1.0).abs() < 0.05, "{transition:?} {exact}");
        }
        let plateau = phases.plateaus[1];
        assert!(
            (plateau.start - (0.1 + 0.022)).abs() < 5e-3 && (plateau.end - (1.0 - 0.11)).abs() < 0.02,
            "{plateau:?}"
        );
        assert_eq!(phases.longest().map(|plateau| (plateau.level * 10.0).round()), Some(2.0));
    }

    /// A decay has no plateau before it, a power law none at all.
    #[test]
    fn decays_are_not_plateaus() {
        let time = log_times(1e-3, 20.0, 300);
        let decay: Vec<f64> = time.iter().map(|t| (-t).exp()).collect();
        let phases = Phases::of(&time, &decay);
        assert_eq!(phases.transitions.len(), 1, "{phases:?}");
        assert!((phases.transitions[0].time - 2_f64.ln()).abs() < 1e-2, "{phases:?}");
        assert!(phases.plateaus.iter().all(|plateau| plateau.start > 0.0), "{phases:?}");
        let power: Vec<f64> = time.iter().map(|t| 1.0 / (1.0 + t)).collect();
        assert!(Phases::of(&time, &power).longest().is_none());
    }

    /// The symmetric plateau of a committee: a fast fall, a long wait, an exponential escape to a floor.
    #[test]
    fn a_plateau_between_a_decay_and_an_escape() {
        let time = log_times(1e-2, 1e3, 400);
        let risk: Vec<f64> =
            time.iter().map(|t| 0.3 * (-2.0 * t).exp() + 0.02 / (1.0 + (0.1 * (t - 150.0)).exp()) + 1e-6).collect();
        let phases = Phases::of(&time, &risk);
        let plateau = phases.longest().unwrap();
        assert!((plateau.level / 0.02 - 1.0).abs() < 1e-2, "{phases:?}");
        assert!(plateau.start < 2.5 && (plateau.end - 128.0).abs() < 3.0, "{plateau:?}");
    }

    #[test]
    fn noise_makes_no_phases() {
        let time = log_times(1e-3, 100.0, 300);
        let clean = waterfall(&time, &[(0.5, 0.1, 0.01), (0.3, 5.0, 0.3)]);
        let mut x = 0.4_f64;
        let noisy: Vec<f64> = clean
            .iter()
            .map(|r| {
                x = (x * 9301.7 + 0.49297).fract();
                (r + 0.05) * (1.0 + 0.04 * (x - 0.5))
            })
            .collect();
        let phases = Phases::of(&time, &noisy);
        let times: Vec<f64> = phases.transitions.iter().map(|transition| transition.time).collect();
        assert_eq!(times.len(), 2, "{phases:?}");
        assert!((times[0] / 0.1 - 1.0).abs() < 0.05 && (times[1] / 5.0 - 1.0).abs() < 0.05, "{times:?}");
    }

    #[test]
    fn known_levels_name_their_degrees() {
        let time = log_times(1e-4, 100.0, 600);
        let risk = waterfall(&time, &[(0.5, 0.1, 0.01), (0.3, 1.0, 0.1), (0.2, 1.3, 0.1)]);
        let learning = |degree, before, after| Learning { degree, before, after, time: None, exponent: 1.0 };
        let order = [learning(1, 1.0, 0.5), learning(2, 0.5, 0.2), learning(4, 0.2, 0.0)];
        let phases = Phases::expected(&time, &risk, &order);
        let degrees: Vec<Option<usize>> = phases.transitions.iter().map(|transition| transition.degree).collect();
        assert_eq!(degrees, [Some(1), Some(2), Some(4)]);
        assert!((phases.transitions[0].time / 0.1 - 1.0).abs() < 1e-2);
        // The last two falls overlap: there is no plateau between.
        assert_eq!(phases.plateaus.len(), 3, "{phases:?}");
        // Cut before the last fall: two transitions, and the curve stands on the last level.
        let cut = time.iter().position(|t| *t > 0.5).unwrap();
        let early = Phases::expected(&time[..cut], &risk[..cut], &order);
        assert_eq!(early.transitions.len(), 1);
    }

    #[test]
    fn curves_without_a_shape() {
        assert_eq!(Phases::of(&[], &[]), Phases::default());
        assert_eq!(Phases::of(&[0.0, 1.0], &[1.0, f64::NAN]), Phases::default());
        let still = Phases::of(&[0.0, 1.0, 2.0, 3.0], &[0.5; 4]);
        assert_eq!(still.plateaus, [Plateau { level: 0.5, start: 0.0, end: 3.0 }]);
        assert!(still.transitions.is_empty());
    }
}
