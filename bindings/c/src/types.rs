//! The structs that all of the interface shares.

/// Bytes that belong to somebody else. They are not NUL-terminated; `data` may be NULL if `len` is 0. A text is UTF-8.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct quectel_azure_bytes {
    /// First byte.
    pub data: *const u8,
    /// Number of bytes.
    pub len: usize,
}

impl quectel_azure_bytes {
    /// No bytes.
    pub(crate) const NONE: Self = Self {
        data: core::ptr::null(),
        len: 0,
    };
}

impl From<&[u8]> for quectel_azure_bytes {
    fn from(bytes: &[u8]) -> Self {
        Self {
            data: bytes.as_ptr(),
            len: bytes.len(),
        }
    }
}

impl From<&str> for quectel_azure_bytes {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}
