//! Products of long rows, a few at a time so that each is read once for several, in the order in which memory is read.
//!
//! Inlined into what `pulp` dispatches, so that they may use its registers.

/// Numbers that are multiplied and added side by side.
const LANES: usize = 4;

/// Calls `out(r, j, ⟨x_r, w_j⟩)` for `rows` rows x and `others` rows w.
#[inline(always)]
pub(super) fn dots<'a>(
    rows: usize,
    x: impl Fn(usize) -> &'a [f64],
    others: usize,
    w: impl Fn(usize) -> &'a [f64],
    mut out: impl FnMut(usize, usize, f64),
) {
    let mut r = 0;
    while r + 4 <= rows {
        dots_of([x(r), x(r + 1), x(r + 2), x(r + 3)], r, others, &w, &mut out);
        r += 4;
    }
    while r < rows {
        dots_of([x(r)], r, others, &w, &mut out);
        r += 1;
    }
}

/// [`dots`] of R rows, of which the first is row `first`.
#[inline(always)]
fn dots_of<'a, const R: usize>(
    x: [&[f64]; R],
    first: usize,
    others: usize,
    w: &impl Fn(usize) -> &'a [f64],
    out: &mut impl FnMut(usize, usize, f64),
) {
    let mut j = 0;
    while j + 2 <= others {
        for (i, row) in block([w(j), w(j + 1)], x).iter().enumerate() {
            row.iter().enumerate().for_each(|(r, dot)| out(first + r, j + i, *dot));
        }
        j += 2;
    }
    if j < others {
        block([w(j)], x)[0].iter().enumerate().for_each(|(r, dot)| out(first + r, j, *dot));
    }
}

/// `⟨x_r, w_j⟩` of R rows and P others, each read once.
#[inline(always)]
fn block<const P: usize, const R: usize>(w: [&[f64]; P], x: [&[f64]; R]) -> [[f64; R]; P] {
    let mut sums = [[[0.0; LANES]; R]; P];
    let length = w[0].len();
    let whole = length / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        let x: [&[f64]; R] = std::array::from_fn(|r| &x[r][at..at + LANES]);
        for j in 0..P {
            let w = &w[j][at..at + LANES];
            for r in 0..R {
                for i in 0..LANES {
                    sums[j][r][i] += x[r][i] * w[i];
                }
            }
        }
    }
    let mut out = [[0.0; R]; P];
    for j in 0..P {
        for r in 0..R {
            out[j][r] = sums[j][r].iter().sum::<f64>();
            for i in whole..length {
                out[j][r] += x[r][i] * w[j][i];
            }
        }
    }
    out
}

/// `sum_j ← sum_j + Σ_r g(j, r) x_r` for `rows` rows x; the sums are one after the other in `sums`, each of `length` numbers.
#[inline(always)]
pub(super) fn combine<'a>(
    sums: &mut [f64],
    length: usize,
    rows: usize,
    g: impl Fn(usize, usize) -> f64,
    x: impl Fn(usize) -> &'a [f64],
) {
    let mut r = 0;
    while r + 4 <= rows {
        combine_of(sums, length, r, &g, [x(r), x(r + 1), x(r + 2), x(r + 3)]);
        r += 4;
    }
    while r < rows {
        combine_of(sums, length, r, &g, [x(r)]);
        r += 1;
    }
}

/// [`combine`] of R rows, of which the first is row `first`.
#[inline(always)]
fn combine_of<const R: usize>(
    sums: &mut [f64],
    length: usize,
    first: usize,
    g: &impl Fn(usize, usize) -> f64,
    x: [&[f64]; R],
) {
    let weights = |j: usize| std::array::from_fn(|r| g(j, first + r));
    let mut pairs = sums.chunks_exact_mut(2 * length);
    let mut j = 0;
    for pair in &mut pairs {
        let (sum, other) = pair.split_at_mut(length);
        add([sum, other], [weights(j), weights(j + 1)], x);
        j += 2;
    }
    let rest = pairs.into_remainder();
    if !rest.is_empty() {
        add([rest], [weights(j)], x);
    }
}

/// `sum_j ← sum_j + Σ_r g_jr x_r` for P sums of R rows, each read once.
#[inline(always)]
fn add<const R: usize, const P: usize>(sum: [&mut [f64]; P], g: [[f64; R]; P], x: [&[f64]; R]) {
    let length = x[0].len();
    let x: [&[f64]; R] = std::array::from_fn(|r| &x[r][..length]);
    let sum = sum.map(|sum| &mut sum[..length]);
    for i in 0..length {
        for j in 0..P {
            let mut total = sum[j][i];
            for r in 0..R {
                total += g[j][r] * x[r][i];
            }
            sum[j][i] = total;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_plain_loops() {
        for (rows, others, length) in [(1, 1, 3), (6, 3, 11), (4, 2, 8), (9, 5, 1)] {
            let row =
                |seed: usize| -> Vec<f64> { (0..length).map(|i| ((7 * i + 3 * seed) % 5) as f64 - 1.5).collect() };
            let x: Vec<Vec<f64>> = (0..rows).map(row).collect();
            let w: Vec<Vec<f64>> = (0..others).map(|j| row(j + 20)).collect();
            let mut seen = 0;
            dots(
                rows,
                |r| &x[r],
                others,
                |j| &w[j],
                |r, j, dot| {
                    seen += 1;
                    assert_eq!(dot, x[r].iter().zip(&w[j]).map(|(x, w)| x * w).sum::<f64>());
                },
            );
            assert_eq!(seen, rows * others);
            let mut sums = w.concat();
            let g = |j: usize, r: usize| (j + 2 * r) as f64;
            combine(&mut sums, length, rows, g, |r| &x[r]);
            for j in 0..others {
                for i in 0..length {
                    let added = (0..rows).map(|r| g(j, r) * x[r][i]).sum::<f64>();
                    assert_eq!(sums[j * length + i], w[j][i] + added);
                }
            }
        }
    }
}
