//! This project's parser: link and typed URCs.

use quectel_at::commands::{QiUrc, Registration, RegistrationStat};
use quectel_at::{Event, Line, Link, RawEvent, ResultCode};
use quectel_mqtt::{PubResult, RULES, Stat, Urc};

use crate::mix::{Meant, command};

/// Size of the receive buffer in bytes.
pub const BUFFER: usize = 2_048;

/// The link with the commands of the mix running on it.
#[derive(Debug)]
pub struct Ours<'b> {
    link: Link<'b>,
    results: usize,
}

impl<'b> Ours<'b> {
    /// With the first command on its way.
    pub fn new(rx: &'b mut [u8], tx: &'b mut [u8]) -> Self {
        let mut ours = Self {
            link: Link::new(rx, tx, RULES),
            results: 0,
        };
        ours.ask();
        ours
    }

    #[cold]
    fn ask(&mut self) {
        let sent = self.link.send(0, command(self.results));
        debug_assert!(sent.is_ok(), "one command at a time");
        self.link.poll_transmit(&mut [0; 64]);
    }

    /// Takes the bytes; `seen` gets each event, decoded.
    #[inline]
    pub fn take(&mut self, mut bytes: &[u8], mut seen: impl FnMut(&Typed<'_>)) {
        while let Some(raw) = self.link.poll_raw(0, &mut bytes) {
            self.on_event(raw, &mut seen);
        }
    }

    /// Takes the bytes one by one, as from an interrupt.
    #[inline(never)]
    pub fn take_each(&mut self, bytes: &[u8], mut seen: impl FnMut(&Typed<'_>)) {
        for byte in bytes {
            let mut rest = core::slice::from_ref(byte);
            if let Some(raw) = self.link.poll_raw(0, &mut rest) {
                self.on_event_of_byte(raw, rest, &mut seen);
            }
        }
    }

    #[inline(never)]
    fn on_event_of_byte(
        &mut self,
        raw: RawEvent<'_>,
        rest: &[u8],
        seen: &mut impl FnMut(&Typed<'_>),
    ) {
        self.on_event(raw, seen);
        if !rest.is_empty() {
            self.take(rest, seen);
        }
    }

    #[inline]
    fn on_event(&mut self, raw: RawEvent<'_>, seen: &mut impl FnMut(&Typed<'_>)) {
        match self.link.resolve(raw) {
            Event::Urc(line) => typed(line, seen),
            Event::Answer(line) => seen(&Typed::Answer(line.bytes())),
            Event::Done { result, .. } => {
                seen(&Typed::Done(result));
                self.results += 1;
                self.ask();
            }
            _ => seen(&Typed::Unknown),
        }
    }
}

/// An event with its type.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "what the mix holds")]
pub enum Typed<'a> {
    /// A URC of MQTT.
    Mqtt(&'a Urc<'a>),
    /// A URC of sockets.
    Socket(QiUrc<'a>),
    /// A URC of the network.
    Registration(Registration),
    /// An information response.
    Answer(&'a [u8]),
    /// A final result code.
    Done(ResultCode),
    /// None of these.
    Unknown,
}

/// A URC as its type.
#[inline]
pub fn typed(line: Line<'_>, seen: &mut impl FnMut(&Typed<'_>)) {
    // Not moved out of its place.
    if let Some(urc) = &Urc::parse(line) {
        return seen(&Typed::Mqtt(urc));
    }
    if let Some(urc) = QiUrc::parse(line) {
        return seen(&Typed::Socket(urc));
    }
    seen(&Registration::parse_urc(line).map_or(Typed::Unknown, Typed::Registration));
}

impl<'a> Typed<'a> {
    /// The same as the mix means it; `None` for what it does not hold.
    pub fn meant(&self) -> Option<Meant<'a>> {
        Some(match *self {
            Self::Mqtt(&Urc::Pub(published)) => Meant::Published(
                published.client,
                published.msg_id,
                u8::from(published.result != PubResult::Acknowledged),
            ),
            Self::Mqtt(&Urc::Stat(Stat { client, cause })) => {
                Meant::Stat(client, u8::try_from(cause.code()).ok()?)
            }
            Self::Mqtt(&Urc::Recv(recv)) => {
                Meant::Message(recv.client, recv.msg_id, recv.topic, recv.payload)
            }
            Self::Socket(QiUrc::Closed { socket }) => Meant::Socket(b"closed", socket),
            Self::Socket(QiUrc::Recv { socket, .. }) => Meant::Socket(b"recv", socket),
            Self::Registration(registration) => Meant::Registration(
                match registration.stat {
                    RegistrationStat::Home => 1,
                    RegistrationStat::Roaming => 5,
                    _ => return None,
                },
                registration.area?,
                registration.cell?,
                registration.technology?,
            ),
            Self::Answer(line) => Meant::Answer(line),
            Self::Done(ResultCode::Ok) => Meant::Ok,
            Self::Done(result) => Meant::Error(result.cme()?),
            _ => return None,
        })
    }
}
