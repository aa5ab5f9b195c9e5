//! What tests share, here and in what is built on this crate.

pub mod fabricated;
pub mod known;
#[cfg(test)]
pub(crate) mod laws;

#[cfg(test)]
mod tests {
    use std::{env, hint::black_box, panic::catch_unwind};

    /// `make test` says that it checks; then it must.
    #[test]
    fn overflow_and_debug_assertions_are_checked_in_our_own_crates() {
        if env::var_os("TWOLAYER_CHECKED").is_some() {
            assert!(catch_unwind(|| debug_assert!(black_box(false))).is_err());
            assert!(catch_unwind(|| black_box(u8::MAX) + black_box(1)).is_err());
        }
    }
}
