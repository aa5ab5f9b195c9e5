//! Functions of a normal variable, seen along its line: whether `E |g(t)|^q`, `t ~ N(0, 1)`, diverges, at a pole or in a tail.

/// A line is looked at on [−REACH, REACH] in so many places, none of them 0: where a function is not defined at a single
/// point, it is one all the same.
const PLACES: usize = 601;
const REACH: f64 = 6.0;
const OFF_CENTRE: f64 = 1.0 / 512.0;

/// A peak is followed where it is so many times the median of |g|.
const PEAK: f64 = 20.0;

/// Far out, where |g|^q must fall faster than its weight rises.
const TAIL: [f64; 3] = [10.0, 20.0, 30.0];

/// Closer and closer to a peak.
const NEAR: [f64; 3] = [1e-4, 1e-7, 1e-10];

/// A function that is evaluated at many places at once.
pub type Line<'a> = &'a dyn Fn(&[f64]) -> Vec<f64>;

/// The places, rising.
pub fn places() -> Vec<f64> {
    (0..PLACES).map(|i| REACH * (2.0 * i as f64 / (PLACES - 1) as f64 - 1.0) + OFF_CENTRE).collect()
}

/// Whether `ln (g² e^{−t²/2})` does not fall.
pub fn has_heavy_tail(g: Line<'_>) -> bool {
    [-1.0, 1.0].iter().any(|sign| {
        let y = g(&TAIL.map(|t| sign * t));
        let weight: Vec<f64> = y.iter().zip(TAIL).map(|(y, t)| 2.0 * y.abs().ln() - 0.5 * t * t).collect();
        // Rounded: e^{t²/4} neither falls nor rises. A function that vanishes there, ln 0, has no tail at all.
        weight.windows(2).all(|pair| pair[1] > f64::NEG_INFINITY && pair[1] >= pair[0] - 1e-6)
    })
}

/// Where `∫ |g|^power` diverges: at the top of a peak `ε |g(ε)|^power` does not fall with the distance ε.
pub fn pole(g: Line<'_>, power: i32) -> Option<f64> {
    let places = places();
    let y: Vec<f64> = g(&places).iter().map(|y| y.abs()).collect();
    let mut sorted = y.clone();
    sorted.sort_by(f64::total_cmp);
    let high = PEAK * sorted[PLACES / 2];
    let peaks = (1..PLACES - 1).filter(|&i| y[i] > high && y[i] >= y[i - 1] && y[i] >= y[i + 1]);
    peaks.map(|i| top(g, places[i - 1], places[i + 1])).find(|&t| {
        [-1.0, 1.0].iter().any(|side| {
            let y = g(&NEAR.map(|near| t + side * near));
            let sizes: Vec<f64> = y.iter().zip(NEAR).map(|(y, near)| near * y.abs().powi(power)).collect();
            sizes.windows(2).all(|pair| pair[1].is_finite() && pair[1] > 0.5 * pair[0])
        })
    })
}

/// The highest point of a single peak of |g| between `low` and `high`, by thirds.
fn top(g: Line<'_>, mut low: f64, mut high: f64) -> f64 {
    for _ in 0..100 {
        let third = (high - low) / 3.0;
        let y = g(&[low + third, high - third]);
        if y[0].abs() < y[1].abs() { low += third } else { high -= third }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `∫ |t − c|^{−s·power}` converges for s·power < 1, `E e^{2at²}` for a < 1/4.
    #[test]
    fn poles_and_tails_are_those_of_the_integral() {
        let along = |g: fn(f64) -> f64| move |t: &[f64]| t.iter().map(|t| g(*t)).collect::<Vec<_>>();
        let pole_of = |g: fn(f64) -> f64, power| pole(&along(g), power);
        let close = |found: Option<f64>, at: f64| found.is_some_and(|t| (t - at).abs() < 1e-6);
        assert!(close(pole_of(|t| 1.0 / t, 1), 0.0) && close(pole_of(|t| 1.0 / (t - 0.3), 2), 0.3));
        assert!(close(pole_of(|t| (t + 1.1).abs().powf(-0.5), 2), -1.1));
        assert_eq!(pole_of(|t| t.abs().powf(-0.5), 1), None);
        assert_eq!(pole_of(|t| t.abs().powf(-0.4), 2), None);
        assert_eq!(pole_of(|t| 1.0 / (t * t + 1e-4), 2), None);
        // Steep, and no pole: the derivative of tanh(10⁹ t).
        assert_eq!(pole_of(|t| 1e9 / (1e9 * t).cosh().powi(2), 1), None);
        let heavy = |g: fn(f64) -> f64| has_heavy_tail(&along(g));
        assert!(heavy(|t| (t * t / 4.0).exp()) && heavy(|t| t * (t * t).exp()) && heavy(|t| t.exp().exp()));
        assert!(
            !heavy(|t| (t * t / 5.0).exp()) && !heavy(|t| (3.0 * t).exp()) && !heavy(|t| t.max(0.0)) && !heavy(|_| 0.0)
        );
    }
}
