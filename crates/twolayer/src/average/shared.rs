//! One kernel for all replicates of a view.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Kernel, for_problem};
use crate::{error::Result, problem::Problem};

/// A kernel that is built when it is first asked for, and kept; clones share it.
///
/// The nodes or coefficients of a target take up to a second, which a replicate of few steps does not.
#[derive(Clone, Default)]
pub struct SharedKernel(Arc<Mutex<Option<Kept>>>);

/// The kernel, and what it is for.
struct Kept {
    problem: Problem,
    tolerance: f64,
    kernel: Arc<dyn Kernel>,
}

impl SharedKernel {
    /// [`for_problem`], built again only where the problem or the tolerance is another than last time.
    ///
    /// # Errors
    /// As for [`for_problem`].
    pub fn of(&self, problem: &Problem, tolerance: f64) -> Result<Arc<dyn Kernel>> {
        // Whoever comes while it is being built waits for it. A panic elsewhere leaves what was kept before.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = &*kept
            && kept.tolerance == tolerance
            && kept.problem == *problem
        {
            return Ok(kept.kernel.clone());
        }
        let kernel: Arc<dyn Kernel> = for_problem(problem, tolerance)?.into();
        *kept = Some(Kept { problem: problem.clone(), tolerance, kernel: kernel.clone() });
        Ok(kernel)
    }
}

/// Equal whatever has been built already.
impl PartialEq for SharedKernel {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for SharedKernel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SharedKernel")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Activation, Duration, Formula, Network, Rule, Target, Training};

    #[test]
    fn clones_share_one_kernel_until_the_problem_is_another() {
        let rule = Rule::committee(Activation::Erf, 1, 1.0);
        let training = Training::new(100, Formula::number(1e-3), Duration::Time(Formula::number(1.0)));
        let mut problem = Problem::new(Target::new(rule), Network::new(2, Activation::Erf), training).unwrap();
        let shared = SharedKernel::default();
        let kernels = [shared.of(&problem, 1e-4).unwrap(), shared.clone().of(&problem, 1e-4).unwrap()];
        assert!(Arc::ptr_eq(&kernels[0], &kernels[1]));
        problem.target.noise = 0.5;
        assert!(!Arc::ptr_eq(&kernels[0], &shared.of(&problem, 1e-4).unwrap()));
        assert_eq!(kernels[0].describe(), "erf, closed form");
    }
}
