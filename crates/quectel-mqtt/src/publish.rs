//! Publishing: `+QMTPUB`, and the two meanings of `+QMTPUBEX`.

use quectel_at::{Answer, Command, DataPhase, Exchange, Writer};

use crate::{PacketId, Qos, SHORT_MS};

const PUBEX_TEST: &[Answer] = &[Answer::many(b"+QMTPUBEX")];
/// The manual's maximum: 5 s for a packet, three times. 4 KiB at 9,600 baud are part of it.
const TIMEOUT_MS: u32 = 15_000;
const CTRL_Z: u8 = 0x1A;
const ESC: u8 = 0x1B;

/// Quality of service together with the packet identifier that it needs: QoS 0 has none, and the module refuses
/// anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "MQTT has three qualities")]
pub enum Delivery {
    /// QoS 0.
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce(PacketId),
    /// QoS 2, on which IoT Hub closes the connection.
    ExactlyOnce(PacketId),
}

impl Delivery {
    /// The quality of service alone.
    pub const fn qos(self) -> Qos {
        match self {
            Self::AtMostOnce => Qos::AtMostOnce,
            Self::AtLeastOnce(_) => Qos::AtLeastOnce,
            Self::ExactlyOnce(_) => Qos::ExactlyOnce,
        }
    }

    /// The packet identifier, 0 for QoS 0.
    pub const fn msg_id(self) -> u16 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce(id) | Self::ExactlyOnce(id) => id.get(),
        }
    }
}

/// Why a payload cannot be sent in this form. Nothing has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// A byte that would end or cancel the input.
    #[error(
        "byte {byte:#04x} at position {position} of the payload cannot be sent in this form; encode the payload, or \
         use a firmware whose AT+QMTPUB takes a length"
    )]
    ForbiddenByte {
        /// Ctrl-Z or ESC; for the inline form also a double quote or any control character.
        byte: u8,
        /// Its position, counted from 0.
        position: usize,
    },
    /// The module discards what is longer, silently.
    #[error("the payload has {length} bytes and this form takes {max}; split it")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The most that fits.
        max: usize,
    },
    /// The command announces another length.
    #[error("the command announces {announced} bytes and the payload has {given}; make them equal")]
    WrongLength {
        /// What the command says.
        announced: u16,
        /// What is there.
        given: usize,
    },
}

fn forbid(payload: &[u8], forbidden: impl Fn(u8) -> bool) -> Result<(), PayloadError> {
    match payload.iter().position(|byte| forbidden(*byte)) {
        Some(position) => Err(PayloadError::ForbiddenByte {
            byte: payload.get(position).copied().unwrap_or_default(),
            position,
        }),
        None => Ok(()),
    }
}

fn at_most(payload: &[u8], max: usize) -> Result<(), PayloadError> {
    let length = payload.len();
    if length > max {
        return Err(PayloadError::TooLong { length, max });
    }
    Ok(())
}

fn exactly(payload: &[u8], announced: u16) -> Result<(), PayloadError> {
    let given = payload.len();
    if given != usize::from(announced) {
        return Err(PayloadError::WrongLength { announced, given });
    }
    Ok(())
}

/// `AT+QMTPUB=<client>,<msgid>,<qos>,<retain>,"<topic>"[,<length>]`: publishes a payload that follows after a prompt.
/// After `OK` the result comes as [`Urc::Pub`](crate::Urc::Pub) with the same packet identifier.
///
/// ```
/// use quectel_at::{Command, Writer};
/// use quectel_mqtt::{Delivery, PacketId, QmtPub};
/// let publish = QmtPub {
///     client: 0,
///     delivery: Delivery::AtLeastOnce(PacketId::FIRST),
///     retain: false,
///     topic: "devices/mydevice1/messages/events/",
///     length: Some(5),
/// };
/// publish.check(b"hello")?;
/// let mut buf = [0; 64];
/// let mut line = Writer::new(&mut buf);
/// publish.encode(&mut line);
/// let len = line.finish()?.len;
/// assert_eq!(&buf[..len], b"+QMTPUB=0,1,1,0,\"devices/mydevice1/messages/events/\",5");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTPUB (Ctrl-Z); LTEmC and BG770A log (length).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtPub<'a> {
    /// Client, 0 to 5.
    pub client: u8,
    /// Quality of service and packet identifier.
    pub delivery: Delivery,
    /// Whether the server keeps the message. IoT Hub does not.
    pub retain: bool,
    /// Its topic name.
    pub topic: &'a str,
    /// Bytes that follow (newer BG96, BG95); `None` ends them with Ctrl-Z (older BG96, EC2x).
    pub length: Option<u16>,
}

impl QmtPub<'_> {
    /// The longest payload in bytes of the Ctrl-Z form; the rest would be discarded silently.
    pub const MAX_CTRL_Z: usize = 1_548;
    /// The longest payload in bytes of the length form.
    pub const MAX_LENGTH: usize = 4_096;

    /// Whether a payload can be sent in this form.
    ///
    /// # Errors
    /// [`PayloadError`]: too long, not as announced, or with Ctrl-Z or ESC in the Ctrl-Z form.
    pub fn check(&self, payload: &[u8]) -> Result<(), PayloadError> {
        match self.length {
            Some(length) => {
                at_most(payload, Self::MAX_LENGTH)?;
                exactly(payload, length)
            }
            None => {
                at_most(payload, Self::MAX_CTRL_Z)?;
                forbid(payload, |byte| matches!(byte, CTRL_Z | ESC))
            }
        }
    }
}

fn head(line: &mut Writer<'_>, client: u8, delivery: Delivery, retain: u8, topic: &str) {
    line.num(u32::from(client))
        .num(u32::from(delivery.msg_id()))
        .num(u32::from(delivery.qos().number()))
        .num(u32::from(retain))
        .quoted(topic.as_bytes());
}

impl Command for QmtPub<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QMTPUB");
        head(
            line,
            self.client,
            self.delivery,
            u8::from(self.retain),
            self.topic,
        );
        if let Some(length) = self.length {
            line.num(u32::from(length));
        }
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(TIMEOUT_MS).with_data(DataPhase::Prompt {
            ctrl_z: self.length.is_none(),
        })
    }
}

/// `AT+QMTPUBEX=<client>,<msgid>,<qos>,<retain>,"<topic>",<length>` of EC2x and EC200: publishes exactly `length` bytes
/// that follow after a prompt. After `OK` the result comes as [`Urc::PubEx`](crate::Urc::PubEx), rarely as
/// [`Urc::Pub`](crate::Urc::Pub).
///
/// BG95 uses the same name for another command: [`QmtPubExInline`].
///
/// # Reference
/// Seeed EG25-GL wiki; EC20 and EC600S logs; EG800K test form; Arduino forum 943247 (`ERROR` without the length).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtPubEx<'a> {
    /// Client, 0 to 5.
    pub client: u8,
    /// Quality of service and packet identifier.
    pub delivery: Delivery,
    /// Whether the server keeps the message. IoT Hub does not.
    pub retain: bool,
    /// Its topic name.
    pub topic: &'a str,
    /// Bytes that follow.
    pub length: u16,
}

impl QmtPubEx<'_> {
    /// The longest payload in bytes that every firmware with this form takes; some take 4,096.
    pub const MAX: usize = 1_500;

    /// Whether a payload is as long as announced.
    ///
    /// # Errors
    /// [`PayloadError::WrongLength`].
    pub fn check(&self, payload: &[u8]) -> Result<(), PayloadError> {
        exactly(payload, self.length)
    }
}

impl Command for QmtPubEx<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QMTPUBEX");
        head(
            line,
            self.client,
            self.delivery,
            u8::from(self.retain),
            self.topic,
        );
        line.num(u32::from(self.length));
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(TIMEOUT_MS).with_data(DataPhase::Prompt { ctrl_z: false })
    }
}

/// `AT+QMTPUBEX=<client>,<msgid>,<qos>,<retain>,"<topic>","<payload>"` of BG95, BG77 and BG600L: publishes a payload
/// within the command. After `OK` the result comes as [`Urc::Pub`](crate::Urc::Pub).
///
/// A payload with a double quote or a control character, so any JSON, is refused before a byte goes out.
///
/// # Reference
/// jcmendez/quectel-bg9x-atat; zimbora/esp32-BG95; LTEmC (560 bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtPubExInline<'a> {
    /// Client, 0 to 5.
    pub client: u8,
    /// Quality of service and packet identifier.
    pub delivery: Delivery,
    /// Whether the server keeps the message. IoT Hub does not.
    pub retain: bool,
    /// Its topic name.
    pub topic: &'a str,
    /// The payload, without double quotes and control characters.
    pub payload: &'a [u8],
}

impl QmtPubExInline<'_> {
    /// The longest payload in bytes that has been seen to work everywhere.
    pub const MAX: usize = 560;

    /// Whether the payload can stand within the command.
    ///
    /// # Errors
    /// [`PayloadError`]: too long, or with a double quote or a control character.
    pub fn check(&self) -> Result<(), PayloadError> {
        at_most(self.payload, Self::MAX)?;
        forbid(self.payload, |byte| byte == b'"' || byte.is_ascii_control())
    }
}

impl Command for QmtPubExInline<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QMTPUBEX");
        head(
            line,
            self.client,
            self.delivery,
            u8::from(self.retain),
            self.topic,
        );
        line.quoted(self.payload);
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(TIMEOUT_MS)
    }
}

/// `AT+QMTPUBEX=?`: asks whether the command exists; `ERROR` if not. The answer does not tell which form reliably.
///
/// # Reference
/// EG800K test form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtPubExTest;

impl Command for QmtPubExTest {
    fn encode(&self, line: &mut Writer<'_>) {
        line.test("+QMTPUBEX");
    }

    fn exchange(&self) -> Exchange {
        Exchange::maybe(PUBEX_TEST, SHORT_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::written;
    use quectel_at::{Event, Link, Payload, SendError, WriteError};
    use std::vec;

    const ONCE: Delivery = Delivery::AtLeastOnce(PacketId::FIRST);

    fn publish(length: Option<u16>) -> QmtPub<'static> {
        QmtPub {
            client: 0,
            delivery: ONCE,
            retain: false,
            topic: "t",
            length,
        }
    }

    #[test]
    fn commands_of_the_logs() {
        let qos0 = QmtPubEx {
            client: 0,
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: "test/topic",
            length: 30,
        };
        let inline = QmtPubExInline {
            client: 0,
            delivery: ONCE,
            retain: true,
            topic: "t",
            payload: b"hello",
        };
        let cases: &[(&dyn Command, &str)] = &[
            (
                &QmtPub {
                    topic: "mydevice1/topic",
                    ..publish(None)
                },
                "+QMTPUB=0,1,1,0,\"mydevice1/topic\"",
            ),
            (&publish(Some(33)), "+QMTPUB=0,1,1,0,\"t\",33"),
            (
                &QmtPub {
                    client: 1,
                    delivery: Delivery::AtMostOnce,
                    topic: "devices/x/messages/events/mId=1234567&mTyp=alrt",
                    ..publish(None)
                },
                "+QMTPUB=1,0,0,0,\"devices/x/messages/events/mId=1234567&mTyp=alrt\"",
            ),
            (&qos0, "+QMTPUBEX=0,0,0,0,\"test/topic\",30"),
            (&inline, "+QMTPUBEX=0,1,1,1,\"t\",\"hello\""),
            (&QmtPubExTest, "+QMTPUBEX=?"),
        ];
        for (command, expected) in cases {
            assert_eq!(written(*command), *expected);
        }
    }

    #[test]
    fn payloads_that_do_not_fit_the_form_are_refused() {
        assert_eq!(publish(None).check(&[b'x'; 1548]), Ok(()));
        assert_eq!(
            publish(None).check(&[b'x'; 1549]),
            Err(PayloadError::TooLong {
                length: 1549,
                max: 1548
            })
        );
        assert_eq!(
            publish(None).check(b"a\x1ab"),
            Err(PayloadError::ForbiddenByte {
                byte: 0x1A,
                position: 1
            })
        );
        assert_eq!(
            publish(None).check(b"\x1b"),
            Err(PayloadError::ForbiddenByte {
                byte: 0x1B,
                position: 0
            })
        );
        assert_eq!(publish(Some(3)).check(b"a\x1ab"), Ok(()));
        assert_eq!(
            publish(Some(4)).check(b"abc"),
            Err(PayloadError::WrongLength {
                announced: 4,
                given: 3
            })
        );
        let inline = |payload| QmtPubExInline {
            client: 0,
            delivery: ONCE,
            retain: false,
            topic: "t",
            payload,
        };
        assert_eq!(inline(b"{'a':1}").check(), Ok(()));
        assert_eq!(
            inline(b"{\"a\":1}").check(),
            Err(PayloadError::ForbiddenByte {
                byte: b'"',
                position: 1
            })
        );
        assert_eq!(
            inline(b"a\n").check(),
            Err(PayloadError::ForbiddenByte {
                byte: b'\n',
                position: 1
            })
        );
        assert_eq!(
            inline(&[b'x'; 561]).check(),
            Err(PayloadError::TooLong {
                length: 561,
                max: 560
            })
        );
    }

    #[test]
    fn an_inline_payload_cannot_inject_a_command() {
        let (mut rx, mut tx) = ([0; 64], [0; 64]);
        let mut link = Link::new(&mut rx, &mut tx, crate::RULES);
        let payload = b"\"\rAT+QFDEL=\"*";
        let command = QmtPubExInline {
            client: 0,
            delivery: ONCE,
            retain: false,
            topic: "t",
            payload,
        };
        let refused = WriteError::ForbiddenByte {
            byte: b'"',
            position: 0,
        };
        assert_eq!(link.send(0, &command), Err(SendError::Write(refused)));
    }

    #[test]
    fn both_prompt_forms_over_the_link() {
        let ex = QmtPubEx {
            client: 0,
            delivery: ONCE,
            retain: false,
            topic: "t",
            length: 5,
        };
        let plain = publish(None);
        let cases: &[(&dyn Command, &[u8], &[u8])] = &[
            (&plain, b"hello\x1a", b"+QMTPUB: 0,1,0"),
            (&ex, b"hello", b"+QMTPUBEX: 0,1,0"),
        ];
        for (command, on_wire, urc) in cases {
            let (mut rx, mut tx) = ([0; 64], [0; 64]);
            let mut link = Link::new(&mut rx, &mut tx, crate::RULES);
            let mut chunk = [0; 64];
            link.send_with(0, *command, Payload::Copied(b"hello"))
                .unwrap();
            link.poll_transmit(&mut chunk);
            assert!(link.poll(1, &mut &b"\r\n> "[..]).is_none());
            let n = link.poll_transmit(&mut chunk);
            assert_eq!(&chunk[..n], *on_wire);
            let mut reply = vec![];
            reply.extend_from_slice(b"\r\nOK\r\n\r\n");
            reply.extend_from_slice(urc);
            reply.extend_from_slice(b"\r\n");
            let mut input = &reply[..];
            assert!(
                matches!(link.poll(2, &mut input), Some(Event::Done { result, .. }) if result.is_ok())
            );
            assert!(
                matches!(link.poll(2, &mut input), Some(Event::Urc(line)) if line.bytes() == *urc)
            );
        }
    }
}
