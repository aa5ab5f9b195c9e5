//! What is read off a record.

pub mod phases;
