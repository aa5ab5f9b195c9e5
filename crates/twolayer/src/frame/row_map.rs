//! What a step does to the rows, whatever coordinates they are kept in. (theory.md §10.1)

use faer::Mat;

/// Slots at most: the weights, and an anchor to which a displaced gradient is applied.
pub const MOST_SLOTS: usize = 2;

/// One coefficient for each neuron.
#[derive(Debug, Clone, PartialEq)]
pub enum Factor {
    /// 0: the slot is not read.
    Zero,
    /// 1.
    One,
    /// These (p).
    Each(Vec<f64>),
}

/// How one slot is made of all slots and the gradient: `S ← Σ_s A_s S_s + b G`.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// A_s, for the slots from the first on; those that are missing are not read.
    pub rows: Vec<Factor>,
    /// b.
    pub gradient: f64,
}

/// `S_t ← Σ_s A_ts S_s + b_t G`, neuron by neuron, with G = Σ_μ signal_μ x_μᵀ of the last look.
///
/// Slot 0 are the weights, whose fields are looked at. Every protocol is a sequence of such maps: SGD with weight decay is
/// `W ← (1 − ηλ_w) W − G`, the sphere a factor for each neuron, a displacement `(W, anchor) ← (W − (ρ/η) G, W)` and, after
/// the second look, `W ← (1 − ηλ_w) anchor − G`.
#[derive(Debug, Clone, PartialEq)]
pub struct RowMap {
    /// One entry for each slot that is written, from the first on.
    pub slots: Vec<Slot>,
}

impl RowMap {
    /// `W ← factor_j w_j + b G`.
    pub fn step(factor: Vec<f64>, gradient: f64) -> Self {
        Self { slots: vec![Slot { rows: vec![Factor::Each(factor)], gradient }] }
    }

    /// The factors and b of a map that writes the weights and reads nothing but them.
    pub fn as_step(&self) -> Option<(&[f64], f64)> {
        match &self.slots[..] {
            [Slot { rows, gradient }] => match &rows[..] {
                [Factor::Each(factor)] => Some((factor, *gradient)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Puts other coefficients into the last factor of the weights' entry.
    pub fn set_factors(&mut self, factors: &[f64]) {
        if let Some(Factor::Each(each)) = self.slots.first_mut().and_then(|slot| slot.rows.last_mut()) {
            each.copy_from_slice(factors);
        }
    }

    /// One coordinate of all slots of neuron j; `step(b)` is b times that of the gradient.
    #[inline(always)]
    pub(super) fn at(&self, j: usize, old: [f64; MOST_SLOTS], step: impl Fn(f64) -> f64) -> [f64; MOST_SLOTS] {
        let mut new = old;
        for (new, slot) in new.iter_mut().zip(&self.slots) {
            let mut sum = 0.0;
            for (factor, old) in slot.rows.iter().zip(old) {
                match factor {
                    Factor::Zero => {}
                    Factor::One => sum += old,
                    Factor::Each(factors) => sum += factors[j] * old,
                }
            }
            *new = if slot.gradient == 0.0 { sum } else { sum + step(slot.gradient) };
        }
        new
    }
}

/// Inner products with the gradient of the last look, known before a step is made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Gram {
    /// `G W*ᵀ` (p×k).
    pub teacher: Mat<f64>,
    /// `⟨w_j, G_j⟩` for each slot (p).
    pub along: Vec<Vec<f64>>,
    /// `G Gᵀ` (p×p).
    pub gradient: Mat<f64>,
}

impl Gram {
    /// Of p neurons and k directions, all zero.
    pub fn zeros(width: usize, directions: usize) -> Self {
        Self { teacher: Mat::zeros(width, directions), along: Vec::new(), gradient: Mat::zeros(width, width) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (W, anchor) ← (W − ρG, W), then W ← c·anchor − G: the step from where it began, whatever the displacement.
    #[test]
    fn a_displacement_is_two_maps() {
        let away = RowMap {
            slots: vec![
                Slot { rows: vec![Factor::One], gradient: -0.25 },
                Slot { rows: vec![Factor::One], gradient: 0.0 },
            ],
        };
        let back =
            RowMap { slots: vec![Slot { rows: vec![Factor::Zero, Factor::Each(vec![0.0, 0.5])], gradient: -1.0 }] };
        let displaced = away.at(1, [3.0, 100.0], |b| b * 8.0);
        assert_eq!(displaced, [1.0, 3.0]);
        assert_eq!(back.at(1, displaced, |b| b * 2.0), [0.5 * 3.0 - 2.0, 3.0]);
        assert_eq!(RowMap::step(vec![1.0, 0.5], -2.0).as_step(), Some((&[1.0, 0.5][..], -2.0)));
        assert_eq!((away.as_step(), back.as_step()), (None, None));
    }
}
