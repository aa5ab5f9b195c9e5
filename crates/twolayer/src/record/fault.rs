//! Records that come from elsewhere, and may make no sense.

use super::{
    observable::{OBSERVABLES, Observable, STUDENT_SQUARES, STUDENT_STUDENT, When},
    trajectory::Trajectory,
};

impl Trajectory {
    /// What makes no sense in a record that was read from elsewhere: more valid entries than entries, an array of an entry
    /// without some of its numbers, Q without its diagonal.
    pub fn fault(&self) -> Option<String> {
        let t = self.len();
        if self.valid > t {
            return Some(format!("{} entries of {t} are valid", self.valid));
        }
        if self.get(&STUDENT_STUDENT).is_some() && self.get(&STUDENT_SQUARES).is_none() {
            return Some(format!("array `{}` without `{}`", STUDENT_STUDENT.name, STUDENT_SQUARES.name));
        }
        // Sizes that nobody has checked may have a product without measure.
        let size = |observable: &Observable| {
            let axes = observable.axes.iter().map(|axis| self.extent(*axis, t, t.saturating_sub(1)));
            axes.flatten().try_fold(1_usize, |product, length| product.checked_mul(length))
        };
        let whole = |observable: &Observable| match self.get(observable) {
            Some(values) => Some(values.len()) == size(observable),
            None => t == 0 || !matches!(observable.when, When::Always),
        };
        let needed = |observable: &&&Observable| observable.is_by_entry() || observable.is_coordinate();
        let broken = OBSERVABLES.iter().filter(needed).find(|observable| !whole(observable))?;
        Some(format!("array `{}` has {} numbers, not one for each of its places", broken.name, self.of(broken).len()))
    }
}
