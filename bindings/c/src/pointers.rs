//! The only conversions from C pointers.

use crate::{
    QUECTEL_AZURE_ERROR_INVALID_VALUE, QUECTEL_AZURE_ERROR_NOT_UTF8,
    QUECTEL_AZURE_ERROR_NULL_POINTER, quectel_azure_bytes, quectel_azure_result,
};

/// What `pointer` points to, to change it.
///
/// # Safety
/// Not NULL means: aligned, initialised, and not used by anybody else while the reference lives.
pub(crate) unsafe fn object_mut<'a, T>(pointer: *mut T) -> Result<&'a mut T, quectel_azure_result> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_mut() }.ok_or(QUECTEL_AZURE_ERROR_NULL_POINTER)
}

/// What `pointer` points to, to read it.
///
/// # Safety
/// Not NULL means: aligned, initialised, and not changed by anybody while the reference lives.
pub(crate) unsafe fn object<'a, T>(pointer: *const T) -> Result<&'a T, quectel_azure_result> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_ref() }.ok_or(QUECTEL_AZURE_ERROR_NULL_POINTER)
}

/// `len` objects to read; `pointer` may be NULL if there are none.
///
/// # Safety
/// As [`object`], for all of them.
pub(crate) unsafe fn array<'a, T>(
    pointer: *const T,
    len: usize,
) -> Result<&'a [T], quectel_azure_result> {
    check_array(pointer, len)?;
    if len == 0 {
        return Ok(&[]);
    }
    // SAFETY: not NULL and not longer than a slice may be; the rest is the caller's promise.
    Ok(unsafe { core::slice::from_raw_parts(pointer, len) })
}

/// `len` objects to change; `pointer` may be NULL if there are none.
///
/// # Safety
/// As [`object_mut`], for all of them.
pub(crate) unsafe fn array_mut<'a, T>(
    pointer: *mut T,
    len: usize,
) -> Result<&'a mut [T], quectel_azure_result> {
    check_array(pointer, len)?;
    if len == 0 {
        return Ok(&mut []);
    }
    // SAFETY: not NULL and not longer than a slice may be; the rest is the caller's promise.
    Ok(unsafe { core::slice::from_raw_parts_mut(pointer, len) })
}

/// The bytes.
///
/// # Safety
/// As [`array`].
pub(crate) unsafe fn bytes<'a>(
    bytes: quectel_azure_bytes,
) -> Result<&'a [u8], quectel_azure_result> {
    // SAFETY: the caller's promise.
    unsafe { array(bytes.data, bytes.len) }
}

/// The text.
///
/// # Safety
/// As [`array`].
pub(crate) unsafe fn text<'a>(text: quectel_azure_bytes) -> Result<&'a str, quectel_azure_result> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes(text) }?;
    core::str::from_utf8(bytes).map_err(|_| QUECTEL_AZURE_ERROR_NOT_UTF8)
}

/// The text, if there is any.
///
/// # Safety
/// As [`array`].
pub(crate) unsafe fn optional_text<'a>(
    bytes: quectel_azure_bytes,
) -> Result<Option<&'a str>, quectel_azure_result> {
    // SAFETY: the caller's promise.
    let text = unsafe { text(bytes) }?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A negative number that became a length is longer than any memory.
fn check_array<T>(pointer: *const T, len: usize) -> Result<(), quectel_azure_result> {
    match len.checked_mul(size_of::<T>()) {
        Some(size) if isize::try_from(size).is_ok() => {}
        _ => return Err(QUECTEL_AZURE_ERROR_INVALID_VALUE),
    }
    if pointer.is_null() && len > 0 {
        return Err(QUECTEL_AZURE_ERROR_NULL_POINTER);
    }
    Ok(())
}
