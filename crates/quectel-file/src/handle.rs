//! Files by handle: `+QFOPEN`, `+QFREAD`, `+QFWRITE`, `+QFSEEK`, `+QFPOSITION`, `+QFTUCAT`, `+QFFLUSH`, `+QFCLOSE`.

use quectel_at::{Answer, Command, DataPhase, Exchange, Line, ParamError, Params, Repeat, Writer};

use crate::{FileName, SHORT_MS, transfer_ms};

/// What the read form lists: `"<name>",<handle>,<mode>`.
const LISTED: &[Answer] = &[Answer {
    name: b"+QFOPEN",
    shape: |mut params: Params<'_>| params.param().is_ok_and(|first| first.quoted),
    repeat: Repeat::Many,
}];
const OPENED: &[Answer] = &[Answer::shaped(b"+QFOPEN", |mut params| {
    params.u32().is_ok()
})];
const QFWRITE: &[Answer] = &[Answer::once(b"+QFWRITE")];
const QFPOSITION: &[Answer] = &[Answer::once(b"+QFPOSITION")];

/// An open file's number, valid until `AT+QFCLOSE` or a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it is the module's number")]
pub struct Handle(pub u32);

/// How `AT+QFOPEN` treats a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenMode {
    /// 0: opens it, or creates it if it does not exist.
    OpenOrCreate,
    /// 1: creates it, or empties it if it exists.
    CreateOrTruncate,
    /// 2: opens it for reading; it must exist.
    ReadOnly,
}

impl OpenMode {
    const fn number(self) -> u32 {
        match self {
            Self::OpenOrCreate => 0,
            Self::CreateOrTruncate => 1,
            Self::ReadOnly => 2,
        }
    }

    fn parse(number: u32) -> Result<Self, ParamError> {
        match number {
            0 => Ok(Self::OpenOrCreate),
            1 => Ok(Self::CreateOrTruncate),
            2 => Ok(Self::ReadOnly),
            _ => Err(ParamError::NotANumber),
        }
    }
}

/// `AT+QFOPEN="<name>",<mode>`: opens a file; answered by [`Opened`].
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0, AT+QFOPEN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QfOpen<'a> {
    /// Which file.
    pub name: FileName<'a>,
    /// How.
    pub mode: OpenMode,
}

impl Command for QfOpen<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QFOPEN")
            .quoted(self.name.as_str().as_bytes())
            .num(self.mode.number());
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(OPENED, SHORT_MS)
    }
}

/// The answer to [`QfOpen`]: `+QFOPEN: <handle>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// The file's number.
    pub handle: Handle,
}

impl Opened {
    /// Reads the answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QFOPEN").ok_or(ParamError::WrongName)?;
        Ok(Self {
            handle: Handle(params.u32()?),
        })
    }
}

/// `AT+QFOPEN?`: lists the open files; answered by any number of [`OpenFile`] lines.
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0, AT+QFOPEN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QfOpenRead;

impl Command for QfOpenRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.read("+QFOPEN");
    }

    fn exchange(&self) -> Exchange {
        Exchange::maybe(LISTED, SHORT_MS)
    }
}

/// One open file: `+QFOPEN: "<name>",<handle>,<mode>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenFile<'a> {
    /// Its name, with or without its storage, depending on the family.
    pub name: &'a [u8],
    /// Its number.
    pub handle: Handle,
    /// How it was opened.
    pub mode: OpenMode,
}

impl<'a> OpenFile<'a> {
    /// Reads an answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QFOPEN").ok_or(ParamError::WrongName)?;
        Ok(Self {
            name: params.bytes()?,
            handle: Handle(params.u32()?),
            mode: OpenMode::parse(params.u32()?)?,
        })
    }
}

/// `AT+QFREAD=<handle>[,<length>]`: reads from the pointer on; the module says `CONNECT <n>` and sends n bytes, fewer
/// than asked for at the file's end. Nothing left to read is `+CME ERROR: 402`.
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0, AT+QFREAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QfRead {
    /// Which file.
    pub handle: Handle,
    /// At most so many bytes; `None` for all that are left.
    pub length: Option<u32>,
}

impl Command for QfRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QFREAD").num(self.handle.0);
        if let Some(length) = self.length {
            line.num(length);
        }
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(10_000).with_data(DataPhase::Download { size: None })
    }
}

/// `AT+QFWRITE=<handle>,<length>,<timeout>`: writes at the pointer; the module says `CONNECT`, takes exactly `length`
/// bytes and answers [`Written`].
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0, AT+QFWRITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QfWrite {
    /// Which file.
    pub handle: Handle,
    /// Bytes that follow; the module takes 10,240 at once.
    pub length: u32,
    /// Seconds without a byte after which the module gives up.
    pub timeout_s: u16,
}

impl Command for QfWrite {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QFWRITE")
            .num(self.handle.0)
            .num(self.length)
            .num(u32::from(self.timeout_s));
    }

    fn exchange(&self) -> Exchange {
        let timeout_ms = u32::from(self.timeout_s)
            .saturating_mul(1_000)
            .saturating_add(transfer_ms(self.length))
            .saturating_add(5_000);
        Exchange::answered(QFWRITE, timeout_ms).with_data(DataPhase::Upload { ack: false })
    }
}

/// The answer to [`QfWrite`]: `+QFWRITE: <written>,<total>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Bytes written now.
    pub written: u32,
    /// The file's size.
    pub total: u32,
}

impl Written {
    /// Reads the answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QFWRITE").ok_or(ParamError::WrongName)?;
        Ok(Self {
            written: params.u32()?,
            total: params.u32()?,
        })
    }
}

/// What an offset counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// 0: the file's beginning.
    Begin,
    /// 1: the pointer.
    Current,
    /// 2: the file's end.
    End,
}

/// `AT+QFSEEK=<handle>,<offset>,<origin>`: moves the pointer; beyond the file's size is an error.
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0, AT+QFSEEK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QfSeek {
    /// Which file.
    pub handle: Handle,
    /// Bytes.
    pub offset: u32,
    /// From where.
    pub origin: Origin,
}

impl Command for QfSeek {
    fn encode(&self, line: &mut Writer<'_>) {
        let origin = match self.origin {
            Origin::Begin => 0,
            Origin::Current => 1,
            Origin::End => 2,
        };
        line.set("+QFSEEK")
            .num(self.handle.0)
            .num(self.offset)
            .num(origin);
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

/// `AT+QFPOSITION=<handle>`: asks for the pointer; answered by [`Position`].
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0, AT+QFPOSITION.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QfPosition {
    /// Which file.
    pub handle: Handle,
}

impl Command for QfPosition {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QFPOSITION").num(self.handle.0);
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(QFPOSITION, SHORT_MS)
    }
}

/// The answer to [`QfPosition`]: `+QFPOSITION: <offset>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// Bytes from the file's beginning.
    pub offset: u32,
}

impl Position {
    /// Reads the answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QFPOSITION").ok_or(ParamError::WrongName)?;
        Ok(Self {
            offset: params.u32()?,
        })
    }
}

macro_rules! by_handle {
    ($(#[$doc:meta])* $name:ident, $text:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
        pub struct $name {
            /// Which file.
            pub handle: Handle,
        }

        impl Command for $name {
            fn encode(&self, line: &mut Writer<'_>) {
                line.set($text).num(self.handle.0);
            }

            fn exchange(&self) -> Exchange {
                Exchange::plain(SHORT_MS)
            }
        }
    };
}

by_handle! {
    /// `AT+QFTUCAT=<handle>`: cuts the file at the pointer.
    ///
    /// # Reference
    /// BG96 FILE AT Commands Manual V1.0, AT+QFTUCAT.
    QfTucat, "+QFTUCAT"
}

by_handle! {
    /// `AT+QFFLUSH=<handle>`: writes what is still in memory; EC2x and later, unknown to BG96.
    ///
    /// # Reference
    /// EC2x FILE note; not in the BG96 manual.
    QfFlush, "+QFFLUSH"
}

by_handle! {
    /// `AT+QFCLOSE=<handle>`: closes the file; an unknown handle is `+CME ERROR: 416`.
    ///
    /// # Reference
    /// BG96 FILE AT Commands Manual V1.0, AT+QFCLOSE.
    QfClose, "+QFCLOSE"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{is_answer, written};

    #[test]
    fn commands() {
        let handle = Handle(1027);
        let cases: &[(&dyn Command, &str)] = &[
            (
                &QfOpen {
                    name: FileName::new("RAM:a").unwrap(),
                    mode: OpenMode::ReadOnly,
                },
                "+QFOPEN=\"RAM:a\",2",
            ),
            (&QfOpenRead, "+QFOPEN?"),
            (
                &QfRead {
                    handle,
                    length: None,
                },
                "+QFREAD=1027",
            ),
            (
                &QfRead {
                    handle,
                    length: Some(10),
                },
                "+QFREAD=1027,10",
            ),
            (
                &QfWrite {
                    handle,
                    length: 10,
                    timeout_s: 5,
                },
                "+QFWRITE=1027,10,5",
            ),
            (
                &QfSeek {
                    handle,
                    offset: 5,
                    origin: Origin::Current,
                },
                "+QFSEEK=1027,5,1",
            ),
            (&QfPosition { handle }, "+QFPOSITION=1027"),
            (&QfTucat { handle }, "+QFTUCAT=1027"),
            (&QfFlush { handle }, "+QFFLUSH=1027"),
            (&QfClose { handle }, "+QFCLOSE=1027"),
        ];
        for (command, expected) in cases {
            assert_eq!(written(*command), *expected);
        }
    }

    #[test]
    fn answers() {
        let line = |bytes| Line::new(bytes);
        assert_eq!(
            Opened::parse(line(b"+QFOPEN: 3000")).map(|o| o.handle),
            Ok(Handle(3000))
        );
        assert_eq!(
            OpenFile::parse(line(b"+QFOPEN: \"UFS:a\",1,2")),
            Ok(OpenFile {
                name: b"UFS:a",
                handle: Handle(1),
                mode: OpenMode::ReadOnly
            })
        );
        assert_eq!(
            OpenFile::parse(line(b"+QFOPEN: \"a\",1,7")),
            Err(ParamError::NotANumber)
        );
        assert_eq!(
            Written::parse(line(b"+QFWRITE: 10,20")),
            Ok(Written {
                written: 10,
                total: 20
            })
        );
        assert_eq!(
            Position::parse(line(b"+QFPOSITION: 34")),
            Ok(Position { offset: 34 })
        );
        assert_eq!(
            Position::parse(line(b"+QFWRITE: 34")),
            Err(ParamError::WrongName)
        );
    }

    #[test]
    fn the_read_form_and_the_open_do_not_take_each_other_s_lines() {
        let open = QfOpen {
            name: FileName::new("a").unwrap(),
            mode: OpenMode::OpenOrCreate,
        };
        assert!(is_answer(&open, b"+QFOPEN: 1"));
        assert!(!is_answer(&open, b"+QFOPEN: \"a\",1,0"));
        assert!(is_answer(&QfOpenRead, b"+QFOPEN: \"a\",1,0"));
        assert!(!is_answer(&QfOpenRead, b"+QFOPEN: 1"));
    }
}
