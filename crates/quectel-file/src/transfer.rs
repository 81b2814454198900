//! Whole files: `+QFUPL`, `+QFDWL`.

use quectel_at::{Answer, Command, DataPhase, Exchange, Line, ParamError, Writer};

use crate::{Contents, FileName, transfer_ms};

const QFUPL: &[Answer] = &[Answer::once(b"+QFUPL")];
const QFDWL: &[Answer] = &[Answer::once(b"+QFDWL")];

/// `AT+QFUPL="<name>",<size>,<timeout>[,1]`: stores a file; the module says `CONNECT`, takes exactly `size` bytes and
/// answers [`Transferred`]. Its payload goes with [`quectel_at::Link::send_with`].
///
/// A file of that name is never overwritten: `+CME ERROR: 407`. If bytes stop coming, the module keeps what it has and
/// answers `OK` all the same, so compare with [`Contents::verify_upload`].
///
/// ```
/// use quectel_at::{Command, Writer};
/// use quectel_file::{FileName, QfUpl};
/// let upload = QfUpl::new(FileName::new("cacert.pem")?, 1280);
/// let mut buf = [0; 64];
/// let mut line = Writer::new(&mut buf);
/// upload.encode(&mut line);
/// let len = line.finish()?.len;
/// assert_eq!(&buf[..len], b"+QFUPL=\"cacert.pem\",1280,10");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0, AT+QFUPL; forums.quectel.com 3562, 57329 (acknowledgements), 8115 (407).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QfUpl<'a> {
    /// The new file.
    pub name: FileName<'a>,
    /// Bytes that follow.
    pub size: u32,
    /// Seconds without a byte after which the module gives up, 1 to 65,535.
    pub timeout_s: u16,
    /// Whether the module acknowledges each 1,024 bytes, so that none are lost without flow control.
    pub ack: bool,
}

impl<'a> QfUpl<'a> {
    /// Without acknowledgements; a pause of 10 s ends it: longer than a busy host pauses, and short enough for the
    /// module to come back when the host died in the middle.
    pub const fn new(name: FileName<'a>, size: u32) -> Self {
        Self {
            name,
            size,
            timeout_s: 10,
            ack: false,
        }
    }

    /// The same with an acknowledgement after each 1,024 bytes.
    pub const fn acknowledged(self) -> Self {
        Self { ack: true, ..self }
    }
}

impl Command for QfUpl<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QFUPL").quoted(self.name.as_str().as_bytes());
        line.num(self.size).num(u32::from(self.timeout_s));
        if self.ack {
            line.num(1);
        }
    }

    fn exchange(&self) -> Exchange {
        // The module's own timeout must strike first: it ends the data phase, and only then are commands read again.
        let timeout_ms = u32::from(self.timeout_s)
            .saturating_mul(1_000)
            .saturating_add(transfer_ms(self.size))
            .saturating_add(5_000);
        Exchange::answered(QFUPL, timeout_ms).with_data(DataPhase::Upload { ack: self.ack })
    }
}

/// `AT+QFDWL="<name>"`: reads a whole file; after `CONNECT` come its bytes, then [`Transferred`] with the checksum.
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0, AT+QFDWL; forums.quectel.com 3542 (`+QFDWL: 1544,5505`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QfDwl<'a> {
    /// Which file.
    pub name: FileName<'a>,
    /// Its size as listed by [`QfLst`](crate::QfLst): `CONNECT` does not tell where the data end.
    pub size: u32,
}

impl Command for QfDwl<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QFDWL").quoted(self.name.as_str().as_bytes());
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(QFDWL, 10_000).with_data(DataPhase::Download {
            size: Some(self.size),
        })
    }
}

/// Which way a file went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two ways")]
pub enum Direction {
    /// `+QFUPL`: to the module.
    Upload,
    /// `+QFDWL`: from the module.
    Download,
}

/// The answer to [`QfUpl`] and [`QfDwl`]: `+QFUPL: <size>,<checksum>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transferred {
    /// Which command it answers.
    pub direction: Direction,
    /// Size and checksum as the module counted them.
    pub contents: Contents,
}

impl Transferred {
    /// Reads the answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<Self, ParamError> {
        let (direction, params) = match (line.params(b"+QFUPL"), line.params(b"+QFDWL")) {
            (Some(params), _) => (Direction::Upload, params),
            (None, Some(params)) => (Direction::Download, params),
            (None, None) => return Err(ParamError::WrongName),
        };
        let mut params = params;
        let size = params.u32()?;
        let checksum = u16::try_from(params.hex()?).map_err(|_| ParamError::NotANumber)?;
        Ok(Self {
            direction,
            contents: Contents { size, checksum },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::written;
    use quectel_at::{Event, Link, Payload};
    use std::vec::Vec;

    #[test]
    fn commands_as_in_the_transcripts() {
        let name = FileName::new("cacert.pem").unwrap();
        let upload = QfUpl::new(name, 1188);
        let cases: &[(&dyn Command, &str)] = &[
            (
                &QfUpl {
                    timeout_s: 100,
                    ..upload
                },
                "+QFUPL=\"cacert.pem\",1188,100",
            ),
            (&upload.acknowledged(), "+QFUPL=\"cacert.pem\",1188,10,1"),
            (&QfDwl { name, size: 1188 }, "+QFDWL=\"cacert.pem\""),
        ];
        for (command, expected) in cases {
            assert_eq!(written(*command), *expected);
        }
    }

    #[test]
    fn answers_of_the_transcripts() {
        let cases: &[(&[u8], Direction, u32, u16)] = &[
            (b"+QFUPL: 1280,4f54", Direction::Upload, 1280, 0x4f54),
            (b"+QFUPL: 1188,2d13", Direction::Upload, 1188, 0x2d13),
            (b"+QFUPL: 1267,f5f", Direction::Upload, 1267, 0xf5f),
            (b"+QFUPL: 1221,21c", Direction::Upload, 1221, 0x21c),
            (b"+QFUPL: 1680,57", Direction::Upload, 1680, 0x57),
            (b"+QFUPL: 684,f64", Direction::Upload, 684, 0xf64),
            (b"+QFUPL: 300,B34A", Direction::Upload, 300, 0xB34A),
            (b"+QFDWL: 1544,5505", Direction::Download, 1544, 0x5505),
        ];
        for (line, direction, size, checksum) in cases {
            let expected = Transferred {
                direction: *direction,
                contents: Contents {
                    size: *size,
                    checksum: *checksum,
                },
            };
            assert_eq!(Transferred::parse(Line::new(line)), Ok(expected));
        }
        let bad: &[(&[u8], ParamError)] = &[
            (b"+QFUPL: 1280", ParamError::Missing),
            (b"+QFUPL: 1280,14f54", ParamError::NotANumber),
            (b"+QFUPL: ,4f54", ParamError::NotANumber),
            (b"+QFOPEN: 1", ParamError::WrongName),
        ];
        for (line, error) in bad {
            assert_eq!(Transferred::parse(Line::new(line)), Err(*error));
        }
    }

    #[test]
    fn the_timeout_covers_the_transfer_and_the_module_s_own() {
        let name = FileName::new("a").unwrap();
        let of = |size, timeout_s| {
            QfUpl {
                timeout_s,
                ..QfUpl::new(name, size)
            }
            .exchange()
            .timeout_ms
        };
        // 4 KiB at 9,600 baud last 4.3 s.
        assert!(of(4_096, 5) >= 5_000 + 4_267);
        assert!(of(1_000_000, 5) >= 5_000 + 1_041_667);
        assert_eq!(of(u32::MAX, u16::MAX), u32::MAX);
    }

    /// Runs a command against recorded bytes; 0xFF stands where the module waits for the host.
    fn talk(command: &dyn Command, payload: &[u8], script: &[u8]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let (mut rx, mut tx) = ([0; 128], [0; 4096]);
        let mut link = Link::new(&mut rx, &mut tx, &[]);
        link.send_with(0, command, Payload::Copied(payload))
            .unwrap();
        let (mut lines, mut sent) = (Vec::new(), Vec::new());
        let mut chunk = [0; 64];
        for mut input in script.split(|&b| b == 0xFF) {
            loop {
                loop {
                    let n = link.poll_transmit(&mut chunk);
                    if n == 0 {
                        break;
                    }
                    sent.extend_from_slice(&chunk[..n]);
                }
                match link.poll(1, &mut input) {
                    Some(Event::Answer(line) | Event::Done { line, .. }) => {
                        lines.push(line.bytes().to_vec());
                    }
                    Some(Event::Data(data)) => lines.push(data.to_vec()),
                    Some(other) => panic!("{other:?}"),
                    None => break,
                }
            }
        }
        (lines, sent)
    }

    #[test]
    fn upload_and_download_over_the_link() {
        let name = FileName::new("a.pem").unwrap();
        let upload = QfUpl {
            timeout_s: 10,
            ..QfUpl::new(name, 3)
        };
        let (lines, sent) = talk(
            &upload,
            b"ABC",
            b"AT+QFUPL=\"a.pem\",3,10\r\r\nCONNECT\r\n\xFF+QFUPL: 3,242\r\n\r\nOK\r\n",
        );
        assert_eq!(lines, [&b"+QFUPL: 3,242"[..], b"OK"]);
        assert_eq!(sent, b"AT+QFUPL=\"a.pem\",3,10\rABC");

        let (lines, _) = talk(
            &upload,
            b"ABC",
            b"AT+QFUPL=\"a.pem\",3,10\r\r\n+CME ERROR: 407\r\n",
        );
        assert_eq!(lines, [&b"+CME ERROR: 407"[..]]);

        let (lines, _) = talk(
            &QfDwl { name, size: 4 },
            b"",
            b"\r\nCONNECT\r\nOK\r\n\r\n+QFDWL: 4,4245\r\n\r\nOK\r\n",
        );
        assert_eq!(lines, [&b"OK\r\n"[..], b"+QFDWL: 4,4245", b"OK"]);

        // 3,000 bytes are acknowledged after 1,024 and 2,048.
        let body = [b'x'; 3000];
        let (lines, sent) = talk(
            &QfUpl::new(name, 3000).acknowledged(),
            &body,
            b"\r\nCONNECT\r\n\xFFA\xFFA\xFF+QFUPL: 3000,0\r\n\r\nOK\r\n",
        );
        assert_eq!(lines, [&b"+QFUPL: 3000,0"[..], b"OK"]);
        assert_eq!(sent.len(), b"AT+QFUPL=\"a.pem\",3000,10,1\r".len() + 3000);
    }
}
