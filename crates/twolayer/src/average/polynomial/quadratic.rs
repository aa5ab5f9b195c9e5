//! N where network and target are of degree 2 at most: the diagrams of [`Diagrams`], summed by hand to a few products.
//!
//! With `B = diag E_2`, `u = C E_1`, `w = CB C E_1` and `E e² = E_0² + E_1ᵀCE_1 + ½ E_2ᵀ(C∘C)E_2` (E_0 summed over fields)
//!
//! ```text
//! N_jl = (E e² + Δ)(D_0D_0 + D_1D_1C_jl) + 2 D_1(j)D_0(l) (E_0u + w)_j + 2 D_0(j)D_1(l) (E_0u + w)_l
//!      + 2 D_1D_1 (E_0 CBC + u uᵀ + CBCBC)_jl
//! ```

use faer::{Accum, Mat, Par, linalg::matmul::matmul};

use super::diagrams::Diagrams;

impl Diagrams {
    /// Whether there is nothing beyond degree 2.
    pub fn is_quadratic(&self) -> bool {
        self.slopes.len() <= 2 && self.errors.len() <= 3
    }

    /// [`noise`](Self::noise), where [`is_quadratic`](Self::is_quadratic).
    pub fn quadratic_noise(&self, noise: f64, out: &mut Mat<f64>) {
        let p = out.nrows();
        let zeros = vec![0.0; self.within[0].nrows()];
        let of = |a: usize| self.errors.get(a).unwrap_or(&zeros);
        let (first, second) = (of(1), of(2));
        let constant: f64 = of(0).iter().sum();
        let mut mean = constant * constant + noise;
        let mut once = vec![0.0; p];
        let Some(across) = self.across.get(1) else {
            // σ is linear: only D_0.
            let mean = mean + self.quadratic(1, first) + self.quadratic(2, second);
            *out = Mat::from_fn(p, p, |j, l| mean * self.slopes[0][j] * self.slopes[0][l]);
            return;
        };
        mean += self.quadratic(1, first) + self.quadratic(2, second);
        let n = zeros.len();
        // CB, CBC and CBCBC.
        let weighted = Mat::from_fn(p, n, |j, m| across[(j, m)] * second[m]);
        let mut reached = Mat::<f64>::zeros(p, n);
        if let Some(within) = self.within.get(1) {
            matmul(&mut reached, Accum::Replace, &weighted, within, 1.0, Par::Seq);
        }
        let (mut cbc, mut cbcbc) = (Mat::<f64>::zeros(p, p), Mat::<f64>::zeros(p, p));
        matmul(&mut cbc, Accum::Replace, &weighted, across.transpose(), 1.0, Par::Seq);
        matmul(&mut cbcbc, Accum::Replace, &reached, weighted.transpose(), 1.0, Par::Seq);
        let mut along = vec![0.0; p];
        for m in 0..n {
            for j in 0..p {
                along[j] += across[(j, m)] * first[m];
                once[j] += reached[(j, m)] * first[m];
            }
        }
        (0..p).for_each(|j| once[j] += constant * along[j]);
        let (d0, d1) = (&self.slopes[0], &self.slopes[1]);
        for l in 0..p {
            for j in l..p {
                let curves = d1[j] * d1[l];
                let entry = mean * (d0[j] * d0[l] + curves * self.students[1][(j, l)])
                    + 2.0 * (d1[j] * d0[l] * once[j] + d0[j] * d1[l] * once[l])
                    + 2.0 * curves * (constant * cbc[(j, l)] + along[j] * along[l] + cbcbc[(j, l)]);
                (out[(j, l)], out[(l, j)]) = (entry, entry);
            }
        }
    }

    /// `Σ_mm' E(m) C_mm'ʳ/r! E(m')`.
    fn quadratic(&self, r: usize, errors: &[f64]) -> f64 {
        let Some(within) = self.within.get(r) else { return 0.0 };
        let row = |m: usize| within.col_as_slice(m).iter().zip(errors).map(|(c, e)| c * e).sum::<f64>();
        errors.iter().enumerate().filter(|(_, e)| **e != 0.0).map(|(m, e)| e * row(m)).sum()
    }
}
