//! Subscriptions: `+QMTSUB`, `+QMTUNS`.

use quectel_at::{Command, Exchange, Writer};

use crate::{PacketId, Qos};

/// The most topic filters in one command.
pub const MAX_TOPICS: usize = 5;

/// A command has no topic filter, or more than [`MAX_TOPICS`]. Nothing has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{count} topic filters were given and one command takes 1 to 5; use several commands")]
#[non_exhaustive]
pub struct TopicCountError {
    /// How many.
    pub count: usize,
}

const fn check(count: usize) -> Result<(), TopicCountError> {
    match count {
        1..=MAX_TOPICS => Ok(()),
        _ => Err(TopicCountError { count }),
    }
}

/// A topic filter and the wanted quality of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "MQTT defines its fields")]
pub struct TopicFilter<'a> {
    /// The filter, such as `devices/mydevice1/messages/devicebound/#`.
    pub filter: &'a str,
    /// At most this quality; IoT Hub grants 1 for 2.
    pub qos: Qos,
}

/// `AT+QMTSUB=<client>,<msgid>,"<filter>",<qos>[,…]`: subscribes; after `OK` the result comes as
/// [`Urc::Sub`](crate::Urc::Sub) with the same packet identifier.
///
/// ```
/// use quectel_at::{Command, Writer};
/// use quectel_mqtt::{PacketId, QmtSub, Qos, TopicFilter};
/// let filters = [TopicFilter { filter: "devices/x/messages/devicebound/#", qos: Qos::AtLeastOnce }];
/// let mut buf = [0; 64];
/// let mut line = Writer::new(&mut buf);
/// QmtSub::new(0, PacketId::FIRST, &filters)?.encode(&mut line);
/// let len = line.finish()?.len;
/// assert_eq!(&buf[..len], b"+QMTSUB=0,1,\"devices/x/messages/devicebound/#\",1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTSUB; LTEmC trace of an IoT Hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QmtSub<'a> {
    client: u8,
    msg_id: PacketId,
    filters: &'a [TopicFilter<'a>],
}

impl<'a> QmtSub<'a> {
    /// Subscribes `client` (0 to 5) to 1 to 5 topic filters.
    ///
    /// # Errors
    /// [`TopicCountError`] for none or more than five.
    pub const fn new(
        client: u8,
        msg_id: PacketId,
        filters: &'a [TopicFilter<'a>],
    ) -> Result<Self, TopicCountError> {
        match check(filters.len()) {
            Ok(()) => Ok(Self {
                client,
                msg_id,
                filters,
            }),
            Err(error) => Err(error),
        }
    }
}

impl Command for QmtSub<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QMTSUB")
            .num(u32::from(self.client))
            .num(u32::from(self.msg_id.get()));
        for topic in self.filters {
            line.quoted(topic.filter.as_bytes())
                .num(u32::from(topic.qos.number()));
        }
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(15_000)
    }
}

/// `AT+QMTUNS=<client>,<msgid>,"<filter>"[,…]`: ends subscriptions; after `OK` the result comes as
/// [`Urc::Uns`](crate::Urc::Uns) with the same packet identifier.
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTUNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QmtUns<'a> {
    client: u8,
    msg_id: PacketId,
    filters: &'a [&'a str],
}

impl<'a> QmtUns<'a> {
    /// Ends the subscriptions of `client` (0 to 5) to 1 to 5 topic filters.
    ///
    /// # Errors
    /// [`TopicCountError`] for none or more than five.
    pub const fn new(
        client: u8,
        msg_id: PacketId,
        filters: &'a [&'a str],
    ) -> Result<Self, TopicCountError> {
        match check(filters.len()) {
            Ok(()) => Ok(Self {
                client,
                msg_id,
                filters,
            }),
            Err(error) => Err(error),
        }
    }
}

impl Command for QmtUns<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QMTUNS")
            .num(u32::from(self.client))
            .num(u32::from(self.msg_id.get()));
        for filter in self.filters {
            line.quoted(filter.as_bytes());
        }
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(15_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::written;

    #[test]
    fn one_to_five_filters() {
        let topic = |filter| TopicFilter {
            filter,
            qos: Qos::AtMostOnce,
        };
        let id = PacketId::new(99).unwrap();
        let one = [topic("devices/x/messages/devicebound/#")];
        assert_eq!(
            written(&QmtSub::new(5, id, &one).unwrap()),
            "+QMTSUB=5,99,\"devices/x/messages/devicebound/#\",0"
        );
        let two = [
            topic("a"),
            TopicFilter {
                filter: "$iothub/methods/POST/#",
                qos: Qos::AtLeastOnce,
            },
        ];
        assert_eq!(
            written(&QmtSub::new(0, id, &two).unwrap()),
            "+QMTSUB=0,99,\"a\",0,\"$iothub/methods/POST/#\",1"
        );
        assert_eq!(
            written(&QmtUns::new(0, id, &["a", "b"]).unwrap()),
            "+QMTUNS=0,99,\"a\",\"b\""
        );
        let six = [topic("a"); 6];
        assert!(QmtSub::new(0, id, &six[..5]).is_ok());
        assert_eq!(QmtSub::new(0, id, &six), Err(TopicCountError { count: 6 }));
        assert_eq!(QmtSub::new(0, id, &[]), Err(TopicCountError { count: 0 }));
        assert_eq!(QmtUns::new(0, id, &[]), Err(TopicCountError { count: 0 }));
    }
}
