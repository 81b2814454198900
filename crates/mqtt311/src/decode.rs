//! Bytes to packets.

#![deny(clippy::indexing_slicing)]

use crate::{
    Connack, Connect, ConnectReturnCode, DecodeError, Packet, PacketId, Protocol, Publish, QoS,
    Suback, SubackCode, Subscribe, Subscription, Unsubscribe, Will,
};

type Result<T> = core::result::Result<T, DecodeError>;

/// Takes one packet from the front of `buf`.
///
/// Returns the packet and the number of bytes it took, or `None` when more bytes are needed.
/// `max_packet` is the longest packet accepted, in bytes and with the fixed header; a longer one is
/// refused as soon as its length is known, before its body arrives.
///
/// # Errors
///
/// The bytes cannot become a packet whatever follows. The connection is lost then, since MQTT has no
/// way to resynchronise.
///
/// # Reference
///
/// MQTT 3.1.1, 2 and 3.
pub fn decode(buf: &[u8], max_packet: usize) -> Result<Option<(Packet, usize)>> {
    let Some((&first, rest)) = buf.split_first() else {
        return Ok(None);
    };
    let kind = Kind::of(first)?;
    let Some((remaining, length_bytes)) = remaining_length(rest)? else {
        return Ok(None);
    };
    let size = 1 + length_bytes + remaining;
    if size > max_packet {
        return Err(DecodeError::TooLarge {
            size,
            limit: max_packet,
        });
    }
    let Some(body) = buf.get(1 + length_bytes..size) else {
        return Ok(None);
    };
    let mut reader = Reader(body);
    let packet = kind.read(first, &mut reader)?;
    match reader.0.len() {
        0 => Ok(Some((packet, size))),
        left => Err(DecodeError::TrailingBytes(left)),
    }
}

/// Reads the remaining length field: its value and how many bytes it takes.
fn remaining_length(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() >= 4 {
        return Err(DecodeError::RemainingLength);
    }
    Ok(None)
}

/// The packet type of a first byte whose flags have been checked.
#[derive(Clone, Copy)]
enum Kind {
    Connect,
    Connack,
    Publish,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    Subscribe,
    Suback,
    Unsubscribe,
    Unsuback,
    Pingreq,
    Pingresp,
    Disconnect,
}

impl Kind {
    fn of(first: u8) -> Result<Self> {
        let (kind, flags) = match first >> 4 {
            1 => (Self::Connect, 0),
            2 => (Self::Connack, 0),
            3 => return Self::publish(first),
            4 => (Self::Puback, 0),
            5 => (Self::Pubrec, 0),
            6 => (Self::Pubrel, 0b0010),
            7 => (Self::Pubcomp, 0),
            8 => (Self::Subscribe, 0b0010),
            9 => (Self::Suback, 0),
            10 => (Self::Unsubscribe, 0b0010),
            11 => (Self::Unsuback, 0),
            12 => (Self::Pingreq, 0),
            13 => (Self::Pingresp, 0),
            14 => (Self::Disconnect, 0),
            _ => return Err(DecodeError::PacketType(first)),
        };
        if first & 0x0f == flags {
            Ok(kind)
        } else {
            Err(DecodeError::FixedHeaderFlags(first))
        }
    }

    fn publish(first: u8) -> Result<Self> {
        match (first >> 1) & 0b11 {
            0 if first & 0b1000 != 0 => Err(DecodeError::DupOnQos0),
            0..=2 => Ok(Self::Publish),
            qos => Err(DecodeError::QoS(qos)),
        }
    }

    fn read(self, first: u8, reader: &mut Reader<'_>) -> Result<Packet> {
        Ok(match self {
            Self::Connect => Packet::Connect(connect(reader)?),
            Self::Connack => Packet::Connack(connack(reader)?),
            Self::Publish => Packet::Publish(publish(first, reader)?),
            Self::Puback => Packet::Puback(reader.packet_id()?),
            Self::Pubrec => Packet::Pubrec(reader.packet_id()?),
            Self::Pubrel => Packet::Pubrel(reader.packet_id()?),
            Self::Pubcomp => Packet::Pubcomp(reader.packet_id()?),
            Self::Subscribe => Packet::Subscribe(subscribe(reader)?),
            Self::Suback => Packet::Suback(suback(reader)?),
            Self::Unsubscribe => Packet::Unsubscribe(unsubscribe(reader)?),
            Self::Unsuback => Packet::Unsuback(reader.packet_id()?),
            Self::Pingreq => Packet::Pingreq,
            Self::Pingresp => Packet::Pingresp,
            Self::Disconnect => Packet::Disconnect,
        })
    }
}

fn connect(reader: &mut Reader<'_>) -> Result<Connect> {
    let name = reader.binary()?;
    let level = reader.byte()?;
    let protocol = match (name, level) {
        (b"MQTT", 4) => Protocol::V311,
        (b"MQIsdp", 3) => Protocol::V31,
        (b"MQTT" | b"MQIsdp", level) => return Err(DecodeError::ProtocolLevel(level)),
        _ => return Err(DecodeError::ProtocolName),
    };
    let flags = ConnectFlags::read(reader.byte()?)?;
    let keep_alive_s = reader.u16()?;
    let client_id = reader.string()?;
    let will = match flags.will {
        Some((qos, retain)) => Some(Will {
            topic: reader.string()?,
            payload: reader.binary()?.to_vec(),
            qos,
            retain,
        }),
        None => None,
    };
    let user_name = flags.user_name.then(|| reader.string()).transpose()?;
    let password = flags.password.then(|| reader.binary()).transpose()?;
    Ok(Connect {
        protocol,
        clean_session: flags.clean_session,
        keep_alive_s,
        client_id,
        will,
        user_name,
        password: password.map(<[u8]>::to_vec),
    })
}

struct ConnectFlags {
    user_name: bool,
    password: bool,
    will: Option<(QoS, bool)>,
    clean_session: bool,
}

impl ConnectFlags {
    fn read(flags: u8) -> Result<Self> {
        let bit = |n: u8| flags & (1 << n) != 0;
        let bad = Err(DecodeError::ConnectFlags(flags));
        let Some(will_qos) = QoS::from_wire((flags >> 3) & 0b11) else {
            return bad;
        };
        let will = bit(2).then_some((will_qos, bit(5)));
        let will_bits_without_will = !bit(2) && flags & 0b0011_1000 != 0;
        let password_alone = bit(6) && !bit(7);
        if bit(0) || will_bits_without_will || password_alone {
            return bad;
        }
        Ok(Self {
            user_name: bit(7),
            password: bit(6),
            will,
            clean_session: bit(1),
        })
    }
}

fn connack(reader: &mut Reader<'_>) -> Result<Connack> {
    let flags = reader.byte()?;
    let code = reader.byte()?;
    let code = ConnectReturnCode::from_wire(code).ok_or(DecodeError::ReturnCode(code))?;
    let session_present = flags == 1;
    if flags > 1 || (session_present && code != ConnectReturnCode::Accepted) {
        return Err(DecodeError::ConnackFlags(flags));
    }
    Ok(Connack {
        session_present,
        code,
    })
}

fn publish(first: u8, reader: &mut Reader<'_>) -> Result<Publish> {
    let wire_qos = (first >> 1) & 0b11;
    let qos = QoS::from_wire(wire_qos).ok_or(DecodeError::QoS(wire_qos))?;
    let topic = reader.string()?;
    let packet_id = match qos {
        QoS::AtMostOnce => None,
        QoS::AtLeastOnce | QoS::ExactlyOnce => Some(reader.packet_id()?),
    };
    Ok(Publish {
        dup: first & 0b1000 != 0,
        qos,
        retain: first & 1 != 0,
        topic,
        packet_id,
        payload: reader.rest().to_vec(),
    })
}

fn subscribe(reader: &mut Reader<'_>) -> Result<Subscribe> {
    let packet_id = reader.packet_id()?;
    let mut subscriptions = Vec::new();
    while !reader.0.is_empty() {
        let filter = reader.string()?;
        let qos = reader.byte()?;
        let qos = QoS::from_wire(qos).ok_or(DecodeError::QoS(qos))?;
        subscriptions.push(Subscription { filter, qos });
    }
    if subscriptions.is_empty() {
        return Err(DecodeError::EmptyList);
    }
    Ok(Subscribe {
        packet_id,
        subscriptions,
    })
}

fn suback(reader: &mut Reader<'_>) -> Result<Suback> {
    let packet_id = reader.packet_id()?;
    let codes = reader
        .rest()
        .iter()
        .map(|&code| SubackCode::from_wire(code).ok_or(DecodeError::SubackCode(code)))
        .collect::<Result<Vec<_>>>()?;
    if codes.is_empty() {
        return Err(DecodeError::EmptyList);
    }
    Ok(Suback { packet_id, codes })
}

fn unsubscribe(reader: &mut Reader<'_>) -> Result<Unsubscribe> {
    let packet_id = reader.packet_id()?;
    let mut filters = Vec::new();
    while !reader.0.is_empty() {
        filters.push(reader.string()?);
    }
    if filters.is_empty() {
        return Err(DecodeError::EmptyList);
    }
    Ok(Unsubscribe { packet_id, filters })
}

/// The unread part of a packet's body.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        let (&byte, rest) = self.0.split_first().ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(byte)
    }

    fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    fn packet_id(&mut self) -> Result<PacketId> {
        PacketId::new(self.u16()?).ok_or(DecodeError::PacketIdZero)
    }

    fn binary(&mut self) -> Result<&'a [u8]> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }

    fn string(&mut self) -> Result<String> {
        let bytes = self.binary()?;
        if bytes.contains(&0) {
            return Err(DecodeError::Nul);
        }
        match str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(DecodeError::Utf8),
        }
    }

    fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1 << 20;

    fn id(value: u16) -> PacketId {
        PacketId::new(value).unwrap()
    }

    #[test]
    fn packets_from_bytes() {
        let connect = Connect {
            clean_session: true,
            keep_alive_s: 60,
            client_id: "a".to_owned(),
            ..Connect::default()
        };
        let publish = Publish {
            topic: "a/b".to_owned(),
            payload: b"hi".to_vec(),
            ..Publish::default()
        };
        let rows: [(&[u8], Packet); 12] = [
            (
                b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a",
                Packet::Connect(connect.clone()),
            ),
            (
                b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01a",
                Packet::Connect(Connect {
                    protocol: Protocol::V31,
                    ..connect.clone()
                }),
            ),
            (
                b"\x10\x1d\x00\x04MQTT\x04\xee\x00\x3c\x00\x01a\x00\x01t\x00\x02\xff\x00\x00\x01u\x00\x04p\x00\xffq",
                Packet::Connect(Connect {
                    will: Some(Will {
                        topic: "t".to_owned(),
                        payload: vec![0xff, 0],
                        qos: QoS::AtLeastOnce,
                        retain: true,
                    }),
                    user_name: Some("u".to_owned()),
                    password: Some(vec![b'p', 0, 0xff, b'q']),
                    ..connect.clone()
                }),
            ),
            (
                b"\x20\x02\x01\x00",
                Packet::Connack(Connack {
                    session_present: true,
                    code: ConnectReturnCode::Accepted,
                }),
            ),
            (
                b"\x20\x02\x00\x05",
                Packet::Connack(Connack {
                    session_present: false,
                    code: ConnectReturnCode::NotAuthorized,
                }),
            ),
            (b"\x30\x07\x00\x03a/bhi", Packet::Publish(publish.clone())),
            (
                b"\x3b\x09\x00\x03a/b\x01\x02hi",
                Packet::Publish(Publish {
                    dup: true,
                    qos: QoS::AtLeastOnce,
                    retain: true,
                    packet_id: Some(id(0x0102)),
                    ..publish
                }),
            ),
            // A remaining length with superfluous bytes is not forbidden before MQTT 5.
            (b"\x40\x82\x80\x00\x00\x01", Packet::Puback(id(1))),
            (b"\x62\x02\xff\xff", Packet::Pubrel(id(0xffff))),
            (
                b"\x82\x08\x00\x01\x00\x03a/#\x01",
                Packet::Subscribe(Subscribe {
                    packet_id: id(1),
                    subscriptions: vec![Subscription {
                        filter: "a/#".to_owned(),
                        qos: QoS::AtLeastOnce,
                    }],
                }),
            ),
            (
                b"\x90\x04\x00\x01\x01\x80",
                Packet::Suback(Suback {
                    packet_id: id(1),
                    codes: vec![SubackCode::Granted(QoS::AtLeastOnce), SubackCode::Failure],
                }),
            ),
            (b"\xe0\x00", Packet::Disconnect),
        ];
        for (bytes, packet) in rows {
            assert_eq!(decode(bytes, LIMIT), Ok(Some((packet, bytes.len()))));
            let mut begun = Vec::new();
            for &byte in bytes {
                assert_eq!(decode(&begun, LIMIT), Ok(None), "{begun:x?} of {bytes:x?}");
                begun.push(byte);
            }
        }
    }

    #[test]
    fn malformed_packets() {
        use DecodeError as E;
        let rows: &[(&[u8], DecodeError)] = &[
            (b"\x00", E::PacketType(0)),
            (b"\xf0", E::PacketType(0xf0)),
            (b"GET / HTTP/1.1\r\n", E::FixedHeaderFlags(b'G')),
            (b"\x80\x00", E::FixedHeaderFlags(0x80)),
            (b"\x8a\x00", E::FixedHeaderFlags(0x8a)),
            (b"\x60", E::FixedHeaderFlags(0x60)),
            (b"\xe1", E::FixedHeaderFlags(0xe1)),
            (b"\x36", E::QoS(3)),
            (b"\x38", E::DupOnQos0),
            (b"\x30\xff\xff\xff\xff", E::RemainingLength),
            (b"\x30\xff\xff\xff\xff\x01", E::RemainingLength),
            (
                b"\x30\xff\xff\xff\x7f",
                E::TooLarge {
                    size: 268_435_460,
                    limit: LIMIT,
                },
            ),
            (b"\x30\x00", E::Truncated),
            (b"\x30\x01\x00", E::Truncated),
            (b"\x30\x03\x00\x02a", E::Truncated),
            (b"\x32\x03\x00\x01a", E::Truncated),
            (b"\x32\x05\x00\x01a\x00\x00", E::PacketIdZero),
            (b"\x40\x02\x00\x00", E::PacketIdZero),
            (b"\x40\x03\x00\x01\x00", E::TrailingBytes(1)),
            (b"\xc0\x01\x00", E::TrailingBytes(1)),
            (b"\x30\x04\x00\x02a\x00", E::Nul),
            (b"\x30\x04\x00\x02\xc3\x28", E::Utf8),
            (b"\x30\x05\x00\x03\xed\xa0\x80", E::Utf8),
            (
                b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x3c\x00\x01a",
                E::ProtocolLevel(5),
            ),
            (
                b"\x10\x0d\x00\x04MQTT\x03\x02\x00\x3c\x00\x01a",
                E::ProtocolLevel(3),
            ),
            (
                b"\x10\x0d\x00\x04mqtt\x04\x02\x00\x3c\x00\x01a",
                E::ProtocolName,
            ),
            (
                b"\x10\x0d\x00\x04MQTT\x04\x03\x00\x3c\x00\x01a",
                E::ConnectFlags(3),
            ),
            (
                b"\x10\x0d\x00\x04MQTT\x04\x1e\x00\x3c\x00\x01a",
                E::ConnectFlags(0x1e),
            ),
            (
                b"\x10\x0d\x00\x04MQTT\x04\x22\x00\x3c\x00\x01a",
                E::ConnectFlags(0x22),
            ),
            (
                b"\x10\x0d\x00\x04MQTT\x04\x42\x00\x3c\x00\x01a",
                E::ConnectFlags(0x42),
            ),
            (
                b"\x10\x0d\x00\x04MQTT\x04\x82\x00\x3c\x00\x01a",
                E::Truncated,
            ),
            (b"\x20\x02\x02\x00", E::ConnackFlags(2)),
            (b"\x20\x02\x01\x05", E::ConnackFlags(1)),
            (b"\x20\x02\x00\x06", E::ReturnCode(6)),
            (b"\x82\x02\x00\x01", E::EmptyList),
            (b"\x82\x06\x00\x01\x00\x01a\x03", E::QoS(3)),
            (b"\x82\x06\x00\x01\x00\x01a\x81", E::QoS(0x81)),
            (b"\x82\x05\x00\x01\x00\x01a", E::Truncated),
            (b"\x90\x02\x00\x01", E::EmptyList),
            (b"\x90\x03\x00\x01\x03", E::SubackCode(3)),
            (b"\xa2\x02\x00\x01", E::EmptyList),
        ];
        for (bytes, error) in rows {
            assert_eq!(decode(bytes, LIMIT), Err(*error), "{bytes:x?}");
        }
    }

    #[test]
    fn the_limit_counts_the_whole_packet() {
        let bytes = b"\x30\x07\x00\x03a/bhi";
        assert!(matches!(decode(bytes, 9), Ok(Some((_, 9)))));
        let refused = Err(DecodeError::TooLarge { size: 9, limit: 8 });
        assert_eq!(decode(bytes, 8), refused);
        assert_eq!(decode(b"\x30\x07", 8), refused, "before the body arrives");
    }
}
