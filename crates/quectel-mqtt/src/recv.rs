//! Incoming messages: `+QMTRECV`.

use quectel_at::{Answer, Command, Exchange, Line, ParamError, Params, Repeat, Writer};

use crate::SHORT_MS;

/// A message: the third parameter, its topic, stands in quotes.
const MESSAGE: &[Answer] = &[Answer::shaped(b"+QMTRECV", |mut params| {
    params.u32().is_ok() && params.u32().is_ok() && params.param().is_ok_and(|topic| topic.quoted)
})];
/// The slots of one client: six numbers.
const SLOTS: &[Answer] = &[Answer {
    name: b"+QMTRECV",
    shape: |params| RecvSlots::read(params).is_ok(),
    repeat: Repeat::Many,
}];

/// An incoming message: `+QMTRECV: <client>,<msgid>,"<topic>",[<length>,]"<payload>"`.
///
/// ```
/// use quectel_at::Line;
/// use quectel_mqtt::Recv;
/// let recv = Recv::parse(Line::new(b"+QMTRECV: 0,0,\"t\",5,\"a\"b\r\n\""))?;
/// assert_eq!((recv.topic, recv.payload, recv.length), (&b"t"[..], &b"a\"b\r\n"[..], Some(5)));
/// # Ok::<(), quectel_at::ParamError>(())
/// ```
///
/// # Reference
/// BG96 MQTT Application Note V1.0, +QMTRECV (quoted and unquoted payload); LTEmC trace of an IoT Hub (no length);
/// EC25 with `recv/mode` 0,1 (length); EC200U (payload on the next line).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recv<'a> {
    /// Client, 0 to 5.
    pub client: u8,
    /// Packet identifier, 0 at QoS 0; 65,999 has been seen too.
    pub msg_id: u32,
    /// The topic name as it came.
    pub topic: &'a [u8],
    /// The payload as it came, with line ends, quotes and NULs; may be empty.
    pub payload: &'a [u8],
    /// Bytes of the payload as announced, if the module announces them.
    pub length: Option<u32>,
}

impl<'a> Recv<'a> {
    /// Reads a line with a message, URC or answer; looks at each byte of the topic once and at the payload's ends.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QMTRECV").ok_or(ParamError::WrongName)?;
        let client = params.u8()?;
        let msg_id = params.u32()?;
        if let Some((head, payload)) = line.counted()
            && let Some([b'"', topic @ ..]) = head.get(line.bytes().len() - params.rest().len()..)
        {
            return Ok(Self {
                client,
                msg_id,
                topic,
                payload,
                length: u32::try_from(payload.len()).ok(),
            });
        }
        let mut recv = Self {
            client,
            msg_id,
            topic: params.quoted()?,
            payload: &[],
            length: None,
        };
        (recv.length, recv.payload) = payload(params.rest());
        Ok(recv)
    }

    /// Whether the payload has as many bytes as were announced; true if none were.
    pub fn is_complete(&self) -> bool {
        self.length
            .is_none_or(|length| usize::try_from(length) == Ok(self.payload.len()))
    }
}

/// The length, if there is one, and the payload, from what stands after the topic's comma.
#[cfg_attr(target_pointer_width = "64", inline(never))]
fn payload(body: &[u8]) -> (Option<u32>, &[u8]) {
    let mut params = Params::new(body);
    let mut text = params.ahead();
    let mut length = None;
    if text.first() != Some(&b'"') {
        let Ok(number) = params.u32() else {
            return (None, body);
        };
        length = Some(number);
        text = params.ahead();
    }
    let inside = match text {
        [b'"' | b'\n', inside @ ..] => inside,
        [] if length == Some(0) => text,
        _ => return (None, body),
    };
    let counted = length
        .and_then(|length| usize::try_from(length).ok())
        .and_then(|length| inside.get(..length));
    let payload = match (counted, inside) {
        (Some(counted), _) => counted,
        (None, [inside @ .., b'"']) => inside,
        _ => inside,
    };
    (length, payload)
}

/// `AT+QMTRECV=<client>[,<slot>]`: fetches a stored message; answered by at most one [`Recv`] line.
///
/// # Reference
/// EC2x and BG95 MQTT notes, AT+QMTRECV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtRecv {
    /// Client, 0 to 5.
    pub client: u8,
    /// The slot of [`Urc::RecvNotice`](crate::Urc::RecvNotice), 0 to 4; `None` for the oldest.
    pub slot: Option<u8>,
}

impl Command for QmtRecv {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QMTRECV").num(u32::from(self.client));
        if let Some(slot) = self.slot {
            line.num(u32::from(slot));
        }
    }

    fn exchange(&self) -> Exchange {
        // 4 KiB take more than four seconds at 9,600 baud.
        Exchange::maybe(MESSAGE, 10_000)
    }
}

/// `AT+QMTRECV?`: asks which slots hold messages; answered by one [`RecvSlots`] line for each client.
///
/// # Reference
/// EC2x and BG95 MQTT notes, AT+QMTRECV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtRecvRead;

impl Command for QmtRecvRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.read("+QMTRECV");
    }

    fn exchange(&self) -> Exchange {
        Exchange::maybe(SLOTS, SHORT_MS)
    }
}

/// The slots of one client: `+QMTRECV: <client>,<slot 0>,…,<slot 4>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecvSlots {
    /// Client, 0 to 5.
    pub client: u8,
    /// Which slots hold a message.
    pub occupied: [bool; 5],
}

impl RecvSlots {
    /// Reads an answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<Self, ParamError> {
        Self::read(line.params(b"+QMTRECV").ok_or(ParamError::WrongName)?)
    }

    fn read(mut params: Params<'_>) -> Result<Self, ParamError> {
        let client = params.u8()?;
        let mut occupied = [false; 5];
        for slot in &mut occupied {
            *slot = match params.u8()? {
                0 => false,
                1 => true,
                _ => return Err(ParamError::NotANumber),
            };
        }
        Ok(Self { client, occupied })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{is_answer, written};

    #[test]
    fn every_form_of_a_message() {
        type Expected<'a> = Option<(u8, u32, &'a [u8], &'a [u8], Option<u32>)>;
        let c2d = b"devices/x/messages/devicebound/%24.mid=d279&%24.to=%2Fdevices%2Fx%2Fmessages%2Fdevicebound";
        let cases: &[(&[u8], Expected<'_>)] = &[
            // recv/mode 0,0
            (b"+QMTRECV: 0,0,\"t\",\"x\"", Some((0, 0, b"t", b"x", None))),
            (b"+QMTRECV: 1,65999,\"\",\"\"", Some((1, 65_999, b"", b"", None))),
            (
                b"+QMTRECV: 1,0,\"devices/x/messages/devicebound/%24.mid=d279&%24.to=%2Fdevices%2Fx%2Fmessages%2Fdevicebound\",\"test c2d msg2\"",
                Some((1, 0, c2d, b"test c2d msg2", None)),
            ),
            (
                b"+QMTRECV: 0,0,\"$iothub/twin/res/200/?$rid=1\",\"{\n   \"desired\": { },\n   }\"",
                Some((0, 0, b"$iothub/twin/res/200/?$rid=1", b"{\n   \"desired\": { },\n   }", None)),
            ),
            // recv/mode 0,1
            (b"+QMTRECV: 0,0,\"t\",1,\"x\"", Some((0, 0, b"t", b"x", Some(1)))),
            (b"+QMTRECV: 0,7,\"t\",0,\"\"", Some((0, 7, b"t", b"", Some(0)))),
            // As the framer counts them.
            (b"+QMTRECV: 0, 7, \"t\", 2, \"ok\"", Some((0, 7, b"t", b"ok", Some(2)))),
            (b"+QMTRECV: 0,7,\"t\", \"12\"", Some((0, 7, b"t", b"12", None))),
            (b"+QMTRECV: 0,0,\"t\",6,\"\"\r\nOK\"\"", Some((0, 0, b"t", b"\"\r\nOK\"", Some(6)))),
            (b"+QMTRECV: 0,0,\"t\",3,\"\0>\x1a\"", Some((0, 0, b"t", b"\0>\x1a", Some(3)))),
            // The closing quote is missing.
            (b"+QMTRECV: 0,0,\"t\",2,\"ab", Some((0, 0, b"t", b"ab", Some(2)))),
            (b"+QMTRECV: 0,0,\"t\",9,\"short\"", Some((0, 0, b"t", b"short", Some(9)))),
            // BG96 manual, second example
            (b"+QMTRECV: 0,0,\"topic/example\",hello", Some((0, 0, b"topic/example", b"hello", None))),
            (b"+QMTRECV: 0,0,\"t\",12 degrees", Some((0, 0, b"t", b"12 degrees", None))),
            (b"+QMTRECV: 0,0,\"t\",12,5", Some((0, 0, b"t", b"12,5", None))),
            (b"+QMTRECV: 0,0,\"t\",hello,\"x\"", Some((0, 0, b"t", b"hello,\"x\"", None))),
            (b"+QMTRECV: 0,0,\"t\",12", Some((0, 0, b"t", b"12", None))),
            (b"+QMTRECV: 0,0,\"t\",4294967295,\"x\"", Some((0, 0, b"t", b"x", Some(4_294_967_295)))),
            (b"+QMTRECV: 0,0,\"t\",99999999999", Some((0, 0, b"t", b"99999999999", None))),
            // EC200U
            (
                b"+QMTRECV: 0,0,\"topic\",23\r\n{\"a\":\"0123456789abcde\"}",
                Some((0, 0, b"topic", b"{\"a\":\"0123456789abcde\"}", Some(23))),
            ),
            // No form of any module: LF follows CR.
            (b"+QMTRECV: 0,0,\"t\",2\rab", Some((0, 0, b"t", b"2\rab", None))),
            (b"+QMTRECV: 0,0,\"t\",2\r\n\r\n", Some((0, 0, b"t", b"\r\n", Some(2)))),
            (b"+QMTRECV: 0,0,\"t\",0", Some((0, 0, b"t", b"", Some(0)))),
            // Nothing after the topic
            (b"+QMTRECV: 0,0,\"t\"", Some((0, 0, b"t", b"", None))),
            (b"+QMTRECV: 0,0,\"t\",", Some((0, 0, b"t", b"", None))),
            // No message
            (b"+QMTRECV: 0,0", None),
            (b"+QMTRECV: 0,0,0,0,0,0", None),
            (b"+QMTRECV: 0,0,\"t", None),
            (b"+QMTRECV: 300,0,\"t\",\"x\"", None),
            (b"+QMTRECV: x", None),
            (b"+QMTRECV:", None),
            (b"+QMTSTAT: 0,1", None),
        ];
        for (line, expected) in cases {
            let got = Recv::parse(Line::new(line))
                .ok()
                .map(|r| (r.client, r.msg_id, r.topic, r.payload, r.length));
            assert_eq!(got, *expected, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn a_short_payload_is_noticed() {
        let complete = |line| Recv::parse(Line::new(line)).unwrap().is_complete();
        assert!(complete(b"+QMTRECV: 0,0,\"t\",2,\"ab\""));
        assert!(complete(b"+QMTRECV: 0,0,\"t\",\"ab\""));
        assert!(!complete(b"+QMTRECV: 0,0,\"t\",4,\"ab\""));
    }

    #[test]
    fn reading_stored_messages() {
        let read = QmtRecv {
            client: 0,
            slot: Some(0),
        };
        assert_eq!(written(&read), "+QMTRECV=0,0");
        assert_eq!(
            written(&QmtRecv {
                client: 2,
                slot: None
            }),
            "+QMTRECV=2"
        );
        assert_eq!(written(&QmtRecvRead), "+QMTRECV?");
        let message: &[u8] = b"+QMTRECV: 0,0,\"t\",1,\"x\"";
        let (notice, slots): (&[u8], &[u8]) = (b"+QMTRECV: 0,1", b"+QMTRECV: 0,1,0,0,0,1");
        // A notice that comes in between is a URC for both.
        assert_eq!(
            [message, notice, slots].map(|line| is_answer(&read, line)),
            [true, false, false]
        );
        assert_eq!(
            [message, notice, slots].map(|line| is_answer(&QmtRecvRead, line)),
            [false, false, true]
        );
        assert_eq!(
            RecvSlots::parse(Line::new(slots)),
            Ok(RecvSlots {
                client: 0,
                occupied: [true, false, false, false, true]
            })
        );
        assert_eq!(
            RecvSlots::parse(Line::new(b"+QMTRECV: 0,2,0,0,0,0")),
            Err(ParamError::NotANumber)
        );
    }
}
