//! Packets to bytes.

use crate::{
    Connack, Connect, ConnectReturnCode, EncodeError, MAX_REMAINING_LENGTH, Packet, PacketId,
    Protocol, Publish, QoS,
};

type Result<T> = core::result::Result<T, EncodeError>;

impl Packet {
    /// Appends the packet to `out`; on an error `out` is as it was.
    ///
    /// # Errors
    ///
    /// A field, or a combination of fields, that MQTT 3.1.1 has no bytes for.
    ///
    /// # Reference
    ///
    /// MQTT 3.1.1, 2 and 3.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        let mut body = Vec::new();
        let first = self.write_body(&mut body)?;
        let mut remaining = body.len();
        if remaining > MAX_REMAINING_LENGTH {
            return Err(EncodeError::TooLarge(remaining));
        }
        out.reserve(body.len() + 5);
        out.push(first);
        loop {
            let low = u8::try_from(remaining & 0x7f).unwrap_or(0x7f);
            remaining >>= 7;
            if remaining == 0 {
                out.push(low);
                break;
            }
            out.push(low | 0x80);
        }
        out.append(&mut body);
        Ok(())
    }

    /// The packet's bytes on their own.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.encode(&mut out)?;
        Ok(out)
    }

    /// Writes everything after the fixed header and returns the first byte.
    fn write_body(&self, body: &mut Vec<u8>) -> Result<u8> {
        Ok(match self {
            Self::Connect(connect) => {
                write_connect(connect, body)?;
                0x10
            }
            Self::Connack(connack) => {
                write_connack(*connack, body)?;
                0x20
            }
            Self::Publish(publish) => write_publish(publish, body)?,
            Self::Puback(id) => write_id(*id, body, 0x40),
            Self::Pubrec(id) => write_id(*id, body, 0x50),
            Self::Pubrel(id) => write_id(*id, body, 0x62),
            Self::Pubcomp(id) => write_id(*id, body, 0x70),
            Self::Subscribe(subscribe) => {
                non_empty(&subscribe.subscriptions)?;
                write_id(subscribe.packet_id, body, 0);
                for subscription in &subscribe.subscriptions {
                    write_string(&subscription.filter, body)?;
                    body.push(subscription.qos.to_wire());
                }
                0x82
            }
            Self::Suback(suback) => {
                non_empty(&suback.codes)?;
                write_id(suback.packet_id, body, 0);
                body.extend(suback.codes.iter().map(|code| code.to_wire()));
                0x90
            }
            Self::Unsubscribe(unsubscribe) => {
                non_empty(&unsubscribe.filters)?;
                write_id(unsubscribe.packet_id, body, 0);
                for filter in &unsubscribe.filters {
                    write_string(filter, body)?;
                }
                0xa2
            }
            Self::Unsuback(id) => write_id(*id, body, 0xb0),
            Self::Pingreq => 0xc0,
            Self::Pingresp => 0xd0,
            Self::Disconnect => 0xe0,
        })
    }
}

fn write_connect(connect: &Connect, body: &mut Vec<u8>) -> Result<()> {
    if connect.password.is_some() && connect.user_name.is_none() {
        return Err(EncodeError::PasswordWithoutUserName);
    }
    let (name, level) = match connect.protocol {
        Protocol::V31 => ("MQIsdp", 3),
        Protocol::V311 => ("MQTT", 4),
    };
    write_string(name, body)?;
    body.push(level);
    let mut flags = u8::from(connect.clean_session) << 1;
    if let Some(will) = &connect.will {
        flags |= 1 << 2 | will.qos.to_wire() << 3 | u8::from(will.retain) << 5;
    }
    flags |= u8::from(connect.password.is_some()) << 6;
    flags |= u8::from(connect.user_name.is_some()) << 7;
    body.push(flags);
    body.extend(connect.keep_alive_s.to_be_bytes());
    write_string(&connect.client_id, body)?;
    if let Some(will) = &connect.will {
        write_string(&will.topic, body)?;
        write_binary(&will.payload, body)?;
    }
    if let Some(user_name) = &connect.user_name {
        write_string(user_name, body)?;
    }
    if let Some(password) = &connect.password {
        write_binary(password, body)?;
    }
    Ok(())
}

fn write_connack(connack: Connack, body: &mut Vec<u8>) -> Result<()> {
    if connack.session_present && connack.code != ConnectReturnCode::Accepted {
        return Err(EncodeError::SessionPresentOnRefusal);
    }
    body.extend([u8::from(connack.session_present), connack.code.to_wire()]);
    Ok(())
}

fn write_publish(publish: &Publish, body: &mut Vec<u8>) -> Result<u8> {
    write_string(&publish.topic, body)?;
    match (publish.qos, publish.packet_id) {
        (QoS::AtMostOnce, None) if publish.dup => return Err(EncodeError::DupOnQos0),
        (QoS::AtMostOnce, None) => {}
        (QoS::AtLeastOnce | QoS::ExactlyOnce, Some(id)) => {
            write_id(id, body, 0);
        }
        _ => return Err(EncodeError::PacketId),
    }
    body.extend_from_slice(&publish.payload);
    Ok(0x30 | u8::from(publish.dup) << 3 | publish.qos.to_wire() << 1 | u8::from(publish.retain))
}

fn write_id(id: PacketId, body: &mut Vec<u8>, first: u8) -> u8 {
    body.extend(id.get().to_be_bytes());
    first
}

fn write_string(text: &str, body: &mut Vec<u8>) -> Result<()> {
    if text.contains('\0') {
        return Err(EncodeError::Nul);
    }
    write_binary(text.as_bytes(), body)
}

fn write_binary(bytes: &[u8], body: &mut Vec<u8>) -> Result<()> {
    let Ok(len) = u16::try_from(bytes.len()) else {
        return Err(EncodeError::FieldTooLong(bytes.len()));
    };
    body.extend(len.to_be_bytes());
    body.extend_from_slice(bytes);
    Ok(())
}

fn non_empty<T>(list: &[T]) -> Result<()> {
    if list.is_empty() {
        return Err(EncodeError::EmptyList);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Suback, Subscribe, Unsubscribe};

    const ID: PacketId = PacketId::MIN;

    #[test]
    fn remaining_length_boundaries() {
        // MQTT 3.1.1, table 2.4.
        for (payload, header) in [
            (127 - 3, &[0x30, 0x7f][..]),
            (128 - 3, &[0x30, 0x80, 0x01]),
            (16_383 - 3, &[0x30, 0xff, 0x7f]),
            (16_384 - 3, &[0x30, 0x80, 0x80, 0x01]),
            (2_097_151 - 3, &[0x30, 0xff, 0xff, 0x7f]),
            (2_097_152 - 3, &[0x30, 0x80, 0x80, 0x80, 0x01]),
        ] {
            let packet = Packet::Publish(Publish {
                topic: "t".to_owned(),
                payload: vec![0; payload],
                ..Publish::default()
            });
            let bytes = packet.to_bytes().unwrap();
            assert_eq!(&bytes[..header.len()], header);
            assert_eq!(bytes.len(), header.len() + payload + 3);
        }
    }

    #[test]
    fn what_has_no_bytes() {
        use EncodeError as E;
        let publish = Publish {
            topic: "t".to_owned(),
            ..Publish::default()
        };
        let rows = [
            (
                Packet::Connect(Connect {
                    password: Some(vec![]),
                    ..Connect::default()
                }),
                E::PasswordWithoutUserName,
            ),
            (
                Packet::Connect(Connect {
                    client_id: "a\0b".to_owned(),
                    ..Connect::default()
                }),
                E::Nul,
            ),
            (
                Packet::Connect(Connect {
                    user_name: Some("u".repeat(65_536)),
                    ..Connect::default()
                }),
                E::FieldTooLong(65_536),
            ),
            (
                Packet::Connack(Connack {
                    session_present: true,
                    code: ConnectReturnCode::NotAuthorized,
                }),
                E::SessionPresentOnRefusal,
            ),
            (
                Packet::Publish(Publish {
                    dup: true,
                    ..publish.clone()
                }),
                E::DupOnQos0,
            ),
            (
                Packet::Publish(Publish {
                    packet_id: Some(ID),
                    ..publish.clone()
                }),
                E::PacketId,
            ),
            (
                Packet::Publish(Publish {
                    qos: QoS::AtLeastOnce,
                    ..publish
                }),
                E::PacketId,
            ),
            (
                Packet::Subscribe(Subscribe {
                    packet_id: ID,
                    subscriptions: vec![],
                }),
                E::EmptyList,
            ),
            (
                Packet::Suback(Suback {
                    packet_id: ID,
                    codes: vec![],
                }),
                E::EmptyList,
            ),
            (
                Packet::Unsubscribe(Unsubscribe {
                    packet_id: ID,
                    filters: vec![],
                }),
                E::EmptyList,
            ),
        ];
        for (packet, error) in rows {
            let mut out = b"kept".to_vec();
            assert_eq!(packet.encode(&mut out), Err(error), "{packet:?}");
            assert_eq!(out, b"kept");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let connect = Connect {
            user_name: Some("u".to_owned()),
            password: Some(b"SharedAccessSignature".to_vec()),
            ..Connect::default()
        };
        let shown = format!("{:?}", Packet::Connect(connect));
        assert!(shown.contains("\"***\""), "{shown}");
        assert!(
            !shown.contains("Shared") && !shown.contains("83, 104"),
            "{shown}"
        );
    }
}
