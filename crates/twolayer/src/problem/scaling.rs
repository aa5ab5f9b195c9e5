//! Exponents of d, read off expressions.
