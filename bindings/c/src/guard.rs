//! Keeps a panic from crossing into C.

/// What a function returns when it cannot do its work.
pub(crate) trait Neutral {
    /// The value.
    const NEUTRAL: Self;
}

impl Neutral for i32 {
    const NEUTRAL: Self = crate::QUECTEL_AZURE_ERROR_PANIC;
}

/// Runs `f`. Hosted, a panic becomes the neutral value; on bare metal the panic handler stops the program.
#[cfg(not(target_os = "none"))]
pub(crate) fn guarded<R: Neutral>(f: impl FnOnce() -> R) -> R {
    std::panic::catch_unwind(core::panic::AssertUnwindSafe(f)).unwrap_or(R::NEUTRAL)
}

/// Runs `f`. Hosted, a panic becomes the neutral value; on bare metal the panic handler stops the program.
#[cfg(target_os = "none")]
pub(crate) fn guarded<R: Neutral>(f: impl FnOnce() -> R) -> R {
    f()
}
