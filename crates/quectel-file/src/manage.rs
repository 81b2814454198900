//! Space, listing, deletion: `+QFLDS`, `+QFLST`, `+QFDEL`.

use quectel_at::{Answer, Command, Exchange, Line, ParamError, Params, Writer};

use crate::{FileName, SHORT_MS, Storage, same_name};

const QFLDS: &[Answer] = &[Answer::once(b"+QFLDS")];
const QFLST: &[Answer] = &[Answer::many(b"+QFLST")];

/// `AT+QFLDS="UFS"`: asks a storage for its free and total space; answered by [`Space`].
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0, AT+QFLDS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QfLds {
    /// Which storage.
    pub storage: Storage,
}

impl Command for QfLds {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QFLDS").word(self.storage.name());
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(QFLDS, SHORT_MS)
    }
}

/// `AT+QFLDS`: asks how much the files in UFS take; answered by [`Usage`].
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0, AT+QFLDS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QfLdsUsage;

impl Command for QfLdsUsage {
    fn encode(&self, line: &mut Writer<'_>) {
        line.raw("+QFLDS");
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(QFLDS, SHORT_MS)
    }
}

/// The answer to [`QfLds`]: `+QFLDS: <free>,<total>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Space {
    /// Free bytes.
    pub free: u64,
    /// All bytes.
    pub total: u64,
}

impl Space {
    /// Reads the answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QFLDS").ok_or(ParamError::WrongName)?;
        Ok(Self {
            free: number(&mut params)?,
            total: number(&mut params)?,
        })
    }
}

/// The answer to [`QfLdsUsage`]: `+QFLDS: <bytes>,<files>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Bytes of all files.
    pub bytes: u64,
    /// How many files.
    pub files: u32,
}

impl Usage {
    /// Reads the answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QFLDS").ok_or(ParamError::WrongName)?;
        Ok(Self {
            bytes: number(&mut params)?,
            files: params.u32()?,
        })
    }
}

/// A number that may be larger than 32 bits: memory cards are.
fn number(params: &mut Params<'_>) -> Result<u64, ParamError> {
    let digits = params.bytes()?;
    if digits.is_empty() {
        return Err(ParamError::NotANumber);
    }
    digits.iter().try_fold(0_u64, |sum, digit| {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return Err(ParamError::NotANumber);
        }
        sum.checked_mul(10)
            .and_then(|sum| sum.checked_add(u64::from(value)))
            .ok_or(ParamError::NotANumber)
    })
}

/// `AT+QFLST[="<pattern>"]`: lists files; answered by any number of [`FileEntry`] lines.
///
/// A named file that does not exist is answered by `OK` alone or by `+CME ERROR: 405`.
///
/// ```
/// use quectel_at::{Command, Writer};
/// use quectel_file::QfLst;
/// let mut buf = [0; 32];
/// let mut line = Writer::new(&mut buf);
/// QfLst { pattern: Some("UFS:*") }.encode(&mut line);
/// let len = line.finish()?.len;
/// assert_eq!(&buf[..len], b"+QFLST=\"UFS:*\"");
/// # Ok::<(), quectel_at::WriteError>(())
/// ```
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0, AT+QFLST; forums.quectel.com 8115 (BG96); EC25EFAR06A17M4G and EG800K logs (`UFS:`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QfLst<'a> {
    /// Such as `*`, `UFS:*`, `RAM:*` or a name; `None` lists UFS.
    pub pattern: Option<&'a str>,
}

impl<'a> QfLst<'a> {
    /// Asks for one file.
    pub const fn file(name: FileName<'a>) -> Self {
        Self {
            pattern: Some(name.as_str()),
        }
    }
}

impl Command for QfLst<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        match self.pattern {
            Some(pattern) => line.set("+QFLST").quoted(pattern.as_bytes()),
            None => line.raw("+QFLST"),
        };
    }

    fn exchange(&self) -> Exchange {
        // A storage of many files takes its time, and every line is an answer of its own.
        Exchange::maybe(QFLST, 10_000)
    }
}

/// One line of the listing: `+QFLST: "<name>",<size>`. A directory's name ends with `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileEntry<'a> {
    /// The name as listed, with or without its storage, depending on the family.
    pub name: &'a [u8],
    /// Bytes; for a directory the number of its files.
    pub size: u32,
}

impl<'a> FileEntry<'a> {
    /// Reads an answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QFLST").ok_or(ParamError::WrongName)?;
        Ok(Self {
            name: params.bytes()?,
            size: params.u32()?,
        })
    }

    /// Whether this is the wanted file, see [`same_name`].
    pub fn is(&self, wanted: FileName<'_>) -> bool {
        same_name(self.name, wanted)
    }
}

/// `AT+QFDEL="<name>"`: deletes one file. A missing one gives 405 or, on EC2x, 418, see
/// [`FileError::means_absent`](crate::FileError::means_absent).
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0, AT+QFDEL; EC25EFAR06A17M4G log (418).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QfDel<'a> {
    /// Which file.
    pub name: FileName<'a>,
}

impl Command for QfDel<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QFDEL").quoted(self.name.as_str().as_bytes());
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

/// `AT+QFDEL="*"`: deletes **every** file of a storage, also those of other programs; directories stay.
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0, AT+QFDEL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QfDelAll {
    /// Which storage.
    pub storage: Storage,
}

impl Command for QfDelAll {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QFDEL").word(match self.storage {
            Storage::Ufs => "*",
            Storage::Ram => "RAM:*",
            Storage::Sd => "SD:*",
        });
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::written;

    #[test]
    fn commands_as_in_the_transcripts() {
        let name = FileName::new("client.crt").unwrap();
        let cases: &[(&dyn Command, &str)] = &[
            (
                &QfLds {
                    storage: Storage::Ufs,
                },
                "+QFLDS=\"UFS\"",
            ),
            (
                &QfLds {
                    storage: Storage::Ram,
                },
                "+QFLDS=\"RAM\"",
            ),
            (&QfLdsUsage, "+QFLDS"),
            (&QfLst { pattern: None }, "+QFLST"),
            (&QfLst { pattern: Some("*") }, "+QFLST=\"*\""),
            (&QfLst::file(name), "+QFLST=\"client.crt\""),
            (&QfDel { name }, "+QFDEL=\"client.crt\""),
            (
                &QfDelAll {
                    storage: Storage::Ufs,
                },
                "+QFDEL=\"*\"",
            ),
            (
                &QfDelAll {
                    storage: Storage::Ram,
                },
                "+QFDEL=\"RAM:*\"",
            ),
        ];
        for (command, expected) in cases {
            assert_eq!(written(*command), *expected);
        }
    }

    #[test]
    fn listing_lines_of_both_families() {
        type Expected = Result<(&'static [u8], u32), ParamError>;
        let cases: &[(&[u8], Expected)] = &[
            (b"+QFLST: \"cacert.pem\",1280", Ok((b"cacert.pem", 1280))),
            (
                b"+QFLST: \"UFS:client.crt\",851",
                Ok((b"UFS:client.crt", 851)),
            ),
            (
                b"+QFLST: \"UFS:isrgx1.pem\",1939",
                Ok((b"UFS:isrgx1.pem", 1939)),
            ),
            (b"+QFLST: \"security/\",2", Ok((b"security/", 2))),
            (
                b"+QFLST: \"UFS:x.zip\",57897070",
                Ok((b"UFS:x.zip", 57_897_070)),
            ),
            (b"+QFLST: \"a\"", Err(ParamError::Missing)),
            (b"+QFLST: \"a\",x", Err(ParamError::NotANumber)),
            (b"+QFLDS: 1,2", Err(ParamError::WrongName)),
        ];
        for (line, expected) in cases {
            let got = FileEntry::parse(Line::new(line)).map(|e| (e.name, e.size));
            assert_eq!(got, *expected, "{}", line.escape_ascii());
        }
        let entry = FileEntry::parse(Line::new(b"+QFLST: \"UFS:client.crt\",851")).unwrap();
        assert!(entry.is(FileName::new("client.crt").unwrap()));
    }

    #[test]
    fn space_of_flash_and_of_a_large_card() {
        assert_eq!(
            Space::parse(Line::new(b"+QFLDS: 12987840,14483456")),
            Ok(Space {
                free: 12_987_840,
                total: 14_483_456
            })
        );
        assert_eq!(
            Space::parse(Line::new(b"+QFLDS: 31914983424,31914983424")).map(|s| s.free),
            Ok(31_914_983_424)
        );
        assert_eq!(
            Space::parse(Line::new(b"+QFLDS: 99999999999999999999,1")),
            Err(ParamError::NotANumber)
        );
        assert_eq!(
            Usage::parse(Line::new(b"+QFLDS: 4096,3")),
            Ok(Usage {
                bytes: 4096,
                files: 3
            })
        );
    }
}
