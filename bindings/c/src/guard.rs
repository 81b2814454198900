//! Keeps a panic from crossing into C.

use crate::{QUECTEL_AZURE_ERROR_PANIC, quectel_azure_result};

/// What a function returns when it cannot do its work.
pub(crate) trait Neutral {
    /// The value.
    #[cfg_attr(
        target_os = "none",
        expect(dead_code, reason = "without unwinding there is nothing to catch")
    )]
    const NEUTRAL: Self;
}

impl Neutral for quectel_azure_result {
    const NEUTRAL: Self = QUECTEL_AZURE_ERROR_PANIC;
}

impl Neutral for () {
    const NEUTRAL: Self = ();
}

/// Runs `f`; a panic becomes the neutral value.
#[cfg(not(target_os = "none"))]
pub(crate) fn guarded<R: Neutral>(f: impl FnOnce() -> R) -> R {
    std::panic::catch_unwind(core::panic::AssertUnwindSafe(f)).unwrap_or(R::NEUTRAL)
}

/// Runs `f`; on bare metal the panic handler stops the program.
#[cfg(target_os = "none")]
pub(crate) fn guarded<R: Neutral>(f: impl FnOnce() -> R) -> R {
    f()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_result() {
        assert_eq!(
            guarded::<quectel_azure_result>(|| panic!("on purpose")),
            QUECTEL_AZURE_ERROR_PANIC
        );
    }
}
