//! Properties over generated packets and bytes.

use mqtt311::{
    Connack, Connect, ConnectReturnCode, Decoder, Packet, PacketId, Protocol, Publish, QoS, Suback,
    SubackCode, Subscribe, Subscription, Unsubscribe, Will, decode,
};
use proptest::{collection::vec, option, prelude::*};

const LIMIT: usize = 1 << 20;

fn qos() -> impl Strategy<Value = QoS> {
    prop_oneof![
        Just(QoS::AtMostOnce),
        Just(QoS::AtLeastOnce),
        Just(QoS::ExactlyOnce)
    ]
}

fn packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|id| PacketId::new(id).unwrap_or(PacketId::MIN))
}

fn text() -> impl Strategy<Value = String> {
    "[^\0]{0,40}"
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..300)
}

fn will() -> impl Strategy<Value = Will> {
    (text(), bytes(), qos(), any::<bool>()).prop_map(|(topic, payload, qos, retain)| Will {
        topic,
        payload,
        qos,
        retain,
    })
}

fn connect() -> impl Strategy<Value = Connect> {
    (
        any::<bool>(),
        any::<bool>(),
        any::<u16>(),
        text(),
        option::of(will()),
        option::of((text(), option::of(bytes()))),
    )
        .prop_map(
            |(old, clean_session, keep_alive_s, client_id, will, login)| {
                let (user_name, password) = login.map_or((None, None), |(u, p)| (Some(u), p));
                Connect {
                    protocol: if old { Protocol::V31 } else { Protocol::V311 },
                    clean_session,
                    keep_alive_s,
                    client_id,
                    will,
                    user_name,
                    password,
                }
            },
        )
}

fn publish() -> impl Strategy<Value = Publish> {
    (
        any::<bool>(),
        qos(),
        any::<bool>(),
        text(),
        packet_id(),
        bytes(),
    )
        .prop_map(|(dup, qos, retain, topic, id, payload)| {
            let acknowledged = qos != QoS::AtMostOnce;
            Publish {
                dup: dup && acknowledged,
                qos,
                retain,
                topic,
                packet_id: acknowledged.then_some(id),
                payload,
            }
        })
}

fn connack() -> impl Strategy<Value = Connack> {
    (any::<bool>(), 0_u8..=5).prop_map(|(session_present, code)| Connack {
        session_present: session_present && code == 0,
        code: ConnectReturnCode::from_wire(code).unwrap_or(ConnectReturnCode::Accepted),
    })
}

fn packet() -> impl Strategy<Value = Packet> {
    let subscription = (text(), qos()).prop_map(|(filter, qos)| Subscription { filter, qos });
    let code = prop_oneof![
        qos().prop_map(SubackCode::Granted),
        Just(SubackCode::Failure)
    ];
    prop_oneof![
        connect().prop_map(Packet::Connect),
        connack().prop_map(Packet::Connack),
        publish().prop_map(Packet::Publish),
        packet_id().prop_map(Packet::Puback),
        packet_id().prop_map(Packet::Pubrec),
        packet_id().prop_map(Packet::Pubrel),
        packet_id().prop_map(Packet::Pubcomp),
        (packet_id(), vec(subscription, 1..6)).prop_map(|(packet_id, subscriptions)| {
            Packet::Subscribe(Subscribe {
                packet_id,
                subscriptions,
            })
        }),
        (packet_id(), vec(code, 1..6))
            .prop_map(|(packet_id, codes)| Packet::Suback(Suback { packet_id, codes })),
        (packet_id(), vec(text(), 1..6)).prop_map(|(packet_id, filters)| {
            Packet::Unsubscribe(Unsubscribe { packet_id, filters })
        }),
        packet_id().prop_map(Packet::Unsuback),
        Just(Packet::Pingreq),
        Just(Packet::Pingresp),
        Just(Packet::Disconnect),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(packet in packet()) {
        let bytes = packet.to_bytes().unwrap();
        prop_assert_eq!(decode(&bytes, LIMIT), Ok(Some((packet, bytes.len()))));
    }

    #[test]
    fn a_stream_may_be_cut_anywhere(
        packets in vec(packet(), 0..8),
        cuts in vec(1_usize..50, 1..20),
    ) {
        let mut stream = Vec::new();
        for packet in &packets {
            packet.encode(&mut stream).unwrap();
        }
        let mut decoder = Decoder::new(LIMIT);
        let mut read = Vec::new();
        let mut rest = stream.as_slice();
        for cut in cuts.iter().cycle() {
            while let Some(packet) = decoder.next_packet().unwrap() {
                read.push(packet);
            }
            if rest.is_empty() {
                break;
            }
            let (chunk, later) = rest.split_at((*cut).min(rest.len()));
            decoder.push(chunk);
            rest = later;
        }
        prop_assert_eq!(read, packets);
        prop_assert_eq!(decoder.buffered(), 0);
    }

    /// Whatever decodes has one canonical form that decodes to the same.
    #[test]
    fn any_bytes_are_judged(first in any::<u8>(), body in vec(any::<u8>(), 0..120)) {
        let mut bytes = vec![first, u8::try_from(body.len()).unwrap()];
        bytes.extend(&body);
        if let Ok(Some((packet, size))) = decode(&bytes, LIMIT) {
            prop_assert_eq!(size, bytes.len());
            prop_assert_eq!(packet.to_bytes().unwrap(), bytes);
        }
    }

    #[test]
    fn damaged_packets_are_judged(packet in packet(), at in any::<prop::sample::Index>(), value in any::<u8>()) {
        let mut bytes = packet.to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(Some((packet, size))) = decode(&bytes, LIMIT) {
            let written = packet.to_bytes().unwrap();
            prop_assert_eq!(decode(&written, LIMIT), Ok(Some((packet, written.len()))));
            prop_assert!(size <= bytes.len());
        }
    }
}
