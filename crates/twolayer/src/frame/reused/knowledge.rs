//! What has been asked of the data, in small matrices.
//!
//! X (n×d) is known along right directions e_l and left directions v_i. Its columns `Y_l = X e_l = H_l + Σ_i K_il G_i` are
//! raw normals corrected by raw error signals; the v_i orthonormalise the G_i, `V = G L^{−T}` with `GᵀG = L Lᵀ`; and
//! `Xᵀ v_i` has coordinates on the e_l.

use crate::random::{Chi, Stream};

/// A signal whose part outside the earlier ones is smaller than this fraction of it reveals nothing new: paired and dead
/// neurons, to the rounding of raw signals.
const NEW: f64 = 1e-7;

/// The sizes of what a finite system draws.
pub enum Fluctuations {
    /// χ_{d−r}, and normals that are independent of the signals only on average.
    Drawn {
        /// d.
        dimension: u64,
        /// For χ.
        stream: Box<Stream>,
    },
    /// None, as in the limit: χ = √d, and normals orthogonal to every signal before them. (theory.md §5.3)
    Off {
        /// d, the number of samples over n/d.
        dimension: f64,
    },
}

/// L, K and Xᵀ V, and the inner products they are made of.
pub struct Knowledge {
    fluctuations: Fluctuations,
    /// Rows of L.
    lower: Vec<Vec<f64>>,
    /// G_iᵀ H_l, for each l over i.
    pub(super) products: Vec<Vec<f64>>,
    /// K_il, for each l over i; zero beyond its end.
    pub(super) mixing: Vec<Vec<f64>>,
    /// Coordinates of Xᵀ v_i, for each i over l; zero beyond its end.
    images: Vec<Vec<f64>>,
}

impl Knowledge {
    /// X is known along `known` right directions, by nothing but normals.
    pub fn new(known: usize, fluctuations: Fluctuations) -> Self {
        Self {
            fluctuations,
            lower: Vec::new(),
            products: vec![Vec::new(); known],
            mixing: vec![Vec::new(); known],
            images: Vec::new(),
        }
    }

    /// Whether normals know nothing of the signals before them.
    pub fn is_limit(&self) -> bool {
        matches!(self.fluctuations, Fluctuations::Off { .. })
    }

    /// r.
    pub fn right(&self) -> usize {
        self.mixing.len()
    }

    /// q.
    pub fn left(&self) -> usize {
        self.lower.len()
    }

    /// K_il.
    pub fn mixing(&self, l: usize) -> &[f64] {
        &self.mixing[l]
    }

    /// Coordinates of Xᵀ v_i.
    pub fn image(&self, i: usize) -> &[f64] {
        &self.images[i]
    }

    /// Coordinates of a signal g on the v_i. Where g has a part of its own it becomes the next G, `Xᵀ v` is drawn with it,
    /// and a right direction is added, whose raw normals are a column h.
    ///
    /// `with_signals(i) = G_iᵀ g`, also for i = q, g itself; `with_normals(l) = H_lᵀ g`; `new_normals(i) = G_iᵀ h`, also
    /// for i = q.
    pub fn reveal(
        &mut self,
        with_signals: impl Fn(usize) -> f64,
        with_normals: impl Fn(usize) -> f64,
        new_normals: impl Fn(usize) -> f64,
    ) -> Vec<f64> {
        let q = self.left();
        let mut row = self.forward((0..q).map(&with_signals).collect());
        let square = with_signals(q);
        let rest = square - row.iter().map(|c| c * c).sum::<f64>();
        if rest <= NEW * NEW * square {
            return row;
        }
        row.push(rest.sqrt());
        self.lower.push(row.clone());
        for (l, products) in self.products.iter_mut().enumerate() {
            products.push(with_normals(l));
        }
        // v = G w. It is orthogonal to the signals before it, so that Y_lᵀ v = H_lᵀ v.
        let mut last = vec![0.0; q + 1];
        last[q] = 1.0;
        let w = self.backward(last);
        let mut image: Vec<f64> =
            self.products.iter().map(|products| products.iter().zip(&w).map(|(x, w)| x * w).sum()).collect();
        let r = self.right() as u64;
        let (length, normals): (f64, Vec<f64>) = match &mut self.fluctuations {
            Fluctuations::Drawn { dimension, stream } => {
                (Chi::new(dimension.saturating_sub(r)).sample(stream), (0..=q).map(new_normals).collect())
            }
            Fluctuations::Off { dimension } => (dimension.sqrt(), vec![0.0; q + 1]),
        };
        image.push(length);
        self.images.push(image);
        // Y_{r+1} = χ v + (I − V Vᵀ) h.
        let along = self.backward(self.forward(normals.clone()));
        self.mixing.push(w.iter().zip(along).map(|(w, along)| length * w - along).collect());
        self.products.push(normals);
        row
    }

    /// L^{−1} x.
    fn forward(&self, mut x: Vec<f64>) -> Vec<f64> {
        for (i, row) in self.lower.iter().enumerate() {
            let known: f64 = row[..i].iter().zip(&x).map(|(l, x)| l * x).sum();
            x[i] = (x[i] - known) / row[i];
        }
        x
    }

    /// L^{−T} x.
    pub(super) fn backward(&self, mut x: Vec<f64>) -> Vec<f64> {
        for (i, row) in self.lower.iter().enumerate().rev() {
            x[i] /= row[i];
            let value = x[i];
            x[..i].iter_mut().zip(row).for_each(|(x, l)| *x -= l * value);
        }
        x
    }
}
