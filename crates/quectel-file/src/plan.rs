//! Whether a file has to be sent.

use crate::{Contents, FileEntry, FileName};

/// What to do with a file that is there but differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "a file is kept or replaced")]
pub enum Policy {
    /// Leave it; the caller decides.
    #[default]
    Keep,
    /// Delete it and send the new one.
    Replace,
}

/// What is known about the file in the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the steps of finding out, in order"
)]
pub enum Stored {
    /// It is not listed.
    #[default]
    Absent,
    /// It is there, as after `+CME ERROR: 407`, but its size is not known.
    Exists,
    /// It is listed with this size in bytes.
    Listed(u32),
    /// It was read back with [`QfDwl`](crate::QfDwl).
    ReadBack(Contents),
}

impl Stored {
    /// Takes note of a line of the listing; lines of other files change nothing.
    ///
    /// ```
    /// use quectel_at::Line;
    /// use quectel_file::{FileEntry, FileName, Stored};
    /// let wanted = FileName::new("cacert.pem")?;
    /// let mut stored = Stored::Absent;
    /// for line in [&b"+QFLST: \"UFS:other.pem\",5"[..], b"+QFLST: \"UFS:cacert.pem\",1280"] {
    ///     stored.note(FileEntry::parse(Line::new(line))?, wanted);
    /// }
    /// assert_eq!(stored, Stored::Listed(1280));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn note(&mut self, entry: FileEntry<'_>, wanted: FileName<'_>) {
        if entry.is(wanted) {
            *self = Self::Listed(entry.size);
        }
    }
}

/// Why a file is not uploaded. Nothing in the module has been changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// It exists and nothing more is known.
    #[error("a file of this name is in the module; ask for it to be replaced, or use another name")]
    Exists,
    /// It has another size.
    #[error(
        "a file of this name with {stored} bytes is in the module, and the new one has {}; ask for it to be replaced, \
         or use another name", wanted.size
    )]
    Size {
        /// Bytes in the module.
        stored: u32,
        /// What was to be sent.
        wanted: Contents,
    },
    /// It has the same size and other bytes.
    #[error(
        "a file of this name is in the module with the same {} bytes but checksum {:x} instead of {:x}; ask for it to \
         be replaced, or use another name", stored.size, stored.checksum, wanted.checksum
    )]
    Altered {
        /// What is in the module.
        stored: Contents,
        /// What was to be sent.
        wanted: Contents,
    },
}

/// What to do to have a file in the module.
///
/// ```
/// use quectel_file::{Contents, Policy, Stored, UploadPlan};
/// let wanted = Contents { size: 1280, checksum: 0x4f54 };
/// assert_eq!(UploadPlan::new(Stored::Listed(1280), wanted, Policy::Keep), UploadPlan::Compare);
/// assert_eq!(UploadPlan::new(Stored::ReadBack(wanted), wanted, Policy::Keep), UploadPlan::Skip);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the caller must have an answer to each"
)]
pub enum UploadPlan {
    /// The same file is there.
    Skip,
    /// A file of the same size is there: read it back ([`QfDwl`](crate::QfDwl)) and plan again with
    /// [`Stored::ReadBack`], or take it for the same where reading back is too slow.
    Compare,
    /// Send it.
    Upload,
    /// Delete the old one ([`QfDel`](crate::QfDel)), then send the new one.
    DeleteThenUpload,
    /// Leave the old one and report this.
    Refuse(Conflict),
}

impl UploadPlan {
    /// Decides from what is known about the module's file.
    pub fn new(stored: Stored, wanted: Contents, policy: Policy) -> Self {
        let conflict = match stored {
            Stored::Absent => return Self::Upload,
            Stored::ReadBack(same) if same == wanted => return Self::Skip,
            Stored::Listed(size) if size == wanted.size => return Self::Compare,
            Stored::Exists => Conflict::Exists,
            Stored::Listed(size) => Conflict::Size {
                stored: size,
                wanted,
            },
            Stored::ReadBack(other) if other.size == wanted.size => Conflict::Altered {
                stored: other,
                wanted,
            },
            Stored::ReadBack(other) => Conflict::Size {
                stored: other.size,
                wanted,
            },
        };
        match policy {
            Policy::Keep => Self::Refuse(conflict),
            Policy::Replace => Self::DeleteThenUpload,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn every_case() {
        let wanted = Contents {
            size: 1280,
            checksum: 0x4f54,
        };
        let altered = Contents {
            checksum: 1,
            ..wanted
        };
        let longer = Contents {
            size: 1282,
            checksum: 0x425e,
        };
        let refuse = UploadPlan::Refuse;
        let replace = UploadPlan::DeleteThenUpload;
        let cases = [
            (Stored::Absent, UploadPlan::Upload, UploadPlan::Upload),
            (Stored::Exists, refuse(Conflict::Exists), replace),
            (
                Stored::Listed(1280),
                UploadPlan::Compare,
                UploadPlan::Compare,
            ),
            (
                Stored::Listed(1282),
                refuse(Conflict::Size {
                    stored: 1282,
                    wanted,
                }),
                replace,
            ),
            (Stored::ReadBack(wanted), UploadPlan::Skip, UploadPlan::Skip),
            (
                Stored::ReadBack(altered),
                refuse(Conflict::Altered {
                    stored: altered,
                    wanted,
                }),
                replace,
            ),
            (
                Stored::ReadBack(longer),
                refuse(Conflict::Size {
                    stored: 1282,
                    wanted,
                }),
                replace,
            ),
        ];
        for (stored, keep, replace) in cases {
            assert_eq!(UploadPlan::new(stored, wanted, Policy::Keep), keep);
            assert_eq!(UploadPlan::new(stored, wanted, Policy::Replace), replace);
        }
    }

    #[test]
    fn conflicts_name_both_files() {
        let wanted = Contents {
            size: 1280,
            checksum: 0x4f54,
        };
        let stored = Contents {
            checksum: 0xf5f,
            ..wanted
        };
        let text = Conflict::Altered { stored, wanted }.to_string();
        assert!(text.contains("1280 bytes but checksum f5f instead of 4f54"));
    }
}
