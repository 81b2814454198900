//! The only conversions from C pointers.

use crate::quectel_azure_bytes;

/// A reference to what `pointer` points to; `None` for NULL.
///
/// # Safety
/// Not NULL means: aligned, initialised, and not used by anybody else while the reference lives.
pub(crate) unsafe fn object<'a, T>(pointer: *mut T) -> Option<&'a mut T> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_mut() }
}

/// The bytes; empty for NULL or a length of 0.
///
/// # Safety
/// Not NULL means: `len` readable bytes that nobody changes while the slice lives.
pub(crate) unsafe fn bytes<'a>(pointer: *const u8, len: usize) -> &'a [u8] {
    if pointer.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { core::slice::from_raw_parts(pointer, len) }
}

/// The bytes to write to; empty for NULL or a length of 0.
///
/// # Safety
/// Not NULL means: `len` initialised bytes that nobody else uses while the slice lives.
pub(crate) unsafe fn bytes_mut<'a>(pointer: *mut u8, len: usize) -> &'a mut [u8] {
    if pointer.is_null() || len == 0 {
        return &mut [];
    }
    // SAFETY: the caller's promise.
    unsafe { core::slice::from_raw_parts_mut(pointer, len) }
}

/// The text; `None` if it is not UTF-8.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn text<'a>(text: quectel_azure_bytes) -> Option<&'a str> {
    // SAFETY: the caller's promise.
    core::str::from_utf8(unsafe { bytes(text.data, text.len) }).ok()
}
