//! The module's 16-bit XOR checksum, and what a file amounts to: its size and checksum.

/// The checksum of `+QFUPL` and `+QFDWL`: XOR over big-endian pairs of bytes; an odd last byte is the high one.
///
/// ```
/// use quectel_file::Checksum;
/// let mut sum = Checksum::new();
/// sum.update(b"12345");
/// sum.update(b"67890");
/// assert_eq!(sum.value(), 0x3938);
/// ```
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0, AT+QFUPL (example `1234567890`); forums.quectel.com 23599.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checksum {
    sum: u16,
    odd: bool,
}

impl Checksum {
    /// Of nothing: 0.
    pub const fn new() -> Self {
        Self { sum: 0, odd: false }
    }

    /// Adds the next bytes of the file, in pieces of any size.
    pub fn update(&mut self, mut bytes: &[u8]) {
        if self.odd
            && let [low, rest @ ..] = bytes
        {
            self.sum ^= u16::from(*low);
            self.odd = false;
            bytes = rest;
        }
        let mut pairs = bytes.chunks_exact(2);
        for pair in &mut pairs {
            if let [high, low] = pair {
                self.sum ^= u16::from_be_bytes([*high, *low]);
            }
        }
        if let [high] = pairs.remainder() {
            self.sum ^= u16::from_be_bytes([*high, 0]);
            self.odd = true;
        }
    }

    /// The checksum so far.
    pub const fn value(self) -> u16 {
        self.sum
    }
}

/// What the module tells about a file's contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the module tells no more")]
pub struct Contents {
    /// Bytes.
    pub size: u32,
    /// The module's XOR checksum, see [`Checksum`].
    pub checksum: u16,
}

impl Contents {
    /// Of these bytes. A file above 4 GiB counts as 4,294,967,295 bytes, which no module stores.
    pub fn of(bytes: &[u8]) -> Self {
        let mut checksum = Checksum::new();
        checksum.update(bytes);
        Self {
            size: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            checksum: checksum.value(),
        }
    }

    /// Compares what was sent with what the module says it received.
    ///
    /// # Errors
    /// [`UploadError`] with both sizes and checksums.
    pub fn verify_upload(self, received: Self) -> Result<(), UploadError> {
        if self == received {
            Ok(())
        } else if self.size == received.size {
            Err(UploadError::Altered {
                sent: self,
                received,
            })
        } else {
            Err(UploadError::Size {
                sent: self,
                received,
            })
        }
    }
}

/// As the module prints it: `1280,4f54`.
impl core::fmt::Display for Contents {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{},{:x}", self.size, self.checksum)
    }
}

/// The module stored something else than what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UploadError {
    /// Bytes were lost on the line, or stopped coming for longer than the command's timeout; the module keeps the file.
    #[error(
        "sent {} bytes (checksum {:x}) but the module received {} (checksum {:x}); delete the file and upload it \
         again with acknowledgements or hardware flow control", sent.size, sent.checksum, received.size, received.checksum
    )]
    Size {
        /// What was sent.
        sent: Contents,
        /// What `+QFUPL` says.
        received: Contents,
    },
    /// The number of bytes is right but not the bytes.
    #[error(
        "sent {} bytes with checksum {:x} but the module computed {:x}; delete the file and upload it again, and check \
         the serial line's parity and flow control", sent.size, sent.checksum, received.checksum
    )]
    Altered {
        /// What was sent.
        sent: Contents,
        /// What `+QFUPL` says.
        received: Contents,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;
    use std::vec::Vec;

    const BALTIMORE: &[u8] = include_bytes!("../tests/fixtures/Baltimore_CyberTrust_Root.pem");
    const G2: &[u8] = include_bytes!("../tests/fixtures/DigiCert_Global_Root_G2.pem");

    fn crlf(pem: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for &b in pem {
            if b == b'\n' {
                out.push(b'\r');
            }
            out.push(b);
        }
        out
    }

    #[test]
    fn known_files() {
        let baltimore_crlf = crlf(BALTIMORE);
        let cases: &[(&[u8], &str)] = &[
            (b"", "0,0"),
            (b"ABC", "3,242"),
            (b"1234567890", "10,3938"),
            (BALTIMORE, "1261,7e6f"),
            (&baltimore_crlf, "1282,425e"),
            // The file of the EC21 user: CRLF, no final newline.
            (&baltimore_crlf[..1280], "1280,4f54"),
            (G2, "1294,3d7c"),
            (&crlf(G2), "1316,5110"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Contents::of(bytes).to_string(), *expected);
            for step in 1..8 {
                let mut sum = Checksum::new();
                bytes.chunks(step).for_each(|piece| sum.update(piece));
                assert_eq!(
                    sum.value(),
                    Contents::of(bytes).checksum,
                    "in steps of {step}"
                );
            }
        }
    }

    #[test]
    fn a_final_nul_is_seen_by_the_size_alone() {
        let mut with_nul = BALTIMORE.to_vec();
        with_nul.push(0);
        let (sent, received) = (Contents::of(BALTIMORE), Contents::of(&with_nul));
        assert_eq!(sent.checksum, received.checksum);
        assert_eq!(
            sent.verify_upload(received),
            Err(UploadError::Size { sent, received })
        );
    }

    #[test]
    fn the_error_names_what_was_sent_and_what_came() {
        let sent = Contents {
            size: 1280,
            checksum: 0x4f54,
        };
        let short = Contents {
            size: 1024,
            checksum: 0xf5f,
        };
        let text = sent.verify_upload(short).unwrap_err().to_string();
        assert!(
            text.starts_with(
                "sent 1280 bytes (checksum 4f54) but the module received 1024 (checksum f5f)"
            ),
            "{text}"
        );
        let other = Contents {
            checksum: 1,
            ..sent
        };
        let text = sent.verify_upload(other).unwrap_err().to_string();
        assert!(
            text.starts_with("sent 1280 bytes with checksum 4f54 but the module computed 1;"),
            "{text}"
        );
        assert_eq!(sent.verify_upload(sent), Ok(()));
    }
}
