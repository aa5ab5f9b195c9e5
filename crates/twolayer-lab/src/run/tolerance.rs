//! Whether a limit is as exact as it was asked to be.

use twolayer::{
    problem::Engine,
    record::{Status, Trajectory},
};
use twolayer_file::experiment::NamedView;

/// A limit whose error is more than a tolerance that is written has not done what was asked; where the tolerance is the
/// default nobody asked, and [`advice`] tells.
pub(super) fn judge(view: &NamedView, run: &mut Trajectory) {
    if let (true, Some(error)) = (view.tolerance_written, excess(view, run)) {
        run.status = Status::OutOfTolerance { error };
    }
}

/// The largest error of a limit that has reached its end, where it is more than the tolerance.
pub(crate) fn excess(view: &NamedView, run: &Trajectory) -> Option<f64> {
    let ended = matches!(run.status, Status::Done | Status::OutOfTolerance { .. });
    let error = run.largest_error();
    (view.view.engine == Engine::Limit && ended && error > view.view.tolerance).then_some(error)
}

/// The error in numbers and what can be done, where it is more than the tolerance of the view, written or not.
pub fn advice(view: &NamedView, runs: &[Trajectory]) -> Option<String> {
    let error = runs.iter().filter_map(|run| excess(view, run)).reduce(f64::max)?;
    let (tolerance, error, enough) = (view.view.tolerance, format!("{error:.1e}"), enough(error));
    Some(if view.tolerance_written {
        format!(
            "its error {error} is more than tolerance = {tolerance:e}, which is out of reach here: write tolerance = \
             {enough:e}, or a shorter time"
        )
    } else {
        format!(
            "its error {error} is more than the tolerance {tolerance:e}, the default; write tolerance = {enough:e} if \
             that is enough"
        )
    })
}

/// The next number of one digit above `error`: 3·10⁻⁴ for 2.8·10⁻⁴.
fn enough(error: f64) -> f64 {
    let unit = 10_f64.powf(error.log10().floor());
    let text = format!("{:.0e}", (error / unit).ceil() * unit);
    text.parse().unwrap_or(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabricated::{self, Sizes};

    const SIZES: Sizes = Sizes { p: 2, k: 1 };

    fn limit(error: f64) -> (NamedView, Trajectory) {
        let times = fabricated::log_times(5, 0.1, 3.0);
        let view = fabricated::view("limit", Engine::Limit, SIZES, 1000);
        (view, fabricated::limit(SIZES, &times, error).trajectories.remove(0))
    }

    #[test]
    fn an_error_above_a_written_tolerance_is_a_status_and_above_the_default_an_advice() {
        let (mut view, mut run) = limit(2.8e-4);
        judge(&view, &mut run);
        assert_eq!(run.status, Status::Done);
        let told = advice(&view, &[run.clone()]).unwrap();
        assert!(told.contains("2.8e-4") && told.contains("tolerance 1e-4") && told.contains("= 3e-4"), "{told}");
        view.tolerance_written = true;
        judge(&view, &mut run);
        assert_eq!(run.status, Status::OutOfTolerance { error: 2.8e-4 });
        assert!(advice(&view, &[run.clone()]).unwrap().contains("tolerance = 1e-4, which is out of reach"));
        assert!(run.risk.iter().all(|risk| risk.is_finite()) && run.valid == run.len());
        // Met, or not a limit: nothing to tell.
        view.view.tolerance = 3e-4;
        assert_eq!(advice(&view, &[run.clone()]), None);
        (view.view.tolerance, view.view.engine) = (1e-6, Engine::Direct);
        assert_eq!(advice(&view, &[run]), None);
    }

    #[test]
    fn enough_is_one_digit() {
        assert_eq!([2.8e-4, 3e-2, 9.7e-6].map(enough), [3e-4, 3e-2, 1e-5]);
    }
}
