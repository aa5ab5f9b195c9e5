//! Gaussian tools: the normal law in one and two dimensions, functions along a line, quadrature, scrambled Sobol normals.

pub mod bivariate;
pub mod line;
pub mod normal;
pub mod quadrature;
pub mod sobol;
