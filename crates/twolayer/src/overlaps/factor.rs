//! Triangular factors of Gram matrices. Parallel, paired or dead rows make these singular.

use faer::{
    Accum, Mat, MatMut, MatRef, Par, Side,
    dyn_stack::{MemBuffer, MemStack},
    linalg::{
        cholesky::llt_pivoting::factor::{cholesky_in_place, cholesky_in_place_scratch},
        matmul::matmul,
    },
};

use crate::lanes;

/// Rows from which on Cholesky is faster than QR.
const WIDE: usize = 16;

/// Rows of a block that one thread works on.
const BLOCK: usize = 128;

/// A row whose part outside the earlier ones has less than this fraction of its square is left to the slower ways, which
/// lose no digits of it.
const INDEPENDENT: f64 = 1e-6;

/// Lower-triangular L, p×p, with `L Lᵀ = A Aᵀ + B Bᵀ` for A and B of p rows: that of an LQ decomposition of [A, B]. By
/// Cholesky where rows are independent, by QR where they may not be.
pub fn lower_factor_of_both(a: MatRef<'_, f64>, b: MatRef<'_, f64>, threads: usize) -> Mat<f64> {
    let (p, width) = (a.nrows(), a.ncols());
    if p >= WIDE {
        let mut gram = Mat::zeros(p, p);
        in_blocks_of_rows(gram.as_mut(), threads, |first, block| {
            // Up to the diagonal, and a little more.
            let known = first + block.nrows();
            let mut block = block.subcols_mut(0, known);
            for (x, accumulate) in [(a, Accum::Replace), (b, Accum::Add)] {
                let rows = x.subrows(first, block.nrows());
                matmul(block.as_mut(), accumulate, rows, x.subrows(0, known).transpose(), 1.0, Par::Seq);
            }
        });
        if let Some(lower) = cholesky(gram.as_ref()) {
            return lower;
        }
    }
    let both = Mat::from_fn(width + b.ncols(), p, |i, j| if i < width { a[(j, i)] } else { b[(j, i - width)] });
    let upper = both.qr();
    let upper = upper.R();
    Mat::from_fn(p, p, |i, j| if j <= i && j < upper.nrows() { upper[(j, i)] } else { 0.0 })
}

/// S, p×r, with `S Sᵀ` a Gram matrix of rank r, given by its lower triangle. Differences between rows that are smaller than
/// about 10⁻⁷ of them drown in its rounding.
pub fn gram_factor(gram: MatRef<'_, f64>) -> Mat<f64> {
    if let Some(lower) = cholesky(gram) {
        return lower;
    }
    // Correlations, so that a small row counts as much as a large one; a row of zeros stays one.
    let p = gram.nrows();
    let length: Vec<f64> = (0..p).map(|j| gram[(j, j)].max(0.0).sqrt()).collect();
    let inverse: Vec<f64> = length.iter().map(|x| if *x > 0.0 { x.recip() } else { 0.0 }).collect();
    let mut lower = Mat::from_fn(p, p, |i, j| if j <= i { gram[(i, j)] * inverse[i] * inverse[j] } else { 0.0 });
    let (mut order, mut back) = (vec![0_usize; p], vec![0_usize; p]);
    let mut memory = MemBuffer::new(cholesky_in_place_scratch::<usize, f64>(p, Par::Seq, Default::default()));
    let stack = MemStack::new(&mut memory);
    let factored = cholesky_in_place(lower.as_mut(), &mut order, &mut back, Par::Seq, stack, Default::default());
    // The only error is a diagonal that is no number, which no simulation keeps: it has diverged.
    let rank = factored.map_or(0, |(info, _)| info.rank);
    let mut factor = Mat::zeros(p, rank);
    for (i, &row) in order.iter().enumerate() {
        for l in 0..rank.min(i + 1) {
            factor[(row, l)] = length[row] * lower[(i, l)];
        }
    }
    factor
}

/// A B, by threads that share the rows.
pub fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>, threads: usize) -> Mat<f64> {
    let mut out = Mat::zeros(a.nrows(), b.ncols());
    in_blocks_of_rows(out.as_mut(), threads, |first, block| {
        let rows = a.subrows(first, block.nrows());
        matmul(block, Accum::Replace, rows, b, 1.0, Par::Seq);
    });
    out
}

/// `out ← out + AᵀB` on and below the diagonal, by threads that share its rows.
pub fn add_product(out: MatMut<'_, f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>, threads: usize) {
    in_blocks_of_rows(out, threads, |first, block| {
        let rows = block.nrows();
        let left = a.subcols(first, rows).transpose();
        matmul(block.subcols_mut(0, first + rows), Accum::Add, left, b.subcols(0, first + rows), 1.0, Par::Seq);
    });
}

/// `gram ← gram + AᵀA` on and below the diagonal, by threads that share its rows.
pub fn add_gram(gram: MatMut<'_, f64>, a: MatRef<'_, f64>, threads: usize) {
    add_product(gram, a, a, threads);
}

/// Calls `fill` with the first row and the rows of each block. Blocks depend on the size alone.
fn in_blocks_of_rows(out: MatMut<'_, f64>, threads: usize, fill: impl Fn(usize, MatMut<'_, f64>) + Sync) {
    let (mut blocks, mut rest) = (Vec::new(), out);
    while rest.nrows() > 0 {
        let rows = rest.nrows().min(BLOCK);
        let (block, later) = rest.split_at_row_mut(rows);
        blocks.push(block);
        rest = later;
    }
    lanes::each(threads, &mut blocks, |i, block| fill(BLOCK * i, block.as_mut()));
}

/// L of `gram = L Lᵀ`, where its rows are independent.
fn cholesky(gram: MatRef<'_, f64>) -> Option<Mat<f64>> {
    let factored = gram.llt(Side::Lower).ok()?;
    let lower = factored.L();
    let independent = (0..gram.nrows()).all(|j| lower[(j, j)].powi(2) > INDEPENDENT * gram[(j, j)]);
    independent.then(|| lower.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// p rows of m numbers.
    fn rows(p: usize, m: usize) -> Mat<f64> {
        Mat::from_fn(p, m, |i, j| ((i * 37 + j * 61 + i * j) % 101) as f64 / 50.0 - 1.0)
    }

    fn with_pairs_and_zeros(p: usize, m: usize) -> Mat<f64> {
        let rows = rows(p, m);
        Mat::from_fn(p, m, |i, j| match i % 5 {
            1 => -rows[(i - 1, j)],
            3 => 0.0,
            4 => 1e-9 * rows[(i, j)],
            _ => rows[(i, j)],
        })
    }

    fn lower_of(gram: &Mat<f64>) -> Mat<f64> {
        Mat::from_fn(gram.nrows(), gram.nrows(), |i, j| if j <= i { gram[(i, j)] } else { f64::NAN })
    }

    #[test]
    fn a_gram_factor_squares_back_whatever_its_rank() {
        for (p, m) in [(3, 8), (40, 90), (40, 25), (1, 1)] {
            for rows in [rows(p, m), with_pairs_and_zeros(p, m)] {
                let gram = &rows * rows.transpose();
                let factor = gram_factor(lower_of(&gram).as_ref());
                assert!(factor.ncols() <= p.min(m), "{p}×{m}: rank {}", factor.ncols());
                let back = &factor * factor.transpose();
                for i in 0..p {
                    for j in 0..p {
                        let scale = (gram[(i, i)] * gram[(j, j)]).sqrt();
                        assert!((back[(i, j)] - gram[(i, j)]).abs() <= 1e-12 * scale, "{p}×{m}: {i}, {j}");
                    }
                }
            }
        }
    }

    #[test]
    fn pairs_stay_pairs_and_dead_rows_stay_dead() {
        let rows = with_pairs_and_zeros(40, 90);
        let factor = gram_factor((&rows * rows.transpose()).as_ref());
        for l in 0..factor.ncols() {
            assert!((factor[(0, l)] + factor[(1, l)]).abs() < 1e-14);
            assert_eq!(factor[(3, l)], 0.0);
        }
    }

    #[test]
    fn both_ways_to_a_lower_factor_agree() {
        for p in [5, 30, 150] {
            for (a, b) in [(rows(p, p), rows(p, 2 * p)), (with_pairs_and_zeros(p, p), with_pairs_and_zeros(p, 7))] {
                let lower = lower_factor_of_both(a.as_ref(), b.as_ref(), 2);
                let gram = &a * a.transpose() + &b * b.transpose();
                let back = &lower * lower.transpose();
                for i in 0..p {
                    for j in 0..p {
                        assert!((back[(i, j)] - gram[(i, j)]).abs() < 1e-12 * p as f64);
                        assert!(j <= i || lower[(i, j)] == 0.0);
                    }
                }
            }
        }
    }
}
