//! Subspaces of R^m by orthonormal bases.

use faer::{Mat, Side};

use super::indices::table;
use crate::{
    error::{Error, Result},
    gaussian::sobol,
};

/// Eigenvalues, largest first, and their eigenvectors as columns.
pub(super) fn eigen(matrix: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>)> {
    let m = matrix.nrows();
    let eigen = matrix
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| Error::Numerical("the eigenvalues of a Hermite tensor did not converge".into()))?;
    let values = (0..m).rev().map(|i| eigen.S()[i]).collect();
    Ok((values, Mat::from_fn(m, m, |i, j| eigen.U()[(i, m - 1 - j)])))
}

/// The columns of both.
pub(super) fn join(left: &Mat<f64>, right: &Mat<f64>) -> Mat<f64> {
    let split = left.ncols();
    Mat::from_fn(
        left.nrows(),
        split + right.ncols(),
        |i, j| {
            if j < split { left[(i, j)] } else { right[(i, j - split)] }
        },
    )
}

/// Some of the columns.
pub(super) fn columns(matrix: &Mat<f64>, range: std::ops::Range<usize>) -> Mat<f64> {
    Mat::from_fn(matrix.nrows(), range.len(), |i, j| matrix[(i, range.start + j)])
}

/// An orthonormal basis of what is orthogonal to the columns, itself as near to the coordinate axes as can be.
pub(super) fn complement(basis: &Mat<f64>) -> Mat<f64> {
    let m = basis.nrows();
    let projector = Mat::from_fn(m, m, |i, j| {
        f64::from(i == j) - (0..basis.ncols()).map(|c| basis[(i, c)] * basis[(j, c)]).sum::<f64>()
    });
    pivoted(&projector, m - basis.ncols())
}

/// The same subspace by the orthonormal basis that is nearest to the coordinate axes: the axis that lies best inside is
/// projected first, and so on. The largest component of every vector is positive.
pub(super) fn nearest_to_axes(basis: &Mat<f64>) -> Mat<f64> {
    pivoted(&(basis * basis.transpose()), basis.ncols())
}

/// An angle beyond which nothing is called an axis.
const TURNED: f64 = 0.03;

/// The same basis, known to the angle `error`: a vector that is an axis within it is that axis, and the others are orthogonal to
/// those.
pub(super) fn on_axes(mut basis: Mat<f64>, error: f64) -> Mat<f64> {
    let m = basis.nrows();
    let within = error.clamp(1e-12, TURNED);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for c in 0..basis.ncols() {
        let others = |axis: usize| (0..m).filter(|&i| i != axis).map(|i| basis[(i, c)].powi(2)).sum::<f64>().sqrt();
        if let Some(axis) = (0..m).find(|&axis| others(axis) <= within) {
            found.push((c, axis));
        }
    }
    for &(column, axis) in &found {
        let sign = basis[(axis, column)].signum();
        (0..m).for_each(|i| basis[(i, column)] = if i == axis { sign } else { 0.0 });
        for c in (0..basis.ncols()).filter(|c| found.iter().all(|(column, _)| column != c)) {
            basis[(axis, c)] = 0.0;
            let length = (0..m).map(|i| basis[(i, c)].powi(2)).sum::<f64>().sqrt();
            (0..m).for_each(|i| basis[(i, c)] /= length);
        }
    }
    basis
}

/// Gram–Schmidt on the columns of a projector, longest first.
fn pivoted(projector: &Mat<f64>, rank: usize) -> Mat<f64> {
    let m = projector.nrows();
    let mut rest = projector.clone();
    let mut basis = Mat::zeros(m, rank);
    for c in 0..rank {
        let length = |j: usize| (0..m).map(|i| rest[(i, j)].powi(2)).sum::<f64>();
        // The first of those that are equal but for rounding.
        let longest = (0..m).map(length).fold(0.0, f64::max);
        let pivot = (0..m).find(|&j| length(j) >= longest * (1.0 - 1e-6)).unwrap_or(0);
        let scale = 1.0 / longest.sqrt();
        let largest =
            (0..m).map(|i| rest[(i, pivot)]).fold(0.0, |l: f64, x| if x.abs() > l.abs() + 1e-9 { x } else { l });
        for i in 0..m {
            basis[(i, c)] = rest[(i, pivot)] * scale * largest.signum();
        }
        for j in 0..m {
            let along: f64 = (0..m).map(|i| basis[(i, c)] * rest[(i, j)]).sum();
            for i in 0..m {
                rest[(i, j)] -= along * basis[(i, c)];
            }
        }
    }
    basis
}

/// The same subspace by a basis in general position, so that no symmetry of the axes hides an error of quadrature.
pub(super) fn turned(basis: &Mat<f64>, seed: u64) -> Mat<f64> {
    let m = basis.ncols();
    let normals = sobol::normals(8, m * m, seed);
    let mut random = Mat::from_fn(m, m, |i, j| normals[(i * m + j) * 8]);
    for c in 0..m {
        for _ in 0..2 {
            for b in 0..c {
                let along: f64 = (0..m).map(|i| random[(i, b)] * random[(i, c)]).sum();
                for i in 0..m {
                    random[(i, c)] -= along * random[(i, b)];
                }
            }
        }
        let length = (0..m).map(|i| random[(i, c)].powi(2)).sum::<f64>().sqrt();
        for i in 0..m {
            random[(i, c)] /= length;
        }
    }
    basis * random
}

/// `h_q` of every coordinate: `tables[i][q][μ]`.
pub(super) fn tables(degree: usize, x: &[&[f64]]) -> Vec<Vec<Vec<f64>>> {
    x.iter().map(|x| table(degree, x)).collect()
}

/// What of `vector` is orthogonal to the columns of `basis`, normalised; no column where nothing is.
pub(super) fn perpendicular(basis: &Mat<f64>, mut vector: Vec<f64>) -> Mat<f64> {
    for c in 0..basis.ncols() {
        let along: f64 = (0..vector.len()).map(|i| basis[(i, c)] * vector[i]).sum();
        vector.iter_mut().enumerate().for_each(|(i, x)| *x -= along * basis[(i, c)]);
    }
    let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    Mat::from_fn(vector.len(), usize::from(length > 1e-6), |i, _| vector[i] / length)
}
