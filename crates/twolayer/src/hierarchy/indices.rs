//! Multi-indices of Hermite polynomials in m variables, and how they fill a symmetric tensor.

use std::collections::HashMap;

use faer::Mat;

/// The multi-indices γ of m variables with |γ| ≤ degree, lowest degree first.
#[derive(Debug, Clone)]
pub(super) struct Indices {
    dimension: usize,
    list: Vec<Vec<u8>>,
    /// Where each degree starts; one more entry than degrees.
    starts: Vec<usize>,
}

impl Indices {
    pub(super) fn up_to(degree: usize, dimension: usize) -> Self {
        let (mut list, mut starts) = (Vec::new(), vec![0]);
        for total in 0..=degree {
            fill(total, &mut vec![0; dimension], 0, &mut list);
            starts.push(list.len());
        }
        Self { dimension, list, starts }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.list.iter().map(Vec::as_slice)
    }

    pub(super) fn of_degree(&self, degree: usize) -> &[Vec<u8>] {
        &self.list[self.range(degree)]
    }

    /// Positions of the indices of one degree.
    pub(super) fn range(&self, degree: usize) -> std::ops::Range<usize> {
        self.starts[degree]..self.starts[degree + 1]
    }

    /// How the coefficients of degree ℓ ≥ 1 fill the unfolded tensor.
    pub(super) fn unfolding(&self, degree: usize) -> Unfolding {
        let place: HashMap<&[u8], usize> =
            self.of_degree(degree).iter().enumerate().map(|(at, index)| (index.as_slice(), at)).collect();
        let mut columns = Vec::new();
        for delta in self.of_degree(degree - 1) {
            let mut gamma = delta.clone();
            let column = (0..self.dimension).map(|i| {
                gamma[i] += 1;
                let entry = (place[gamma.as_slice()], (f64::from(gamma[i]) / degree as f64).sqrt());
                gamma[i] -= 1;
                entry
            });
            columns.push(column.collect());
        }
        Unfolding { dimension: self.dimension, columns }
    }
}

fn fill(left: usize, index: &mut Vec<u8>, at: usize, list: &mut Vec<Vec<u8>>) {
    if at + 1 >= index.len() {
        if let Some(last) = index.last_mut() {
            *last = left as u8;
            list.push(index.clone());
        } else if left == 0 {
            list.push(Vec::new());
        }
        return;
    }
    for here in (0..=left).rev() {
        index[at] = here as u8;
        fill(left - here, index, at + 1, list);
    }
    index[at] = 0;
}

/// First-index unfolding of the tensor T_ℓ, divided by √ℓ!, in terms of the orthonormal coefficients `a_γ = E[g h_γ]`.
///
/// `M_{iδ} = √((δ_i + 1)/ℓ) a_{δ+e_i}` over the multi-indices δ of degree ℓ − 1, so that `M Mᵀ = mat T matᵀ/ℓ!` and
/// `tr M Mᵀ = Σ_γ a_γ²`. (theory.md §7)
#[derive(Debug, Clone)]
pub(super) struct Unfolding {
    dimension: usize,
    columns: Vec<Vec<(usize, f64)>>,
}

impl Unfolding {
    /// `into += weight · ½ (M(a) M(b)ᵀ + M(b) M(a)ᵀ)`, a and b the coefficients of degree ℓ.
    pub(super) fn add_product(&self, a: &[f64], b: &[f64], weight: f64, into: &mut Mat<f64>) {
        for column in &self.columns {
            for i in 0..self.dimension {
                for j in 0..=i {
                    let ((at_i, factor_i), (at_j, factor_j)) = (column[i], column[j]);
                    let product = 0.5 * factor_i * factor_j * (a[at_i] * b[at_j] + b[at_i] * a[at_j]);
                    into[(i, j)] += weight * product;
                    if i != j {
                        into[(j, i)] += weight * product;
                    }
                }
            }
        }
    }
}

/// The orthonormal Hermite polynomials `h_q = He_q/√q!` up to a degree at every x: `table[q][μ]`.
pub(super) fn table(degree: usize, x: &[f64]) -> Vec<Vec<f64>> {
    let mut table = vec![vec![1.0; x.len()]];
    if degree > 0 {
        table.push(x.to_vec());
    }
    for q in 2..=degree {
        // √q h_q = x h_{q−1} − √(q−1) h_{q−2}
        let (one, root) = (1.0 / (q as f64).sqrt(), ((q - 1) as f64).sqrt());
        let (lower, last) = (&table[q - 2], &table[q - 1]);
        let next = x.iter().zip(last.iter().zip(lower)).map(|(x, (last, lower))| one * (x * last - root * lower));
        let next = next.collect();
        table.push(next);
    }
    table
}

/// q!.
pub(super) fn factorial(q: usize) -> f64 {
    (1..=q).map(|i| i as f64).product()
}
