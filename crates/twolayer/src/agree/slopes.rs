//! Local slopes of a curve on log–log axes, `d ln y/d ln t`, with confidence intervals over replicates.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Resamples of the replicates: the standard error of a slope is then known to 4 %.
const RESAMPLES: usize = 300;

/// A slope over a window of times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// The geometric middle of the window.
    pub time: f64,
    /// Least squares of ln(mean y) against ln t.
    pub slope: f64,
    /// Half the width of its 95 % confidence interval; NaN with one curve.
    pub half_width: f64,
}

/// Local slopes of the mean of `curves` (R of them, each over `times`) in `windows` windows that cover the times > 0 evenly
/// on a log scale, half over each other. The confidence interval is that of a bootstrap over replicates, widened by
/// `√(R/(R−1))` and by Student's t for the few there are. Windows with fewer than three positive means are left out.
///
/// ```
/// use twolayer::agree::slopes;
///
/// let times: Vec<f64> = (1..=100).map(f64::from).collect();
/// let curve: Vec<f64> = times.iter().map(|t| t.powi(-2)).collect();
/// let found = slopes(&times, &[&curve], 3);
/// assert!(found.iter().all(|one| (one.slope + 2.0).abs() < 1e-9));
/// ```
pub fn slopes(times: &[f64], curves: &[&[f64]], windows: usize) -> Vec<Slope> {
    let positive: Vec<usize> = (0..times.len()).filter(|&i| times[i] > 0.0).collect();
    let (Some(&first), Some(&last)) = (positive.first(), positive.last()) else { return Vec::new() };
    let (low, high) = (times[first].ln(), times[last].ln());
    let width = 2.0 * (high - low) / (windows + 1) as f64;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    (0..windows)
        .filter_map(|w| {
            let start = low + 0.5 * width * w as f64;
            let inside = |i: &usize| times[*i].ln() >= start - 1e-9 && times[*i].ln() <= start + width + 1e-9;
            let window: Vec<usize> = positive.iter().copied().filter(inside).collect();
            let all: Vec<usize> = (0..curves.len()).collect();
            let slope = fit(times, curves, &window, &all)?;
            let half_width = half_width(times, curves, &window, &mut rng);
            Some(Slope { time: (start + 0.5 * width).exp(), slope, half_width })
        })
        .collect()
}

fn half_width(times: &[f64], curves: &[&[f64]], window: &[usize], rng: &mut Xoshiro256PlusPlus) -> f64 {
    let replicates = curves.len();
    if replicates < 2 {
        return f64::NAN;
    }
    let drawn = |_| {
        let chosen: Vec<usize> = (0..replicates).map(|_| rng.random_range(0..replicates)).collect();
        fit(times, curves, window, &chosen)
    };
    let found: Vec<f64> = (0..RESAMPLES).filter_map(drawn).collect();
    let mean = found.iter().sum::<f64>() / found.len() as f64;
    let variance = found.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (found.len() as f64 - 1.0);
    let few = replicates as f64 / (replicates as f64 - 1.0);
    student(replicates - 1) * (variance * few).sqrt()
}

/// The 97.5 % quantile of Student's t.
fn student(freedom: usize) -> f64 {
    let (z, n) = (1.959_964_f64, freedom as f64);
    match freedom {
        1 => 12.706,
        2 => 4.303,
        // Fisher and Cornish's expansion, to 1 % from three degrees of freedom on.
        _ => {
            z + (z.powi(3) + z) / (4.0 * n)
                + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * n * n)
                + (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / (384.0 * n.powi(3))
        }
    }
}

/// Least squares of the log of the mean over the `chosen` curves.
fn fit(times: &[f64], curves: &[&[f64]], window: &[usize], chosen: &[usize]) -> Option<f64> {
    let points: Vec<(f64, f64)> = (window.iter())
        .map(|&i| (times[i].ln(), chosen.iter().map(|&r| curves[r][i]).sum::<f64>() / chosen.len() as f64))
        .filter(|(_, mean)| *mean > 0.0)
        .map(|(x, mean)| (x, mean.ln()))
        .collect();
    let n = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0 / n, y + p.1 / n));
    let square: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    (points.len() >= 3 && square > 0.0).then(|| points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / square)
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    #[test]
    fn a_power_law_has_its_exponent_everywhere() {
        let times: Vec<f64> = (0..=60).map(|i| 10_f64.powf(f64::from(i) / 20.0)).collect();
        let curve: Vec<f64> = times.iter().map(|t| 3.0 * t.powf(-2.0)).collect();
        let found = slopes(&times, &[&curve], 5);
        assert_eq!(found.len(), 5);
        for slope in &found {
            assert!((slope.slope + 2.0).abs() < 1e-9 && slope.half_width.is_nan(), "{slope:?}");
        }
        assert!((found[2].time / 10_f64.powf(1.5) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_interval_covers_the_truth_about_as_often_as_it_says() {
        let times: Vec<f64> = (0..=20).map(|i| 10_f64.powf(f64::from(i) / 20.0)).collect();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut covered = 0;
        for _ in 0..200 {
            let curves: Vec<Vec<f64>> = (0..8)
                .map(|_| {
                    let exponent: f64 = StandardNormal.sample(&mut rng);
                    times.iter().map(|t| t.powf(-1.0 + 0.02 * exponent)).collect()
                })
                .collect();
            let borrowed: Vec<&[f64]> = curves.iter().map(Vec::as_slice).collect();
            let slope = slopes(&times, &borrowed, 1)[0];
            covered += usize::from((slope.slope + 1.0).abs() <= slope.half_width);
        }
        // 95 %: 190 ± 3.
        assert!((178..=198).contains(&covered), "{covered} of 200");
    }

    #[test]
    fn students_quantiles() {
        for (freedom, quantile) in [(3, 3.182), (7, 2.365), (15, 2.131), (100, 1.984)] {
            assert!((student(freedom) / quantile - 1.0).abs() < 0.01);
        }
    }
}
