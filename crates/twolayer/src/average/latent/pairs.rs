//! Pairs of neurons that stay strongly correlated whatever is latent.

use faer::Mat;

/// Correlations up to this are small: their third power is left out.
const SMALL: f64 = 0.3;

/// Correlations from this on make copies.
const COPY: f64 = 1.0 - 1e-9;

/// Strong pairs at most, to a neuron.
const MOST: usize = 2;

/// Two neurons and the covariance they share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    pub first: usize,
    pub second: usize,
    pub shared: f64,
    /// One is the other, bias included.
    pub copies: bool,
}

/// All strong pairs.
#[derive(Debug, Clone, Default)]
pub(super) struct Pairs(pub Vec<Pair>);

impl Pairs {
    /// Of the covariance that is left; `None` where there are too many.
    pub fn of(left: &Mat<f64>, bias: &[f64]) -> Option<Self> {
        let p = left.nrows();
        let mut pairs = Vec::new();
        for first in 0..p {
            for second in 0..first {
                let shared = left[(first, second)];
                let size = (left[(first, first)] * left[(second, second)]).max(0.0).sqrt();
                if shared.abs() <= SMALL * size || size == 0.0 {
                    continue;
                }
                let copies = shared >= COPY * size
                    && (left[(first, first)] / left[(second, second)] - 1.0).abs() < 1e-8
                    && bias[first] == bias[second];
                pairs.push(Pair { first, second, shared, copies });
                if pairs.len() > MOST * p {
                    return None;
                }
            }
        }
        Some(Self(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_strong_pairs_are_told_apart() {
        let mut left = Mat::<f64>::identity(5, 5);
        for (i, j, x) in [(1, 0, 1.0), (2, 0, -0.4), (3, 2, 0.2)] {
            left[(i, j)] = x;
            left[(j, i)] = x;
        }
        let pairs = Pairs::of(&left, &[0.0; 5]).unwrap().0;
        assert_eq!(pairs[0], Pair { first: 1, second: 0, shared: 1.0, copies: true });
        assert_eq!(pairs[1], Pair { first: 2, second: 0, shared: -0.4, copies: false });
        assert_eq!(pairs.len(), 2);
        assert!(!Pairs::of(&left, &[0.0, 0.3, 0.0, 0.0, 0.0]).unwrap().0[0].copies);
        let all = Mat::from_fn(40, 40, |i, j| if i == j { 1.0 } else { 0.5 });
        assert!(Pairs::of(&all, &[0.0; 40]).is_none());
    }
}
