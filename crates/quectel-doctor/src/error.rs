//! Why a log cannot be read.

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The input could not be read.
    #[error("the log cannot be read: {0}; check the path and its permissions")]
    Io(#[from] std::io::Error),
    /// The input is binary.
    #[error(
        "this is no text; paste the dialogue with the module as text, not a screenshot or an archive"
    )]
    NotText,
    /// There is no AT command and no answer of a modem in it.
    #[error(
        "no AT command and no modem answer was found in {lines} lines; paste the dialogue with the module, as text"
    )]
    NotALog {
        /// Lines that were read.
        lines: u64,
    },
}

impl ReadError {
    /// Stable name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Io(_) => "log-unreadable",
            Self::NotText => "not-text",
            Self::NotALog { .. } => "not-a-log",
        }
    }
}
