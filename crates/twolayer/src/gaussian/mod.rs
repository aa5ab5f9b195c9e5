//! Gaussian tools: the inverse normal law, quadrature, scrambled Sobol normals.

pub mod normal;
pub mod quadrature;
pub mod sobol;
