//! One pass over latent points.

use faer::{Accum, Mat, Par, linalg::matmul::matmul};

use super::{
    pairs::{Pair, Pairs},
    table::Table,
};
use crate::{gaussian::quadrature::Quadrature, overlaps::add_product, problem::Activation};

/// Points treated at a time.
const BLOCK: usize = 256;

/// Half the length and spacing of the rule for what a strong pair shares.
const SHARED: [f64; 2] = [4.0, 0.8];

/// Blocks of points from which the second order in E is taken, which is small.
const SECOND_ORDER: usize = 4;

/// Latent points: coordinate i of point μ is `x[i·points + μ]`; the first of them are used.
pub(super) struct Latent<'a> {
    pub x: &'a [f64],
    pub points: usize,
    pub used: usize,
    pub weights: &'a [f64],
    pub label: &'a [f64],
}

/// A network, seen from its latent directions.
pub(super) struct Pass<'a> {
    pub activation: &'a Activation,
    pub bias: &'a [f64],
    /// s a.
    pub weights: Vec<f64>,
    /// Δ.
    pub noise: f64,
    /// `[M P^{−1/2}, c]`.
    pub loadings: Mat<f64>,
    /// E.
    pub left: Mat<f64>,
    /// Which of its entries are large.
    pub pairs: Pairs,
}

/// Sums over points.
#[derive(Clone)]
struct Sums {
    /// `Σ (2 (T + mean m_1)(T + mean m_1)ᵀ + (e² − 2 mean²) m_1 m_1ᵀ)`, lower triangle.
    slopes: Mat<f64>,
    /// `Σ e² m_2 m_2ᵀ`, lower triangle.
    curved: Mat<f64>,
    /// `Σ e² m_3 m_3ᵀ`, lower triangle, over the first blocks, and their weight.
    bent: Mat<f64>,
    bent_weight: f64,
    /// N_jj/(s a_j)².
    diagonal: Vec<f64>,
    /// What the first two orders in E get wrong for each pair.
    pairs: Vec<f64>,
    weight: f64,
}

/// Arrays of one block: a row for each point and a column for each neuron.
struct Block {
    means: Mat<f64>,
    m1: Mat<f64>,
    m2: Mat<f64>,
    m3: Mat<f64>,
    /// `s a (E[σσ'] − m_0 m_1)`.
    own: Mat<f64>,
    slope_square: Mat<f64>,
    slope_square_curved: Mat<f64>,
    /// `s a (E[σσ'²] − m_0 E[σ'²])`.
    own_square: Mat<f64>,
    /// b, later one factor of a product.
    b: Mat<f64>,
    /// E_o b, later T + mean m_1.
    around: Mat<f64>,
    mean: Vec<f64>,
    square: Vec<f64>,
}

impl Block {
    fn new(p: usize) -> Self {
        let matrix = || Mat::zeros(BLOCK, p);
        Self {
            means: matrix(),
            m1: matrix(),
            m2: matrix(),
            m3: matrix(),
            own: matrix(),
            slope_square: matrix(),
            slope_square_curved: matrix(),
            own_square: matrix(),
            b: matrix(),
            around: matrix(),
            mean: vec![0.0; BLOCK],
            square: vec![0.0; BLOCK],
        }
    }
}

/// The tables of a strong pair: what each neuron is given what they share.
struct Given {
    pair: Pair,
    tables: Option<[Table; 2]>,
    /// How far each is moved by one unit of what is shared.
    moves: [f64; 2],
}

impl Pass<'_> {
    /// N over the first `half` points, and over all that are used.
    pub fn noise(&self, latent: &Latent<'_>, half: usize) -> [Mat<f64>; 2] {
        let p = self.weights.len();
        let ranges = self.ranges(latent);
        let kinks = self.activation.kinks();
        let table = |j: usize| Table::new(self.activation, self.left[(j, j)], ranges[j], &kinks);
        let tables: Vec<Table> = (0..p).map(table).collect();
        let given: Vec<Given> = self.pairs.0.iter().map(|pair| self.given(*pair, &ranges, &kinks)).collect();
        let mut apart = self.left.clone();
        (0..p).for_each(|j| apart[(j, j)] = 0.0);
        let mut sums = Sums {
            slopes: Mat::zeros(p, p),
            curved: Mat::zeros(p, p),
            bent: Mat::zeros(p, p),
            bent_weight: 0.0,
            diagonal: vec![0.0; p],
            pairs: vec![0.0; given.len()],
            weight: 0.0,
        };
        let mut block = Block::new(p);
        let mut first = None;
        for from in (0..latent.used).step_by(BLOCK) {
            if from >= half && first.is_none() {
                first = Some(self.finish(&sums));
            }
            self.average(latent, from, &tables, &mut block);
            matmul(&mut block.around, Accum::Replace, &block.b, &apart, 1.0, Par::Seq);
            self.add(latent, from, &given, &mut block, &mut sums);
        }
        let all = self.finish(&sums);
        [first.unwrap_or_else(|| all.clone()), all]
    }

    /// The means of all neurons at one block of points.
    fn means(&self, latent: &Latent<'_>, from: usize, means: &mut Mat<f64>) {
        let directions = self.loadings.ncols();
        let x = Mat::from_fn(BLOCK, directions, |mu, i| latent.x[i * latent.points + from + mu]);
        matmul(&mut *means, Accum::Replace, &x, self.loadings.transpose(), 1.0, Par::Seq);
        for (j, bias) in self.bias.iter().enumerate() {
            means.col_as_slice_mut(j).iter_mut().for_each(|mean| *mean += bias);
        }
    }

    /// The least and the largest mean of every neuron.
    fn ranges(&self, latent: &Latent<'_>) -> Vec<[f64; 2]> {
        let mut ranges = vec![[f64::INFINITY, f64::NEG_INFINITY]; self.weights.len()];
        let mut means = Mat::zeros(BLOCK, self.weights.len());
        for from in (0..latent.used).step_by(BLOCK) {
            self.means(latent, from, &mut means);
            for (j, range) in ranges.iter_mut().enumerate() {
                for mean in means.col_as_slice(j) {
                    *range = [range[0].min(*mean), range[1].max(*mean)];
                }
            }
        }
        ranges
    }

    fn given(&self, pair: Pair, ranges: &[[f64; 2]], kinks: &[f64]) -> Given {
        let length = pair.shared.abs().sqrt();
        let moves = [length, length.copysign(pair.shared)];
        let table = |j: usize| {
            let [low, high] = ranges[j];
            let reach = SHARED[0] * length;
            let variance = self.left[(j, j)] - pair.shared.abs();
            Table::new(self.activation, variance, [low - reach, high + reach], kinks)
        };
        let tables = (!pair.copies).then(|| [table(pair.first), table(pair.second)]);
        Given { pair, tables, moves }
    }

    /// Looks the averages up, and sums what belongs to the network as a whole.
    fn average(&self, latent: &Latent<'_>, from: usize, tables: &[Table], block: &mut Block) {
        let mut means = std::mem::replace(&mut block.means, Mat::zeros(0, 0));
        self.means(latent, from, &mut means);
        block.mean.iter_mut().zip(&latent.label[from..]).for_each(|(mean, g)| *mean = -g);
        block.square.fill(self.noise);
        for (j, (table, &weight)) in tables.iter().zip(&self.weights).enumerate() {
            let (m1, m2, own) =
                (block.m1.col_as_slice_mut(j), block.m2.col_as_slice_mut(j), block.own.col_as_slice_mut(j));
            let (square, curved, own_square) = (
                block.slope_square.col_as_slice_mut(j),
                block.slope_square_curved.col_as_slice_mut(j),
                block.own_square.col_as_slice_mut(j),
            );
            let (b, m3) = (block.b.col_as_slice_mut(j), block.m3.col_as_slice_mut(j));
            for (mu, mean) in means.col_as_slice(j).iter().enumerate() {
                let [value, slope, second, value_square, cross, slopes, slopes_curved, cross_square, third] =
                    table.at(*mean);
                m1[mu] = slope;
                m2[mu] = second;
                m3[mu] = third;
                own[mu] = weight * (cross - value * slope);
                square[mu] = slopes;
                curved[mu] = slopes_curved;
                own_square[mu] = weight * (cross_square - value * slopes);
                b[mu] = weight * slope;
                block.mean[mu] += weight * value;
                block.square[mu] += weight * weight * (value_square - value * value).max(0.0);
            }
        }
        block.means = means;
    }

    /// Adds one block, E_o b at hand.
    fn add(&self, latent: &Latent<'_>, from: usize, given: &[Given], block: &mut Block, sums: &mut Sums) {
        let p = self.weights.len();
        let weights = &latent.weights[from..from + BLOCK];
        sums.weight += weights.iter().sum::<f64>();
        let Block { means, m1, m2, m3, own, slope_square, slope_square_curved, own_square, b, around, mean, square } =
            block;
        for j in 0..p {
            for ((square, around), b) in square.iter_mut().zip(around.col_as_slice(j)).zip(b.col_as_slice(j)) {
                *square += around * b;
            }
        }
        square.iter_mut().zip(&*mean).for_each(|(square, mean)| *square += mean * mean);
        for j in 0..p {
            let (slope, curved, own) =
                (slope_square.col_as_slice(j), slope_square_curved.col_as_slice(j), own_square.col_as_slice(j));
            let around = around.col_as_slice(j);
            sums.diagonal[j] += (0..BLOCK)
                .map(|mu| weights[mu] * (square[mu] * slope[mu] + 2.0 * mean[mu] * (around[mu] * curved[mu] + own[mu])))
                .sum::<f64>();
        }
        // Rooted weights, so that one matrix is both factors.
        for j in 0..p {
            let (m1, m2) = (m1.col_as_slice(j), m2.col_as_slice(j));
            let own = own.col_as_slice(j);
            for (mu, around) in around.col_as_slice_mut(j).iter_mut().enumerate() {
                *around = (2.0 * weights[mu]).sqrt() * (*around * m2[mu] + own[mu] + mean[mu] * m1[mu]);
            }
            for (mu, b) in b.col_as_slice_mut(j).iter_mut().enumerate() {
                *b = weights[mu] * (square[mu] - 2.0 * mean[mu] * mean[mu]) * m1[mu];
            }
        }
        add_product(sums.slopes.as_mut(), around.as_ref(), around.as_ref(), 1);
        add_product(sums.slopes.as_mut(), b.as_ref(), m1.as_ref(), 1);
        for (sum, given) in sums.pairs.iter_mut().zip(given) {
            *sum += given.beyond_second_order(weights, square, means, [m1, m2, m3]);
        }
        let is_early = from < SECOND_ORDER * BLOCK;
        for (factor, into) in [(m2, &mut sums.curved), (m3, &mut sums.bent)].into_iter().take(1 + usize::from(is_early))
        {
            for j in 0..p {
                for (mu, factor) in factor.col_as_slice_mut(j).iter_mut().enumerate() {
                    *factor *= (weights[mu] * square[mu].max(0.0)).sqrt();
                }
            }
            add_product(into.as_mut(), factor.as_ref(), factor.as_ref(), 1);
        }
        if is_early {
            sums.bent_weight += weights.iter().sum::<f64>();
        }
    }

    /// N from the sums so far.
    fn finish(&self, sums: &Sums) -> Mat<f64> {
        let p = self.weights.len();
        let mut out = Mat::zeros(p, p);
        let second_order = sums.weight / sums.bent_weight;
        for j in 0..p {
            out[(j, j)] = sums.diagonal[j];
            for l in 0..j {
                let left = self.left[(j, l)];
                let bent = 0.5 * left * left * second_order * sums.bent[(j, l)];
                out[(j, l)] = sums.slopes[(j, l)] + left * sums.curved[(j, l)] + bent;
            }
        }
        for (Pair { first, second, copies, .. }, beyond) in self.pairs.0.iter().zip(&sums.pairs) {
            let entry = &mut out[(*first, *second)];
            *entry = if *copies { sums.diagonal[*second] } else { *entry + beyond };
        }
        for j in 0..p {
            for l in 0..=j {
                out[(j, l)] *= self.weights[j] * self.weights[l] / sums.weight;
                out[(l, j)] = out[(j, l)];
            }
        }
        out
    }
}

impl Given {
    /// `Σ_μ w e² (E[σ'_jσ'_l] − m_1j m_1l − E_jl m_2j m_2l − ½E_jl² m_3j m_3l)`, with the normal that the two share
    /// integrated over.
    fn beyond_second_order(&self, weights: &[f64], square: &[f64], means: &Mat<f64>, m: [&Mat<f64>; 3]) -> f64 {
        let Some([first, second]) = &self.tables else { return 0.0 };
        let rule = Quadrature::equally_spaced(SHARED[0], SHARED[1]);
        let Pair { first: j, second: l, shared, .. } = self.pair;
        let orders = [1.0, shared, 0.5 * shared * shared];
        let mut sum = 0.0;
        for mu in 0..weights.len() {
            let (at, other) = (means[(mu, j)], means[(mu, l)]);
            let product: f64 = rule
                .nodes
                .iter()
                .zip(&rule.weights)
                .map(|(x, w)| w * first.slope(at + self.moves[0] * x) * second.slope(other + self.moves[1] * x))
                .sum();
            let known: f64 = m.iter().zip(orders).map(|(m, order)| order * m[(mu, j)] * m[(mu, l)]).sum();
            sum += weights[mu] * square[mu] * (product - known);
        }
        sum
    }
}
