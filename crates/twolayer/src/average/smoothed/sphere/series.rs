//! Averages over independent orientations by products: O(p) for each term of a Hermite series.
//!
//! With m = Mᵀ P^{−1/2} the neuron's part in the target's space and q the square of its part outside,
//!
//! ```text
//! E_Ξ E[σ_i σ_j] = Σ_{l, α} E[Ξˡ]/(l! α!) Φ_lα(i) Φ_lα(j),   Φ_lα(i) = b_n(i) q_i^{l/2} m_iᵅ,   n = l + |α|
//! ```
//!
//! l even, `b_n = E[σ⁽ⁿ⁾(h_i)]`; a target enters the terms of l = 0 with `T_α = E[∂ᵅg]`. Finite, and exact, for polynomials.
//! Because `∂b_n/∂Q = b_{n+2}/2` the drift is the gradient of the risk, cut at whatever degree.

use std::collections::HashMap;

use faer::Mat;
use pulp::{Arch, Simd, WithSimd};

use super::{SphereAverages, SphereState, derivatives::Derivatives, gegenbauer::moment};
use crate::{average::Want, expression::factorial};

/// Neurons times monomials that are treated at a time: they stay in the second cache.
const BLOCK: usize = 1 << 14;

/// A monomial mᵅ as a product of an earlier one and one coordinate.
#[derive(Debug)]
struct Monomial {
    degree: usize,
    parent: usize,
    variable: usize,
    /// α_r and the place of α − e_r, for each r with α_r > 0.
    lower: Vec<(usize, f64, usize)>,
    /// `E[Ξˡ]/(l! α!)` for l = 0, 2, …, while l + |α| is at most the order.
    weights: Vec<f64>,
    /// T_α.
    target: f64,
}

/// The series of a network and a target.
#[derive(Debug)]
pub(super) struct Series {
    order: usize,
    monomials: Vec<Monomial>,
    pub derivatives: Derivatives,
    /// E g², and what of it is beyond the terms kept.
    whole: f64,
    rest: f64,
    rest_error: f64,
    /// D.
    dimension: f64,
}

/// Terms of a series of this order in k directions, outside dimensions included.
pub(super) fn terms(order: usize, k: usize, infinite: bool) -> f64 {
    let choose = |n: usize| (1..=k).map(|i| (n + i) as f64 / i as f64).product::<f64>();
    if infinite { choose(order) } else { (0..=order).step_by(2).map(|l| choose(order - l)).sum() }
}

impl Series {
    /// Of degree `order`, in `k` directions and D = `dimension` others. `target` gives T_α; `square` is E g² and its error.
    pub fn new(
        order: usize,
        k: usize,
        dimension: f64,
        derivatives: Derivatives,
        target: &dyn Fn(&[usize]) -> f64,
        square: (f64, f64),
    ) -> Self {
        let exponents = exponents(order, k);
        let places: HashMap<&[usize], usize> =
            exponents.iter().enumerate().map(|(at, alpha)| (&alpha[..], at)).collect();
        let place = |alpha: &[usize]| places.get(alpha).copied().unwrap_or(0);
        let mut known = 0.0;
        let monomials = exponents
            .iter()
            .map(|alpha| {
                let degree: usize = alpha.iter().sum();
                let without = |r: usize| {
                    let mut lower = alpha.clone();
                    lower[r] -= 1;
                    place(&lower)
                };
                let variable = alpha.iter().rposition(|a| *a > 0).unwrap_or(0);
                let product: f64 = alpha.iter().map(|a| factorial(*a)).product();
                let pairs = (0..=order - degree).step_by(2);
                let target = target(alpha);
                known += target * target / product;
                Monomial {
                    degree,
                    parent: if degree > 0 { without(variable) } else { 0 },
                    variable,
                    lower: (0..k).filter(|r| alpha[*r] > 0).map(|r| (r, alpha[r] as f64, without(r))).collect(),
                    weights: pairs
                        .map(|l| moment(dimension, l) / (factorial(l) * product))
                        .take_while(|weight| *weight > 0.0)
                        .collect(),
                    target,
                }
            })
            .collect();
        Self { order, monomials, derivatives, whole: square.0, rest: square.0 - known, rest_error: square.1, dimension }
    }

    /// How many products a neuron costs.
    pub fn terms(&self) -> usize {
        self.monomials.iter().map(|monomial| monomial.weights.len()).sum()
    }

    /// Writes the averages at `state`; `m` are its parts in the target's space, p×k, and `c` is s a.
    pub fn averages(
        &self,
        state: &SphereState,
        m: &Mat<f64>,
        c: &[f64],
        squared: bool,
        want: Want,
        out: &mut SphereAverages,
    ) {
        let (p, k) = (m.nrows(), m.ncols());
        let variance: Vec<f64> =
            (0..p).map(|j| state.orthogonal[j] + (0..k).map(|r| m[(j, r)] * m[(j, r)]).sum::<f64>()).collect();
        let table = self.derivatives.table(&variance, &state.bias, self.order, self.order + 2);
        let powers = self.powers(&state.orthogonal);
        let alive: Vec<bool> = table.columns.iter().map(|column| column.iter().any(|b| *b != 0.0)).collect();
        let sums = Arch::new().dispatch(Sums { series: self, m, c, b: &table.columns, powers: &powers, alive: &alive });
        let unknown: f64 = c.iter().zip(&table.tail).map(|(c, tail)| c.abs() * tail.sqrt()).sum();
        if want.risk {
            let mut twice = self.rest.max(0.0);
            let mut size = self.rest.abs();
            for (monomial, sums) in self.monomials.iter().zip(&sums) {
                for (h, (sum, weight)) in sums.iter().zip(&monomial.weights).enumerate() {
                    let e = sum - if h == 0 { monomial.target } else { 0.0 };
                    twice += weight * e * e;
                    size += weight * (sum.abs() + monomial.target.abs()).powi(2);
                }
            }
            out.risk = 0.5 * twice;
            out.risk_error = 0.5 * (unknown * unknown + self.rest_error) + 4.0 * f64::EPSILON * size;
        }
        if want.drift {
            let errors = self.errors(&sums, squared);
            let (q, b) = (&state.orthogonal, &table.columns);
            Arch::new().dispatch(Drift {
                series: self,
                m,
                c,
                q,
                b,
                powers: &powers,
                alive: &alive,
                errors: &errors,
                out,
            });
            let largest = c.iter().fold(0.0, |most: f64, c| most.max(c.abs()));
            let tail = table.tail.iter().fold(0.0, |most: f64, tail| most.max(tail.sqrt()));
            out.drift_error = largest * (unknown * tail * self.order as f64 + 16.0 * f64::EPSILON);
        }
        if want.label_noise || want.noise {
            for j in 0..p {
                let mut power = 1.0;
                let mut mean = 0.0;
                for n in 0..self.order {
                    mean += table.columns[n + 1][j].powi(2) * power / factorial(n);
                    power *= variance[j];
                }
                out.square[j] = c[j] * c[j] * mean;
            }
        }
        if want.noise {
            let errors = self.errors(&sums, squared);
            self.quadratic_noise(m, c, &state.orthogonal, &table.columns, &errors, &mut out.square);
        }
    }

    /// `q^{l/2}` for l = 0, 2, ….
    fn powers(&self, orthogonal: &[f64]) -> Vec<Vec<f64>> {
        let count = self.monomials.iter().map(|monomial| monomial.weights.len()).max().unwrap_or(1);
        let mut powers = vec![vec![1.0; orthogonal.len()]];
        for h in 1..count {
            powers.push(powers[h - 1].iter().zip(orthogonal).map(|(power, q)| power * q).collect());
        }
        powers
    }

    fn block(&self) -> usize {
        (BLOCK / self.monomials.len()).clamp(8, 512)
    }

    /// The monomials of the neurons `from..to`.
    #[inline(always)]
    fn fill(&self, m: &Mat<f64>, from: usize, to: usize, out: &mut [Vec<f64>]) {
        for (at, monomial) in self.monomials.iter().enumerate() {
            let (before, rest) = out.split_at_mut(at);
            let values = &mut rest[0][..to - from];
            if monomial.degree == 0 {
                values.fill(1.0);
                continue;
            }
            let coordinates = &m.col_as_slice(monomial.variable)[from..to];
            let parent = &before[monomial.parent][..to - from];
            values.iter_mut().zip(parent).zip(coordinates).for_each(|((x, parent), m)| *x = parent * m);
        }
    }

    /// `weight (S − T)`: the error signal, term by term.
    fn errors(&self, sums: &[Vec<f64>], squared: bool) -> Vec<Vec<f64>> {
        let network = if squared { 1.0 } else { 0.0 };
        let of = |(monomial, sums): (&Monomial, &Vec<f64>)| {
            let pairs = sums.iter().zip(&monomial.weights).enumerate();
            pairs
                .map(|(h, (sum, weight))| weight * (network * sum - if h == 0 { monomial.target } else { 0.0 }))
                .collect()
        };
        self.monomials.iter().zip(sums).map(of).collect()
    }

    /// Whether e is a quadratic form of the fields: network and target of degree 2 at most.
    pub fn is_quadratic(&self) -> bool {
        self.order <= 2 && self.rest.abs() <= 1e-12 * self.whole
    }

    /// Adds `c² E[σ'² e²]`, for `e = e_0 + t·u + ½(uᵀHu − tr H) + ½h(|ξ|² − D)` and `σ' = b_1 + b_2 y`, y the field:
    /// `E e² = e_0² + |t|² + ½(‖H‖² + Dh²)`, `E[y e²] = 2(e_0 t·m + tᵀHm)`,
    /// `E[y² e²] = Q E e² + 2((t·m)² + |Hm|² + h²q) + 2e_0(mᵀHm + hq)`.
    fn quadratic_noise(
        &self,
        m: &Mat<f64>,
        c: &[f64],
        q: &[f64],
        b: &[Vec<f64>],
        errors: &[Vec<f64>],
        square: &mut [f64],
    ) {
        let k = m.ncols();
        let (mut constant, mut linear, mut form) = (0.0, vec![0.0; k], Mat::<f64>::zeros(k, k));
        let mut outside = 0.0;
        for (monomial, errors) in self.monomials.iter().zip(errors) {
            match (monomial.degree, &monomial.lower[..]) {
                (0, _) => {
                    constant = errors[0];
                    // weight = 1/2D.
                    outside = errors.get(1).map_or(0.0, |error| 2.0 * error);
                }
                (1, [(r, ..)]) => linear[*r] = errors[0],
                (2, [(r, ..)]) => form[(*r, *r)] = 2.0 * errors[0],
                (2, [(r, ..), (t, ..)]) => (form[(*r, *t)], form[(*t, *r)]) = (errors[0], errors[0]),
                _ => {}
            }
        }
        let outside_square = if outside == 0.0 { 0.0 } else { self.dimension * outside * outside };
        let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        let mean = constant * constant + norm(&linear) + 0.5 * (form.squared_norm_l2() + outside_square);
        let mut turned = vec![0.0; k];
        for j in 0..c.len() {
            let row = |r: usize| m[(j, r)];
            (0..k).for_each(|r| turned[r] = (0..k).map(|t| form[(r, t)] * row(t)).sum());
            let dot = |x: &[f64]| x.iter().enumerate().map(|(r, x)| x * row(r)).sum::<f64>();
            let variance = q[j] + (0..k).map(|r| row(r) * row(r)).sum::<f64>();
            let along = dot(&linear);
            let first = 2.0 * (constant * along + linear.iter().zip(&turned).map(|(t, h)| t * h).sum::<f64>());
            let second = variance * mean
                + 2.0 * (along * along + norm(&turned) + outside * outside * q[j])
                + 2.0 * constant * (dot(&turned) + outside * q[j]);
            let (slope, curve) = (b[1][j], b[2][j]);
            square[j] = c[j] * c[j] * (slope * slope * mean + 2.0 * slope * curve * first + curve * curve * second);
        }
    }
}

/// `S_lα = Σ_i c_i Φ_lα(i)`, in loops for the widest registers.
struct Sums<'a> {
    series: &'a Series,
    m: &'a Mat<f64>,
    c: &'a [f64],
    b: &'a [Vec<f64>],
    powers: &'a [Vec<f64>],
    alive: &'a [bool],
}

impl WithSimd for Sums<'_> {
    type Output = Vec<Vec<f64>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let Self { series, m, c, b, powers, alive } = self;
        let (p, block) = (c.len(), series.block());
        let mut values = vec![vec![0.0; block]; series.monomials.len()];
        let mut weighted = vec![0.0; block];
        let mut sums: Vec<Vec<f64>> =
            series.monomials.iter().map(|monomial| vec![0.0; monomial.weights.len()]).collect();
        for from in (0..p).step_by(block) {
            let to = (from + block).min(p);
            series.fill(m, from, to, &mut values);
            for ((monomial, values), sums) in series.monomials.iter().zip(&values).zip(&mut sums) {
                let weighted = &mut weighted[..to - from];
                weighted.iter_mut().zip(values).zip(&c[from..to]).for_each(|((x, value), c)| *x = value * c);
                for (h, sum) in sums.iter_mut().enumerate() {
                    let n = monomial.degree + 2 * h;
                    if alive[n] {
                        *sum += dot3(weighted, &b[n][from..to], &powers[h][from..to]);
                    }
                }
            }
        }
        sums
    }
}

/// `E[g_i u]`, `E[g_i λ⊥_i]`, A and E\[g_i\], by derivatives of `F(i) = Σ errors Φ(i)`.
struct Drift<'a> {
    series: &'a Series,
    m: &'a Mat<f64>,
    c: &'a [f64],
    q: &'a [f64],
    b: &'a [Vec<f64>],
    powers: &'a [Vec<f64>],
    alive: &'a [bool],
    errors: &'a [Vec<f64>],
    out: &'a mut SphereAverages,
}

/// Arrays of one block of neurons.
struct Block {
    /// Monomials.
    values: Vec<Vec<f64>>,
    /// Sums over l of error·b_{n+i} q^{l/2}, i = 0, 1, 2, and of l error·b_n q^{l/2}; whether there are any.
    inner: [(Vec<f64>, bool); 4],
    /// E[σ'' e], and what multiplies e_r.
    curved: Vec<f64>,
    along: Vec<Vec<f64>>,
}

impl WithSimd for Drift<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let (p, k, size) = (self.c.len(), self.m.ncols(), self.series.block());
        let mut block = Block {
            values: vec![vec![0.0; size]; self.series.monomials.len()],
            inner: [(); 4].map(|()| (vec![0.0; size], false)),
            curved: vec![0.0; size],
            along: vec![vec![0.0; size]; k],
        };
        for from in (0..p).step_by(size) {
            let to = (from + size).min(p);
            self.sum(&mut block, from, to);
            self.write(&block, from, to);
        }
    }
}

impl Drift<'_> {
    #[inline(always)]
    fn sum(&mut self, block: &mut Block, from: usize, to: usize) {
        let count = to - from;
        let Block { values, inner, curved, along } = block;
        self.series.fill(self.m, from, to, values);
        curved.fill(0.0);
        along.iter_mut().for_each(|along| along.fill(0.0));
        for array in [&mut self.out.second, &mut self.out.bias, &mut self.out.drift_orthogonal] {
            array[from..to].fill(0.0);
        }
        for (at, monomial) in self.series.monomials.iter().enumerate() {
            inner.iter_mut().for_each(|(_, any)| *any = false);
            for (h, error) in self.errors[at].iter().enumerate() {
                let power = &self.powers[h][from..to];
                for (i, (order, factor)) in [(0, 1.0), (1, 1.0), (2, 1.0), (0, 2.0 * h as f64)].into_iter().enumerate()
                {
                    let n = monomial.degree + 2 * h + order;
                    if self.alive[n] && factor * error != 0.0 {
                        let (inner, any) = &mut inner[i];
                        if !*any {
                            inner.fill(0.0);
                            *any = true;
                        }
                        add_product(&mut inner[..count], factor * error, &self.b[n][from..to], power);
                    }
                }
            }
            let value = &values[at][..count];
            let into = [
                &mut self.out.second[from..to],
                &mut self.out.bias[from..to],
                &mut curved[..count],
                &mut self.out.drift_orthogonal[from..to],
            ];
            for (into, (inner, any)) in into.into_iter().zip(&*inner) {
                if *any {
                    add_pairs(into, value, inner);
                }
            }
            if inner[0].1 {
                for &(r, power, lower) in &monomial.lower {
                    add_product(&mut along[r][..count], power, &values[lower][..count], &inner[0].0);
                }
            }
        }
    }

    #[inline(always)]
    fn write(&mut self, block: &Block, from: usize, to: usize) {
        let (c, q, curved) = (&self.c[from..to], &self.q[from..to], &block.curved[..to - from]);
        let outside = &mut self.out.drift_orthogonal[from..to];
        for (((out, c), q), curved) in outside.iter_mut().zip(c).zip(q).zip(curved) {
            *out = c * (*out + q * curved);
        }
        self.out.bias[from..to].iter_mut().zip(c).for_each(|(bias, c)| *bias *= c);
        for (r, along) in block.along.iter().enumerate() {
            let coordinates = &self.m.col_as_slice(r)[from..to];
            let drift = &mut self.out.drift_teacher.col_as_slice_mut(r)[from..to];
            for ((((out, along), m), curved), c) in drift.iter_mut().zip(along).zip(coordinates).zip(curved).zip(c) {
                *out = c * (along + m * curved);
            }
        }
    }
}

/// All exponents of k variables with sum at most `order`, by their sum.
fn exponents(order: usize, k: usize) -> Vec<Vec<usize>> {
    let mut all = vec![vec![0; k]];
    let mut last = all.clone();
    for _ in 0..order {
        // Raised at or after the last variable that occurs, so that each comes once.
        let raised = |alpha: &Vec<usize>| {
            let from = alpha.iter().rposition(|a| *a > 0).unwrap_or(0);
            let alpha = alpha.clone();
            (from..k).map(move |r| {
                let mut alpha = alpha.clone();
                alpha[r] += 1;
                alpha
            })
        };
        last = last.iter().flat_map(raised).collect();
        all.extend(last.iter().cloned());
    }
    all
}

#[inline(always)]
fn dot3(x: &[f64], y: &[f64], z: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (x4, xs) = x.as_chunks::<4>();
    let (y4, ys) = y.as_chunks::<4>();
    let (z4, zs) = z.as_chunks::<4>();
    for ((x, y), z) in x4.iter().zip(y4).zip(z4) {
        (0..4).for_each(|i| sums[i] += x[i] * y[i] * z[i]);
    }
    let rest: f64 = xs.iter().zip(ys).zip(zs).map(|((x, y), z)| x * y * z).sum();
    sums.iter().sum::<f64>() + rest
}

#[inline(always)]
fn add_product(out: &mut [f64], factor: f64, x: &[f64], y: &[f64]) {
    out.iter_mut().zip(x).zip(y).for_each(|((out, x), y)| *out += factor * x * y);
}

#[inline(always)]
fn add_pairs(out: &mut [f64], x: &[f64], y: &[f64]) {
    out.iter_mut().zip(x).zip(y).for_each(|((out, x), y)| *out += x * y);
}
