//! The four-field average N of polynomials, every contraction counted.
//!
//! With `E_a(m) = E[(c_m f_m)⁽ᵃ⁾]`, `D_b(j) = E[(s a_j σ')⁽ᵇ⁾(h_j)]` and C the covariance of the fields,
//!
//! ```text
//! N_jl = Σ D_{t+x+x'}(j) D_{t+y+y'}(l) C_jlᵗ/t! Σ_mm' E_{x+y+r}(m) C_jmˣ C_lmʸ/(x! y!) C_mm'ʳ/r! E_{x'+y'+r}(m') C_jm'ˣ' C_lm'ʸ'/(x'! y'!)
//! ```
//!
//! over the numbers t, x, y, x', y', r ≥ 0 of contractions between the four: j and l, j and m, l and m, j and m', l and m', m
//! and m'. All but `r ≥ 1` with x, y, x', y' ≥ 1 are products of matrices.

use faer::{Accum, Mat, MatRef, Par, linalg::matmul::matmul};

/// How often a field of e is contracted with neurons j and l.
type Pattern = (usize, usize);

/// What N is summed from.
pub(super) struct Diagrams {
    /// `C_jmˣ/x!` of neuron j and field m of e, p×n for each x.
    pub across: Vec<Mat<f64>>,
    /// `C_mm'ʳ/r!`, n×n for each r.
    pub within: Vec<Mat<f64>>,
    /// `C_jlᵗ/t!`, p×p for each t.
    pub students: Vec<Mat<f64>>,
    /// `E_a(m)`, for each a.
    pub errors: Vec<Vec<f64>>,
    /// `D_b(j)`, for each b.
    pub slopes: Vec<Vec<f64>>,
}

impl Diagrams {
    /// `out ← N`, with label noise of variance `noise`.
    pub fn noise(&self, noise: f64, out: &mut Mat<f64>) {
        let p = out.nrows();
        let top = self.slopes.len() - 1;
        out.fill(0.0);
        self.add(0, 0, out, |_, _| noise);
        let degree = self.errors.len() - 1;
        let patterns: Vec<Pattern> =
            (0..=top).flat_map(|x| (0..=top).map(move |y| (x, y))).filter(|(x, y)| x + y <= degree).collect();
        let mut sum = Mat::<f64>::zeros(p, p);
        for (i, &left) in patterns.iter().enumerate() {
            // Exchanging m and m' changes nothing.
            for (i_right, &right) in patterns.iter().enumerate().skip(i) {
                let (x, y) = (left.0 + right.0, left.1 + right.1);
                if x > top || y > top || !self.contract(left, right, &mut sum) {
                    continue;
                }
                let factor = if i == i_right { 1.0 } else { 2.0 };
                self.add(x, y, out, |j, l| factor * sum[(j, l)]);
            }
        }
        for j in 0..p {
            (0..j).for_each(|l| out[(l, j)] = out[(j, l)]);
        }
    }

    /// Adds `Σ_t D_{t+x}(j) D_{t+y}(l) C_jlᵗ/t! · of(j, l)` to the lower triangle.
    fn add(&self, x: usize, y: usize, out: &mut Mat<f64>, of: impl Fn(usize, usize) -> f64) {
        let p = out.nrows();
        for t in 0..self.slopes.len() - x.max(y) {
            let (of_j, of_l) = (&self.slopes[t + x], &self.slopes[t + y]);
            if vanishes(of_j) || vanishes(of_l) {
                continue;
            }
            for l in 0..p {
                for j in l..p {
                    out[(j, l)] += of_j[j] * of_l[l] * self.students[t][(j, l)] * of(j, l);
                }
            }
        }
    }

    /// `out ← Σ_r Σ_mm'` of the two patterns; whether anything is there.
    fn contract(&self, left: Pattern, right: Pattern, out: &mut Mat<f64>) -> bool {
        let (low, high) = (left.0 + left.1, right.0 + right.1);
        let mut any = false;
        for r in 0..self.errors.len() - low.max(high) {
            let (first, second) = (&self.errors[low + r], &self.errors[high + r]);
            if vanishes(first) || vanishes(second) {
                continue;
            }
            if !any {
                out.fill(0.0);
                any = true;
            }
            if r == 0 {
                self.add_apart(left, first, right, second, out);
            } else if left.0 * left.1 == 0 {
                self.add_product(left, first, right, second, r, out);
            } else if right.0 * right.1 == 0 {
                self.add_product(right, second, left, first, r, out);
            } else {
                self.add_pairs(left, first, right, second, r, out);
            }
        }
        any
    }

    /// Without contractions between m and m' the sums are apart.
    fn add_apart(&self, left: Pattern, first: &[f64], right: Pattern, second: &[f64], out: &mut Mat<f64>) {
        let single = |(x, y): Pattern, errors: &[f64]| {
            let mut sum = Mat::<f64>::zeros(out.nrows(), out.nrows());
            let weighted = scale_columns(self.across[x].as_ref(), errors);
            matmul(&mut sum, Accum::Replace, &weighted, self.across[y].transpose(), 1.0, Par::Seq);
            sum
        };
        let (one, other) = (single(left, first), single(right, second));
        faer::zip!(out, &one, &other).for_each(|faer::unzip!(out, one, other)| *out += one * other);
    }

    /// `left` touches at most one of j and l.
    fn add_product(&self, left: Pattern, first: &[f64], right: Pattern, second: &[f64], r: usize, out: &mut Mat<f64>) {
        let (p, n) = (out.nrows(), first.len());
        let (x, y) = right;
        let mut reached = Mat::<f64>::zeros(p, n);
        let weighted = scale_columns(self.across[left.0 + left.1].as_ref(), first);
        matmul(&mut reached, Accum::Replace, &weighted, &self.within[r], 1.0, Par::Seq);
        let mut reached = scale_columns(reached.as_ref(), second);
        if left.1 == 0 {
            // Of j: Σ_m' Z_jm' E(m') C_jm'ˣ C_lm'ʸ.
            faer::zip!(&mut reached, &self.across[x]).for_each(|faer::unzip!(z, c)| *z *= c);
            matmul(out, Accum::Add, &reached, self.across[y].transpose(), 1.0, Par::Seq);
        } else {
            faer::zip!(&mut reached, &self.across[y]).for_each(|faer::unzip!(z, c)| *z *= c);
            matmul(out, Accum::Add, &self.across[x], reached.transpose(), 1.0, Par::Seq);
        }
    }

    /// Both touch j and l: n² operations for each pair.
    fn add_pairs(&self, left: Pattern, first: &[f64], right: Pattern, second: &[f64], r: usize, out: &mut Mat<f64>) {
        let (p, n) = (out.nrows(), first.len());
        let mut vectors = Mat::<f64>::zeros(p, n);
        let mut reached = Mat::<f64>::zeros(p, n);
        // A row at a time: the vectors of j with every l.
        for j in 0..p {
            for m in 0..n {
                let of_j = self.across[left.0][(j, m)] * first[m];
                (0..=j).for_each(|l| vectors[(l, m)] = of_j * self.across[left.1][(l, m)]);
            }
            let rows = vectors.subrows(0, j + 1);
            matmul(reached.subrows_mut(0, j + 1), Accum::Replace, rows, &self.within[r], 1.0, Par::Seq);
            for m in 0..n {
                let of_j = self.across[right.0][(j, m)] * second[m];
                (0..=j).for_each(|l| out[(j, l)] += reached[(l, m)] * of_j * self.across[right.1][(l, m)]);
            }
        }
    }
}

fn vanishes(of: &[f64]) -> bool {
    of.iter().all(|x| *x == 0.0)
}

/// Each column times its own number.
fn scale_columns(matrix: MatRef<'_, f64>, by: &[f64]) -> Mat<f64> {
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, m| matrix[(i, m)] * by[m])
}
