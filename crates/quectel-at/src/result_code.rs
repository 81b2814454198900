//! Final result codes, with the +CME and +CMS tables.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::find::after;
use crate::params::place;
use crate::{Line, Params};

/// A final result code: the line that ends a command.
///
/// # Reference
/// ITU-T V.250, 6.3.1; BG96 AT Commands Manual V2.2, 1.4 and 13; TCP/IP note (`SEND OK`, `SEND FAIL`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResultCode {
    /// `OK`, or `0` with ATV0.
    Ok,
    /// `NO CARRIER`, or `3`.
    NoCarrier,
    /// `ERROR`, or `4`.
    Error,
    /// `NO DIALTONE`, or `6`.
    NoDialtone,
    /// `BUSY`, or `7`.
    Busy,
    /// `NO ANSWER`, or `8`.
    NoAnswer,
    /// `SEND OK`, after the payload of a socket.
    SendOk,
    /// `SEND FAIL`: the socket's buffer is full.
    SendFail,
    /// `CONNECT`, or `1`: data follow. The number of `CONNECT <n>` if there is one.
    Connect(Option<u32>),
    /// `+CME ERROR: …`
    Cme(CmeError),
    /// `+CMS ERROR: …`
    Cms(CmsError),
}

/// The result codes in words but for `CONNECT`, each with a NUL behind it, in the order of [`ResultCode`]: so their places
/// become codes without a table.
const WORDS: &[u8] = b"OK\0NO CARRIER\0ERROR\0NO DIALTONE\0BUSY\0NO ANSWER\0SEND OK\0SEND FAIL\0";
/// The same as digits (`ATV0`), as far as they have any.
const DIGITS: &[u8] = b"034678";

impl ResultCode {
    /// Reads a line; `None` if it is no final result code.
    ///
    /// A single digit is one only with ATV0, so it counts only where `numeric` is set. With `AT+CMEE=2` an error is told
    /// in words: it has no number then, and [`ResultCode::in_words`] finds it.
    pub fn parse(line: &[u8], numeric: bool) -> Option<Self> {
        if let [b'+', b'C', b'M', kind @ (b'E' | b'S'), error @ ..] = line {
            let code = Line::new(error).params(b" ERROR")?.u16().ok();
            return Some(match kind {
                b'S' => Self::Cms(CmsError(code)),
                _ => Self::Cme(CmeError(code)),
            });
        }
        if let Some(count) = after(line, b"CONNECT") {
            return match count {
                [] => Some(Self::Connect(None)),
                [b' ', count @ ..] => Some(Self::Connect(Params::new(count).u32().ok())),
                _ => None,
            };
        }
        let place = match line {
            [b'1'] if numeric => return Some(Self::Connect(None)),
            [digit] if numeric => DIGITS.iter().position(|other| other == digit)?,
            words => place(WORDS, words),
        };
        Some(match place {
            0 => Self::Ok,
            1 => Self::NoCarrier,
            2 => Self::Error,
            3 => Self::NoDialtone,
            4 => Self::Busy,
            5 => Self::NoAnswer,
            6 => Self::SendOk,
            7 => Self::SendFail,
            _ => return None,
        })
    }

    /// The same with the number of an error that the line tells in words, if the table has these words.
    pub fn in_words(self, line: &[u8]) -> Self {
        let text = || {
            line.get(b"+CME ERROR:".len()..)
                .unwrap_or_default()
                .trim_ascii()
        };
        match self {
            Self::Cme(CmeError(None)) => Self::Cme(CmeError::find(text())),
            Self::Cms(CmsError(None)) => Self::Cms(CmsError::find(text())),
            other => other,
        }
    }

    /// Whether the command succeeded.
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Ok | Self::SendOk | Self::Connect(_))
    }

    /// The number of a `+CME ERROR`, if this is one.
    pub const fn cme(self) -> Option<u16> {
        match self {
            Self::Cme(error) => error.code(),
            _ => None,
        }
    }
}

impl core::fmt::Display for ResultCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Ok => f.write_str("OK"),
            Self::Connect(None) => f.write_str("CONNECT"),
            Self::Connect(Some(n)) => write!(f, "CONNECT {n}"),
            Self::Error => f.write_str("ERROR"),
            Self::Cme(error) => write!(f, "+CME ERROR: {error}"),
            Self::Cms(error) => write!(f, "+CMS ERROR: {error}"),
            Self::NoCarrier => f.write_str("NO CARRIER"),
            Self::NoDialtone => f.write_str("NO DIALTONE"),
            Self::Busy => f.write_str("BUSY"),
            Self::NoAnswer => f.write_str("NO ANSWER"),
            Self::SendOk => f.write_str("SEND OK"),
            Self::SendFail => f.write_str("SEND FAIL"),
        }
    }
}

/// The number of a table's error, or none where the module printed unknown words (the line keeps them).
macro_rules! coded_error {
    ($(#[$doc:meta])* $name:ident, $table:ident: $($code:literal $text:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(Option<u16>);

        const $table: &[(u16, &str)] = &[$(($code, $text)),+];

        impl $name {
            /// The error with this number, known or not.
            pub const fn new(code: u16) -> Self {
                Self(Some(code))
            }

            /// Its number; `None` where the module printed words that the table does not have.
            pub const fn code(self) -> Option<u16> {
                self.0
            }

            /// The table's words; `None` for an unknown number.
            pub fn text(self) -> Option<&'static str> {
                let code = self.0?;
                $table.iter().find(|row| row.0 == code).map(|row| row.1)
            }

            /// Every number of the table with its words.
            pub const fn table() -> &'static [(u16, &'static str)] {
                $table
            }

            fn find(text: &[u8]) -> Self {
                Self($table.iter().find(|row| row.1.as_bytes().eq_ignore_ascii_case(text)).map(|row| row.0))
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match (self.0, self.text()) {
                    (Some(code), Some(text)) => write!(f, "{code} ({text})"),
                    (Some(code), None) => write!(f, "{code}"),
                    (None, _) => f.write_str("in words"),
                }
            }
        }
    };
}

coded_error! {
    /// An error of the mobile equipment, as `+CME ERROR` prints it with `AT+CMEE` 1 or 2; 400 and above concern files.
    ///
    /// # Reference
    /// 3GPP TS 27.007, 9.2; BG96 AT Commands Manual V2.2, 13.4; BG96 FILE AT Commands Manual V1.0, 3.
    CmeError, CME:
    0 "phone failure", 1 "no connection to phone", 2 "phone-adaptor link reserved", 3 "operation not allowed",
    4 "operation not supported", 5 "PH-SIM PIN required", 6 "PH-FSIM PIN required", 7 "PH-FSIM PUK required",
    10 "SIM not inserted", 11 "SIM PIN required", 12 "SIM PUK required", 13 "SIM failure", 14 "SIM busy",
    15 "SIM wrong", 16 "incorrect password", 17 "SIM PIN2 required", 18 "SIM PUK2 required", 20 "memory full",
    21 "invalid index", 22 "not found", 23 "memory failure", 24 "text string too long",
    25 "invalid characters in text string", 26 "dial string too long", 27 "invalid characters in dial string",
    30 "no network service", 31 "network timeout", 32 "network not allowed - emergency calls only",
    40 "network personalization PIN required", 41 "network personalization PUK required",
    42 "network subset personalization PIN required", 43 "network subset personalization PUK required",
    44 "service provider personalization PIN required", 45 "service provider personalization PUK required",
    46 "corporate personalization PIN required", 47 "corporate personalization PUK required",
    50 "incorrect parameters", 58 "command not known or garbled",
    400 "invalid input value", 401 "larger than the size of the file", 402 "read zero byte", 403 "drive full",
    405 "file not found", 406 "invalid file name", 407 "file already exists", 409 "fail to write the file",
    410 "fail to open the file", 411 "fail to read the file", 413 "reach the max number of files allowed to be opened",
    414 "the file is read-only", 416 "invalid file descriptor", 417 "fail to list the file", 418 "fail to delete the file",
    419 "fail to get disk info", 420 "no space", 421 "time out", 423 "file too large", 425 "invalid parameter",
    426 "file already opened",
    901 "audio unknown error", 902 "audio invalid parameters", 903 "audio operation not supported", 904 "audio device busy",
}

coded_error! {
    /// An error of the message service, as `+CMS ERROR` prints it.
    ///
    /// # Reference
    /// 3GPP TS 27.005, 3.2.5; BG96 AT Commands Manual V2.2, 13.5.
    CmsError, CMS:
    300 "ME failure", 301 "SMS ME reserved", 302 "operation not allowed", 303 "operation not supported",
    304 "invalid PDU mode", 305 "invalid text mode", 310 "SIM not inserted", 311 "SIM pin necessary",
    312 "PH SIM pin necessary", 313 "SIM failure", 314 "SIM busy", 315 "SIM wrong", 316 "SIM PUK required",
    317 "SIM PIN2 required", 318 "SIM PUK2 required", 320 "memory failure", 321 "invalid memory index",
    322 "memory full", 330 "SMSC address unknown", 331 "no network", 332 "network timeout", 500 "unknown",
    512 "SIM not ready", 513 "message length exceeds", 514 "invalid request parameters", 515 "ME storage failure",
    517 "invalid service mode", 528 "more message to send state error", 529 "MO SMS is not allowed",
    530 "GPRS is suspended", 531 "ME storage full",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_final_result_code() {
        let cases: &[(&[u8], bool, Option<ResultCode>)] = &[
            (b"OK", false, Some(ResultCode::Ok)),
            (b"0", true, Some(ResultCode::Ok)),
            (b"0", false, None),
            (b"4", true, Some(ResultCode::Error)),
            (b"2", true, None),
            (b"ERROR", false, Some(ResultCode::Error)),
            (b"CONNECT", false, Some(ResultCode::Connect(None))),
            (b"CONNECT 12", false, Some(ResultCode::Connect(Some(12)))),
            (
                b"+CME ERROR: 407",
                false,
                Some(ResultCode::Cme(CmeError::new(407))),
            ),
            (
                b"+CME ERROR: SIM not inserted",
                false,
                Some(ResultCode::Cme(CmeError::new(10))),
            ),
            (
                b"+CME ERROR: 9999",
                false,
                Some(ResultCode::Cme(CmeError::new(9999))),
            ),
            (
                b"+CME ERROR: what is this",
                false,
                Some(ResultCode::Cme(CmeError(None))),
            ),
            (
                b"+CMS ERROR: 512",
                false,
                Some(ResultCode::Cms(CmsError::new(512))),
            ),
            (b"SEND OK", false, Some(ResultCode::SendOk)),
            (b"SEND FAIL", false, Some(ResultCode::SendFail)),
            (b"OK ", false, None),
            (b"+CMEE: 1", false, None),
            (b"+CME", false, None),
            (b"", true, None),
        ];
        for (line, numeric, expected) in cases {
            assert_eq!(
                ResultCode::parse(line, *numeric).map(|result| result.in_words(line)),
                *expected,
                "{}",
                line.escape_ascii()
            );
        }
    }

    #[test]
    fn tables_are_sorted_and_unique() {
        for table in [CmeError::table(), CmsError::table()] {
            assert!(table.windows(2).all(|w| w[0].0 < w[1].0));
        }
        assert_eq!(CmeError::new(407).text(), Some("file already exists"));
        assert_eq!(CmeError::new(999).text(), None);
    }
}
