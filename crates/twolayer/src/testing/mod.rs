//! What tests share.

pub mod laws;
