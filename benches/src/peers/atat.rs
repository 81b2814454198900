//! `atat`: its digester and its derived URCs, driven as its own `Ingress` does.

use atat::atat_derive::{AtatResp, AtatUrc};
use atat::serde_at::de::length_delimited::LengthDelimited;
use atat::{AtDigester, DigestResult, Digester, InternalError};
use heapless::String;

use super::registration;
use crate::mix::Meant;
use crate::ours::BUFFER;

#[expect(
    clippy::large_enum_variant,
    reason = "without a heap, as on the devices it is for"
)]
#[derive(Debug, Clone, AtatUrc)]
enum Urc {
    #[at_urc("+QMTRECV")]
    Message(Message),
    #[at_urc("+QMTPUB")]
    Published(Published),
    #[at_urc("+QMTSTAT")]
    Stat(Stat),
    #[at_urc("+CEREG")]
    Registration(Registration),
    #[at_urc("+QIURC")]
    Socket(Socket),
}

#[derive(Debug, Clone, AtatResp)]
struct Message {
    client: u8,
    id: u32,
    topic: String<256>,
    payload: LengthDelimited<512>,
}

#[derive(Debug, Clone, AtatResp)]
struct Published {
    client: u8,
    id: u16,
    result: u8,
}

#[derive(Debug, Clone, AtatResp)]
struct Stat {
    client: u8,
    cause: u8,
}

#[derive(Debug, Clone, AtatResp)]
struct Registration {
    stat: u8,
    area: String<8>,
    cell: String<8>,
    act: u8,
}

#[derive(Debug, Clone, AtatResp)]
struct Socket {
    kind: String<16>,
    id: u8,
}

impl Urc {
    fn meant(&self) -> Option<Meant<'_>> {
        Some(match self {
            Self::Message(message) => Meant::Message(
                message.client,
                message.id,
                message.topic.as_bytes(),
                &message.payload.bytes,
            ),
            Self::Published(published) => {
                Meant::Published(published.client, published.id, published.result)
            }
            Self::Stat(stat) => Meant::Stat(stat.client, stat.cause),
            Self::Registration(it) => registration(it.stat, &it.area, &it.cell, it.act)?,
            Self::Socket(socket) => Meant::Socket(socket.kind.as_bytes(), socket.id),
        })
    }
}

/// A digester with its buffer.
pub struct Atat {
    digester: AtDigester<Urc>,
    buf: Vec<u8>,
    pos: usize,
}

impl core::fmt::Debug for Atat {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Atat({} bytes kept)", self.pos)
    }
}

impl Default for Atat {
    fn default() -> Self {
        Self {
            digester: AtDigester::new(),
            buf: vec![0; BUFFER],
            pos: 0,
        }
    }
}

impl Atat {
    /// Takes the bytes, as much at a time as its buffer has room for; `seen` gets each event, decoded.
    pub fn take(&mut self, bytes: &[u8], mut seen: impl FnMut(Meant<'_>)) {
        let mut bytes = bytes;
        while !bytes.is_empty() {
            if self.pos == self.buf.len() {
                // "Ingress buffer full, clearing"
                self.pos = 0;
            }
            let n = bytes.len().min(self.buf.len() - self.pos);
            self.buf[self.pos..self.pos + n].copy_from_slice(&bytes[..n]);
            self.pos += n;
            bytes = &bytes[n..];
            self.digest(&mut seen);
        }
    }

    fn digest(&mut self, seen: &mut impl FnMut(Meant<'_>)) {
        while self.pos > 0 {
            let (result, swallowed) = self.digester.digest(&self.buf[..self.pos]);
            match result {
                DigestResult::Urc(line) => {
                    if let Some(urc) = <Urc as atat::AtatUrc>::parse(line)
                        && let Some(meant) = urc.meant()
                    {
                        seen(meant);
                    }
                }
                DigestResult::Response(Ok(response)) => {
                    if !response.is_empty() {
                        seen(Meant::Answer(response));
                    }
                    seen(Meant::Ok);
                }
                DigestResult::Response(Err(InternalError::CmeError(error))) => {
                    seen(Meant::Error(u16::from(error)));
                }
                _ => {}
            }
            if swallowed == 0 {
                break;
            }
            self.buf.copy_within(swallowed..self.pos, 0);
            self.pos -= swallowed;
        }
    }
}
