//! Jacobians as their vector fields give them, and linear systems with them.

use faer::{
    Mat,
    linalg::solvers::{PartialPivLu, Solve},
};

use crate::error::{Error, Result};

/// The shape of `∂v/∂y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// All n² entries.
    Dense,
    /// Square blocks on the diagonal, plus a matrix of low rank: a component sees those of its own block, and `rank`
    /// averages over all of them.
    BlocksPlusLowRank {
        /// Components of a block; it divides n. 1: a diagonal.
        block: usize,
        /// Columns of L and R.
        rank: usize,
    },
}

/// `∂v/∂y` at one point.
#[derive(Debug, Clone)]
pub enum Jacobian {
    /// J_ij = ∂v_i/∂y_j.
    Dense(Mat<f64>),
    /// J = D + L Rᵀ.
    Blocks(BlocksPlusLowRank),
}

/// `J = D + L Rᵀ`: D square blocks along the diagonal, L and R of few columns.
#[derive(Debug, Clone)]
pub struct BlocksPlusLowRank {
    /// Components of a block, b.
    pub block: usize,
    /// The blocks one after the other, each row by row (n·b).
    pub diagonal: Vec<f64>,
    /// L, n×rank.
    pub left: Mat<f64>,
    /// R, n×rank.
    pub right: Mat<f64>,
}

impl Jacobian {
    /// All zero, for n components.
    pub fn zeros(structure: Structure, n: usize) -> Self {
        match structure {
            Structure::Dense => Self::Dense(Mat::zeros(n, n)),
            Structure::BlocksPlusLowRank { block, rank } => Self::Blocks(BlocksPlusLowRank {
                block,
                diagonal: vec![0.0; n * block],
                left: Mat::zeros(n, rank),
                right: Mat::zeros(n, rank),
            }),
        }
    }

    /// J as n² numbers.
    pub fn to_dense(&self) -> Mat<f64> {
        match self {
            Self::Dense(matrix) => matrix.clone(),
            Self::Blocks(BlocksPlusLowRank { block, diagonal, left, right }) => {
                let mut dense = left * right.transpose();
                for (at, value) in diagonal.iter().enumerate() {
                    let (row, column) = (at / block, at % block);
                    dense[(row, row / block * block + column)] += value;
                }
                dense
            }
        }
    }

    /// Factors `I − scale·J`: O(n³) for a dense J, O(n(b² + rank²)) for blocks plus low rank.
    ///
    /// # Errors
    /// [`Error::Numerical`] where an entry is not finite, or the matrix singular.
    pub fn shifted(&self, scale: f64) -> Result<Shifted> {
        match self {
            Self::Dense(matrix) => {
                if !finite(matrix) {
                    return Err(Error::Numerical("the Jacobian is not finite".into()));
                }
                let n = matrix.nrows();
                let shifted = Mat::from_fn(n, n, |i, j| f64::from(u8::from(i == j)) - scale * matrix[(i, j)]);
                Ok(Shifted::Dense(shifted.partial_piv_lu()))
            }
            Self::Blocks(blocks) => Woodbury::new(blocks, scale).map(Shifted::Woodbury),
        }
    }
}

/// The factors of `I − scale·J`.
pub enum Shifted {
    /// LU.
    Dense(PartialPivLu<f64>),
    /// Inverse blocks, and a system of the size of the rank.
    Woodbury(Woodbury),
}

impl Shifted {
    /// `x ← (I − scale·J)⁻¹ x`.
    pub fn solve(&self, x: &mut [f64]) {
        match self {
            Self::Dense(lu) => {
                let mut column = faer::MatMut::from_column_major_slice_mut(x, lu.U().nrows(), 1);
                lu.solve_in_place(&mut column);
            }
            Self::Woodbury(woodbury) => woodbury.solve(x),
        }
    }
}

/// `(A − h L Rᵀ)⁻¹ = A⁻¹ + h A⁻¹L (I − h Rᵀ A⁻¹ L)⁻¹ Rᵀ A⁻¹` with A = I − h D.
pub struct Woodbury {
    block: usize,
    /// The inverse blocks of A.
    inverse: Vec<f64>,
    /// h A⁻¹ L, by columns.
    left: Vec<Vec<f64>>,
    /// R, by columns.
    right: Vec<Vec<f64>>,
    /// I − h Rᵀ A⁻¹ L; `None` at rank 0.
    small: Option<PartialPivLu<f64>>,
}

impl Woodbury {
    fn new(jacobian: &BlocksPlusLowRank, scale: f64) -> Result<Self> {
        let BlocksPlusLowRank { block, diagonal, left, right } = jacobian;
        let (block, rank) = (*block, left.ncols());
        let mut inverse = Vec::with_capacity(diagonal.len());
        for values in diagonal.chunks_exact(block * block) {
            invert(block, scale, values, &mut inverse);
        }
        let columns = |matrix: &Mat<f64>| -> Vec<Vec<f64>> {
            (0..rank).map(|q| matrix.col(q).iter().copied().collect()).collect()
        };
        let mut woodbury = Self { block, inverse, left: columns(left), right: columns(right), small: None };
        let mut solved = std::mem::take(&mut woodbury.left);
        for column in &mut solved {
            woodbury.blocks(column);
            column.iter_mut().for_each(|x| *x *= scale);
        }
        woodbury.left = solved;
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let small =
            Mat::from_fn(rank, rank, |i, j| f64::from(u8::from(i == j)) - dot(&woodbury.right[i], &woodbury.left[j]));
        if !(finite(&small) && woodbury.inverse.iter().all(|x| x.is_finite())) {
            return Err(Error::Numerical("the Jacobian is not finite, or a block of I − hJ singular".into()));
        }
        woodbury.small = (rank > 0).then(|| small.partial_piv_lu());
        Ok(woodbury)
    }

    /// `x ← A⁻¹ x`.
    fn blocks(&self, x: &mut [f64]) {
        let b = self.block;
        if b == 2 {
            for (x, inverse) in x.chunks_exact_mut(2).zip(self.inverse.chunks_exact(4)) {
                (x[0], x[1]) = (inverse[0] * x[0] + inverse[1] * x[1], inverse[2] * x[0] + inverse[3] * x[1]);
            }
            return;
        }
        let mut old = vec![0.0; b];
        for (x, inverse) in x.chunks_exact_mut(b).zip(self.inverse.chunks_exact(b * b)) {
            old.copy_from_slice(x);
            for (x, row) in x.iter_mut().zip(inverse.chunks_exact(b)) {
                *x = row.iter().zip(&old).map(|(inverse, x)| inverse * x).sum();
            }
        }
    }

    fn solve(&self, x: &mut [f64]) {
        self.blocks(x);
        let Some(small) = &self.small else { return };
        let rank = self.right.len();
        let mut weights =
            Mat::from_fn(rank, 1, |q, _| self.right[q].iter().zip(&*x).map(|(right, x)| right * x).sum::<f64>());
        small.solve_in_place(&mut weights);
        for (q, left) in self.left.iter().enumerate() {
            let weight = weights[(q, 0)];
            x.iter_mut().zip(left).for_each(|(x, left)| *x += weight * left);
        }
    }
}

/// Whether every entry is; a maximum overlooks NaN.
fn finite(matrix: &Mat<f64>) -> bool {
    matrix.col_iter().all(|column| column.iter().all(|x| x.is_finite()))
}

/// Appends the inverse of `I − scale·block` to `inverse`; not finite where it is singular.
fn invert(b: usize, scale: f64, block: &[f64], inverse: &mut Vec<f64>) {
    let entry = |i: usize, j: usize| f64::from(u8::from(i == j)) - scale * block[i * b + j];
    match b {
        1 => inverse.push(1.0 / entry(0, 0)),
        2 => {
            let determinant = entry(0, 0) * entry(1, 1) - entry(0, 1) * entry(1, 0);
            inverse.extend([entry(1, 1), -entry(0, 1), -entry(1, 0), entry(0, 0)].map(|x| x / determinant));
        }
        _ => {
            let matrix = Mat::from_fn(b, b, entry);
            let solved = if finite(&matrix) {
                matrix.partial_piv_lu().solve(Mat::<f64>::identity(b, b))
            } else {
                Mat::full(b, b, f64::NAN)
            };
            inverse.extend((0..b * b).map(|at| solved[(at / b, at % b)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without a pattern in (−1, 1).
    fn noise(seed: usize) -> impl FnMut() -> f64 {
        let mut x = 0.37 + seed as f64 * 0.011;
        move || {
            x = (x * 9301.7 + 0.49297).fract();
            2.0 * x - 1.0
        }
    }

    #[test]
    fn woodbury_is_the_dense_solution() {
        for (block, rank, n) in [(1, 0, 5), (1, 3, 12), (2, 4, 40), (3, 2, 21)] {
            let mut next = noise(block + rank);
            let mut jacobian = Jacobian::zeros(Structure::BlocksPlusLowRank { block, rank }, n);
            let Jacobian::Blocks(parts) = &mut jacobian else { panic!("blocks were asked for") };
            parts.diagonal.iter_mut().for_each(|x| *x = 3.0 * next());
            parts.left = Mat::from_fn(n, rank, |_, _| 5.0 * next());
            parts.right = Mat::from_fn(n, rank, |_, _| next());
            let dense = Jacobian::Dense(jacobian.to_dense());
            for scale in [1e-3, 0.2, 7.0, 1e4] {
                let b: Vec<f64> = (0..n).map(|_| next()).collect();
                let (mut x, mut y) = (b.clone(), b.clone());
                jacobian.shifted(scale).unwrap().solve(&mut x);
                dense.shifted(scale).unwrap().solve(&mut y);
                let size = y.iter().fold(0.0, |m: f64, y| m.max(y.abs()));
                for (x, y) in x.iter().zip(&y) {
                    assert!((x - y).abs() < 1e-9 * size, "b = {block}, rank {rank}, scale {scale}: {x} {y}");
                }
                // And it solves (I − hJ) x = b.
                let full = jacobian.to_dense();
                for i in 0..n {
                    let jx: f64 = (0..n).map(|j| full[(i, j)] * x[j]).sum();
                    let size = 1.0 + scale * full.norm_max() * n as f64 * size;
                    assert!((x[i] - scale * jx - b[i]).abs() < 1e-11 * size, "row {i}");
                }
            }
        }
    }

    #[test]
    fn a_jacobian_that_is_not_finite_is_an_error() {
        for structure in [Structure::Dense, Structure::BlocksPlusLowRank { block: 2, rank: 1 }] {
            let mut jacobian = Jacobian::zeros(structure, 4);
            match &mut jacobian {
                Jacobian::Dense(matrix) => matrix[(1, 2)] = f64::NAN,
                Jacobian::Blocks(parts) => parts.left[(1, 0)] = f64::NAN,
            }
            assert!(matches!(jacobian.shifted(0.1), Err(Error::Numerical(_))), "{structure:?}");
        }
    }
}
