//! File names and the storages in front of them.

/// The longest file name in bytes, without its storage.
pub const MAX_NAME: usize = 80;

/// Where a file lies in the module.
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0 (UFS); EC2x FILE note (UFS, RAM, SD).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Storage {
    /// Flash; also meant by a name without a storage.
    #[default]
    Ufs,
    /// Memory; its files vanish when the module resets.
    Ram,
    /// A memory card.
    Sd,
}

impl Storage {
    /// What stands before a file's name, such as `RAM:`.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Ufs => "UFS:",
            Self::Ram => "RAM:",
            Self::Sd => "SD:",
        }
    }

    /// Its name alone, as `AT+QFLDS` wants it, such as `RAM`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ufs => "UFS",
            Self::Ram => "RAM",
            Self::Sd => "SD",
        }
    }

    /// The storage and the rest of a name. Nothing in front of it means [`Storage::Ufs`].
    ///
    /// ```
    /// use quectel_file::Storage;
    /// assert_eq!(Storage::split(b"RAM:cacert.pem"), (Storage::Ram, &b"cacert.pem"[..]));
    /// assert_eq!(Storage::split(b"cacert.pem"), (Storage::Ufs, &b"cacert.pem"[..]));
    /// ```
    pub fn split(name: &[u8]) -> (Self, &[u8]) {
        for storage in [Self::Ufs, Self::Ram, Self::Sd] {
            if let Some((head, base)) = name.split_at_checked(storage.prefix().len())
                && head.eq_ignore_ascii_case(storage.prefix().as_bytes())
            {
                return (storage, base);
            }
        }
        (Self::Ufs, name)
    }
}

/// Why a text is no file name. Nothing has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is nothing after the storage.
    #[error("the file name is empty; name a file such as cacert.pem")]
    Empty,
    /// The name is longer than [`MAX_NAME`].
    #[error("the file name has {length} bytes and the module takes 80; shorten it")]
    TooLong {
        /// Its length in bytes, without the storage.
        length: usize,
    },
    /// A character that would end the parameter, or that means several files.
    #[error("byte {byte:#04x} at position {position} cannot stand in a file name; remove it")]
    ForbiddenByte {
        /// A quote, a control character, `*`, or a colon behind an unknown storage.
        byte: u8,
        /// Its position, counted from 0.
        position: usize,
    },
}

/// The name of one file, with its storage if it is not UFS, such as `RAM:cacert.pem`.
///
/// ```
/// use quectel_file::{FileName, Storage};
/// let name = FileName::new("RAM:cacert.pem")?;
/// assert_eq!((name.storage(), name.base()), (Storage::Ram, "cacert.pem"));
/// assert!(FileName::new("*").is_err());
/// # Ok::<(), quectel_file::NameError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileName<'a> {
    text: &'a str,
    storage: Storage,
    base: &'a str,
}

impl<'a> FileName<'a> {
    /// Checks a name. `*` is refused, since `AT+QFDEL="*"` deletes the files of other programs too.
    ///
    /// # Errors
    /// [`NameError`]: empty, longer than [`MAX_NAME`], or with a character that cannot be sent.
    pub fn new(text: &'a str) -> Result<Self, NameError> {
        let (storage, base) = Storage::split(text.as_bytes());
        let start = text.len() - base.len();
        let base = text.get(start..).unwrap_or(text);
        if base.is_empty() {
            return Err(NameError::Empty);
        }
        if base.len() > MAX_NAME {
            return Err(NameError::TooLong { length: base.len() });
        }
        let forbidden = |b: u8| b.is_ascii_control() || matches!(b, b'"' | b'*' | b':');
        match base.bytes().enumerate().find(|&(_, b)| forbidden(b)) {
            Some((at, byte)) => Err(NameError::ForbiddenByte {
                byte,
                position: start + at,
            }),
            None => Ok(Self {
                text,
                storage,
                base,
            }),
        }
    }

    /// The name as it was given, which is how it is sent.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// Where the file lies.
    pub const fn storage(&self) -> Storage {
        self.storage
    }

    /// The name without its storage.
    pub const fn base(&self) -> &'a str {
        self.base
    }
}

impl core::fmt::Display for FileName<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text)
    }
}

/// Whether a name of `+QFLST` is the wanted file: EC2x and EC200 list `UFS:cacert.pem`, BG9x `cacert.pem`.
///
/// Names are compared with their case, storages without.
///
/// # Reference
/// forums.quectel.com 8115 (BG96MAR02A08M1G); EC25EFAR06A17M4G log.
pub fn same_name(listed: &[u8], wanted: FileName<'_>) -> bool {
    Storage::split(listed) == (wanted.storage, wanted.base.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        type Expected<'a> = Result<(Storage, &'a str), NameError>;
        let long = "x".repeat(81);
        let cases: &[(&str, Expected<'_>)] = &[
            ("cacert.pem", Ok((Storage::Ufs, "cacert.pem"))),
            ("UFS:cacert.pem", Ok((Storage::Ufs, "cacert.pem"))),
            ("ram:a", Ok((Storage::Ram, "a"))),
            ("SD:a", Ok((Storage::Sd, "a"))),
            (
                "/security/cacert.pem",
                Ok((Storage::Ufs, "/security/cacert.pem")),
            ),
            ("", Err(NameError::Empty)),
            ("UFS:", Err(NameError::Empty)),
            (&long, Err(NameError::TooLong { length: 81 })),
            (&long[..80], Ok((Storage::Ufs, &long[..80]))),
            (
                "a\"b",
                Err(NameError::ForbiddenByte {
                    byte: b'"',
                    position: 1,
                }),
            ),
            (
                "UFS:*",
                Err(NameError::ForbiddenByte {
                    byte: b'*',
                    position: 4,
                }),
            ),
            (
                "NVRAM:a",
                Err(NameError::ForbiddenByte {
                    byte: b':',
                    position: 5,
                }),
            ),
            (
                "a\r",
                Err(NameError::ForbiddenByte {
                    byte: b'\r',
                    position: 1,
                }),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(
                FileName::new(text).map(|n| (n.storage(), n.base())),
                *expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn listed_names_are_compared_without_the_family_prefix() {
        let cases: &[(&[u8], &str, bool)] = &[
            (b"cacert.pem", "UFS:cacert.pem", true),
            (b"UFS:client.crt", "client.crt", true),
            (b"RAM:cacert.pem", "RAM:cacert.pem", true),
            (b"RAM:cacert.pem", "cacert.pem", false),
            (b"cacert.pem", "RAM:cacert.pem", false),
            (b"Cacert.pem", "cacert.pem", false),
            (b"security/", "security", false),
            (b"", "a", false),
            (b"\xFF\xFE", "a", false),
        ];
        for (listed, wanted, expected) in cases {
            let wanted = FileName::new(wanted).unwrap();
            assert_eq!(
                same_name(listed, wanted),
                *expected,
                "{}",
                listed.escape_ascii()
            );
        }
    }
}
