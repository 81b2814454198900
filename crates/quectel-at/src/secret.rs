//! Texts that must not show.

/// A text that must not show in traces or logs, such as a SAS token or the password of a key; it is written with
/// [`Writer::secret`](crate::Writer::secret).
///
/// ```
/// let password = quectel_at::Secret::new("hunter2");
/// assert_eq!(format!("{password:?}"), "Secret(..)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret<'a>(&'a str);

impl<'a> Secret<'a> {
    /// Wraps a text.
    pub const fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The text itself.
    pub const fn expose(self) -> &'a str {
        self.0
    }
}

impl core::fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret(..)")
    }
}
