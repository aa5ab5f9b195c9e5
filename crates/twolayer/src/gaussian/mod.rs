//! Gaussian tools: the inverse normal law, scrambled Sobol normals.

pub mod normal;
pub mod sobol;
