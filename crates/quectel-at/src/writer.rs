//! Writes one AT command line into a caller's buffer.

use core::ops::Range;

/// Why a command line could not be written. Nothing has been sent when this is returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The buffer is too small for the line.
    #[error(
        "the command line does not fit into its buffer of {capacity} bytes; give the client a larger one"
    )]
    Overflow {
        /// Size of the buffer in bytes.
        capacity: usize,
    },
    /// A string parameter holds a byte that would end or edit the command line.
    #[error(
        "byte {byte:#04x} at position {position} of a string parameter cannot be sent in an AT command; remove it"
    )]
    ForbiddenByte {
        /// The byte: a double quote, or a control character such as CR, LF, Ctrl-Z, ESC or backspace.
        byte: u8,
        /// Its position in the parameter, counted from 0.
        position: usize,
    },
}

/// An encoded command line: its length, and which part of it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Bytes written, without the terminating CR.
    pub len: usize,
    /// The span from the first to the last secret parameter.
    pub secret: Option<Range<usize>>,
}

/// Builds a command line, refusing what could inject another command.
///
/// Errors are remembered; [`Writer::finish`] returns the first one.
///
/// ```
/// use quectel_at::Writer;
/// let mut buf = [0; 64];
/// let mut w = Writer::new(&mut buf);
/// w.set("+QMTOPEN").num(0).quoted(b"hub.azure-devices.net").num(8883);
/// let line = w.finish()?;
/// assert_eq!(&buf[..line.len], b"+QMTOPEN=0,\"hub.azure-devices.net\",8883");
/// # Ok::<(), quectel_at::WriteError>(())
/// ```
///
/// # Reference
/// ITU-T V.250, 5.2.1 (command line editing); BG96 AT Commands Manual V2.2, 1.3.
#[derive(Debug)]
pub struct Writer<'a> {
    buf: &'a mut [u8],
    len: usize,
    error: Option<WriteError>,
    secret: Option<Range<usize>>,
    separate: bool,
}

impl<'a> Writer<'a> {
    /// Starts at the beginning of `buf`.
    pub fn new(buf: &'a mut [u8]) -> Self {
        Self {
            buf,
            len: 0,
            error: None,
            secret: None,
            separate: false,
        }
    }

    /// Ends the line and returns its length.
    ///
    /// # Errors
    /// The first [`WriteError`] met while writing.
    pub fn finish(self) -> Result<Encoded, WriteError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(Encoded {
                len: self.len,
                secret: self.secret,
            }),
        }
    }

    /// Writes the library's own text as it stands; never for text of a user.
    pub fn raw(&mut self, text: &'static str) -> &mut Self {
        self.bytes(text.as_bytes());
        self.separate = false;
        self
    }

    /// Writes `name=`; parameters follow.
    pub fn set(&mut self, name: &'static str) -> &mut Self {
        self.raw(name).raw("=")
    }

    /// Writes `name?`.
    pub fn read(&mut self, name: &'static str) -> &mut Self {
        self.raw(name).raw("?")
    }

    /// Writes `name=?`.
    pub fn test(&mut self, name: &'static str) -> &mut Self {
        self.raw(name).raw("=?")
    }

    /// Writes a decimal number as the next parameter.
    pub fn num(&mut self, value: u32) -> &mut Self {
        self.comma();
        let mut digits = [0_u8; 10];
        let mut at = digits.len();
        let mut rest = value;
        loop {
            at -= 1;
            // The remainder of a division by 10 fits a digit.
            digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.bytes(&digits[at..]);
        self
    }

    /// Writes a number as unquoted hex with the prefix `0X`, four digits, as `AT+QSSLCFG="ciphersuite"` wants it.
    pub fn hex(&mut self, value: u16) -> &mut Self {
        self.comma();
        self.bytes(b"0X");
        for shift in [12, 8, 4, 0] {
            let nibble = usize::from((value >> shift) & 0xF);
            self.bytes(&b"0123456789ABCDEF"[nibble..=nibble]);
        }
        self
    }

    /// Writes one of the library's own words in double quotes as the next parameter.
    pub fn word(&mut self, word: &'static str) -> &mut Self {
        self.quoted(word.as_bytes())
    }

    /// Writes a string in double quotes as the next parameter.
    ///
    /// A quote or a control character makes [`Writer::finish`] fail with [`WriteError::ForbiddenByte`].
    pub fn quoted(&mut self, text: &[u8]) -> &mut Self {
        self.comma();
        if let Some(position) = text
            .iter()
            .position(|&b| b == b'"' || b < 0x20 || b == 0x7F)
        {
            let byte = text[position];
            self.error
                .get_or_insert(WriteError::ForbiddenByte { byte, position });
            return self;
        }
        self.bytes(b"\"");
        self.bytes(text);
        self.bytes(b"\"");
        self
    }

    /// Like [`Writer::quoted`], and marks the text so that traces mask it.
    pub fn secret(&mut self, text: &[u8]) -> &mut Self {
        self.comma();
        self.separate = false;
        let start = self.len + 1;
        self.quoted(text);
        let end = self.len.saturating_sub(1).max(start);
        self.secret = match self.secret.take() {
            Some(earlier) => Some(earlier.start..end),
            None => Some(start..end),
        };
        self
    }

    /// Leaves a parameter empty.
    pub fn skip(&mut self) -> &mut Self {
        self.comma();
        self
    }

    fn comma(&mut self) {
        if self.separate {
            self.bytes(b",");
        }
        self.separate = true;
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let capacity = self.buf.len();
        match self.buf.get_mut(self.len..self.len + bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => {
                self.error.get_or_insert(WriteError::Overflow { capacity });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(f: impl FnOnce(&mut Writer<'_>)) -> Result<std::vec::Vec<u8>, WriteError> {
        let mut buf = [0; 48];
        let mut w = Writer::new(&mut buf);
        f(&mut w);
        let len = w.finish()?.len;
        Ok(buf[..len].to_vec())
    }

    #[test]
    fn writes_every_kind_of_parameter() {
        assert_eq!(
            line(|w| {
                w.set("+X")
                    .num(0)
                    .quoted(b"a")
                    .hex(0xC02F)
                    .skip()
                    .num(65_535);
            })
            .unwrap(),
            b"+X=0,\"a\",0XC02F,,65535"
        );
        assert_eq!(
            line(|w| {
                w.read("+CSQ");
            })
            .unwrap(),
            b"+CSQ?"
        );
        assert_eq!(
            line(|w| {
                w.test("+QSSLCFG");
            })
            .unwrap(),
            b"+QSSLCFG=?"
        );
        assert_eq!(
            line(|w| {
                w.num(u32::MAX);
            })
            .unwrap(),
            b"4294967295"
        );
    }

    #[test]
    fn refuses_what_would_end_or_edit_the_line() {
        for byte in [b'"', b'\r', b'\n', 0x1A, 0x1B, 0x08, 0x00, 0x7F] {
            let text = [b'a', byte];
            assert_eq!(
                line(|w| {
                    w.set("+X").quoted(&text);
                }),
                Err(WriteError::ForbiddenByte { byte, position: 1 })
            );
        }
    }

    #[test]
    fn overflow_is_an_error_and_names_the_capacity() {
        assert_eq!(
            line(|w| {
                w.quoted(&[b'x'; 47]);
            }),
            Err(WriteError::Overflow { capacity: 48 })
        );
        assert!(
            line(|w| {
                w.quoted(&[b'x'; 46]);
            })
            .is_ok()
        );
    }

    #[test]
    fn secrets_are_spanned() {
        let mut buf = [0; 48];
        let mut w = Writer::new(&mut buf);
        w.set("+CPIN").secret(b"1234").secret(b"5678");
        let e = w.finish().unwrap();
        assert_eq!(&buf[e.secret.clone().unwrap()], b"1234\",\"5678");
        assert_eq!(&buf[..e.len], b"+CPIN=\"1234\",\"5678\"");
    }
}
