//! A kernel whose N is that of a wide network.

use super::{Averages, Kernel, State, Want, latent};
use crate::{error::Result, problem::Problem};

/// Another kernel, and N by latent directions where the network is wide enough for them.
pub(super) struct WideKernel<K> {
    inner: K,
    problem: Problem,
    seed: u64,
}

impl<K: Kernel> WideKernel<K> {
    pub fn new(problem: &Problem, inner: K, seed: u64) -> Self {
        Self { inner, problem: problem.clone(), seed }
    }
}

impl<K: Kernel> Kernel for WideKernel<K> {
    fn averages(&self, state: &State, want: Want, out: &mut Averages) -> Result<()> {
        let latent =
            want.noise && latent::applies(&self.problem) && latent::noise(&self.problem, state, self.seed, out)?;
        let rest = if latent { Want { noise: false, label_noise: false, ..want } } else { want };
        let error = out.noise_error;
        self.inner.averages(state, rest, out)?;
        if latent && want.radial {
            out.noise_error = out.noise_error.max(error);
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let inner = self.inner.describe();
        if latent::applies(&self.problem) { format!("{inner}; {}", latent::DESCRIPTION) } else { inner }
    }
}
