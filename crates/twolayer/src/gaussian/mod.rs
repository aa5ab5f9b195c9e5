//! Gaussian tools: the normal law in one and two dimensions, quadrature, scrambled Sobol normals.

pub mod bivariate;
pub mod normal;
pub mod quadrature;
pub mod sobol;
