//! Products with weights and inputs, in the order in which memory is read.

use pulp::NullaryFnOnce;

use super::super::products::{combine, dots};

/// Batch 1, in one pass over the weights: the step that is pending, `w_j ← keep·w_j − g_j x`, and the fields of the next
/// sample, `⟨w_j, x'⟩`. Four rows at a time, so that x and x' are loaded once for four.
///
/// A struct, because a closure is not always inlined to where the wide registers are allowed.
pub(super) struct Pass<'a> {
    pub weights: &'a mut [f64],
    pub keep: &'a [f64],
    pub signal: &'a [f64],
    pub old: &'a [f64],
    pub new: &'a [f64],
    pub fields: &'a mut [f64],
}

/// Fields of some samples, `⟨w_j, x_μ⟩`, p×m.
pub(super) struct Fields<'a> {
    pub weights: &'a [f64],
    pub inputs: &'a [f64],
    pub d: usize,
    pub fields: &'a mut [f64],
}

impl NullaryFnOnce for Fields<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { weights, inputs, d, fields } = self;
        let (p, m) = (weights.len() / d, inputs.len() / d);
        let (x, w) = (|mu: usize| &inputs[mu * d..(mu + 1) * d], |j: usize| &weights[j * d..(j + 1) * d]);
        dots(m, x, p, w, |mu, j, field| fields[j * m + mu] = field);
    }
}

/// `gradient_j ← gradient_j + Σ_μ signal_jμ x_μ` over some samples; `signal` is p×m.
pub(super) struct Gradient<'a> {
    pub gradient: &'a mut [f64],
    pub inputs: &'a [f64],
    pub d: usize,
    pub signal: &'a [f64],
}

impl NullaryFnOnce for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { gradient, inputs, d, signal } = self;
        let m = inputs.len() / d;
        combine(gradient, d, m, |j, mu| signal[j * m + mu], |mu| &inputs[mu * d..(mu + 1) * d]);
    }
}

/// Numbers that are multiplied and added side by side.
const LANES: usize = 8;

impl NullaryFnOnce for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let d = self.new.len();
        let mut weights = self.weights.chunks_exact_mut(4 * d);
        let mut signal = self.signal.chunks_exact(4);
        let mut keep = self.keep.chunks_exact(4);
        let mut fields = self.fields.chunks_exact_mut(4);
        for (((w, keep), g), field) in (&mut weights).zip(&mut keep).zip(&mut signal).zip(&mut fields) {
            let (first, second) = w.split_at_mut(2 * d);
            let ((a, b), (c, e)) = (first.split_at_mut(d), second.split_at_mut(d));
            let (keep, g) = ([keep[0], keep[1], keep[2], keep[3]], [g[0], g[1], g[2], g[3]]);
            field.copy_from_slice(&rows([a, b, c, e], keep, g, self.old, self.new));
        }
        let rest = weights.into_remainder().chunks_exact_mut(d).zip(keep.remainder()).zip(signal.remainder());
        for (((w, keep), g), field) in rest.zip(fields.into_remainder()) {
            [*field] = rows([w], [*keep], [*g], self.old, self.new);
        }
    }
}

/// The pending step of R rows, and their fields at the new sample. Each row's additions are in the same order whatever R.
#[inline(always)]
fn rows<const R: usize>(w: [&mut [f64]; R], keep: [f64; R], g: [f64; R], old: &[f64], new: &[f64]) -> [f64; R] {
    let mut sums = [[0.0; LANES]; R];
    let whole = new.len() / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        let (old, new) = (&old[at..at + LANES], &new[at..at + LANES]);
        for r in 0..R {
            let w = &mut w[r][at..at + LANES];
            for i in 0..LANES {
                w[i] = keep[r] * w[i] - g[r] * old[i];
                sums[r][i] += w[i] * new[i];
            }
        }
    }
    let mut fields = [0.0; R];
    for r in 0..R {
        let mut width = LANES / 2;
        while width > 0 {
            for i in 0..width {
                sums[r][i] += sums[r][i + width];
            }
            width /= 2;
        }
        fields[r] = sums[r][0];
        for i in whole..new.len() {
            w[r][i] = keep[r] * w[r][i] - g[r] * old[i];
            fields[r] += w[r][i] * new[i];
        }
    }
    fields
}
