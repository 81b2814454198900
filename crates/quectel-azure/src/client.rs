//! The device client: bytes and milliseconds in, bytes and events out.

use core::ops::Range;

use quectel_at::{Event as LinkEvent, Line, Link, LostReason, RawEvent, ResultCode};

use crate::context::{Context, Notice};
use crate::flow::{Note, Outcome, Outgoing, State, Turn};
use crate::{
    Config, ConfigError, Credential, Event, Failure, Message, MessageId, Misuse, ModuleInfo,
    Reason, ReceivedMessage, Step, Warning,
};

/// The memory that a client works in.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "filled in by the user")]
pub struct Buffers<'b> {
    /// Receive buffer: at least 512 bytes, and room for the longest cloud-to-device message with its topic.
    pub rx: &'b mut [u8],
    /// Transmit buffer: at least 1,024 bytes, and room for the longest payload with 512 bytes more.
    pub tx: &'b mut [u8],
    /// For user names, tokens and topics: at least 1,024 bytes.
    pub scratch: &'b mut [u8],
}

/// Connects one module to one hub; see the crate's page for the loop around it.
///
/// Times are monotonic milliseconds of any origin; unix time is separate and in seconds.
pub struct Client<'b> {
    link: Link<'b>,
    cx: Context<'b>,
    state: State,
    next_id: u32,
}

impl<'b> Client<'b> {
    /// Checks the settings. Nothing is sent.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting and what it must be.
    pub fn new(config: Config<'b>, buffers: Buffers<'b>) -> Result<Self, ConfigError> {
        config.check(&buffers)?;
        let mut cx = Context::new(config, buffers.scratch)?;
        cx.check_sizes(buffers.tx.len())?;
        let link = Link::new(buffers.rx, buffers.tx, quectel_mqtt::RULES);
        Ok(Self {
            link,
            cx,
            state: State::Idle,
            next_id: 1,
        })
    }

    /// Begins the flow, from whatever state the module is in.
    ///
    /// # Errors
    /// [`Misuse::AlreadyRunning`].
    pub fn connect(&mut self, now_ms: u64) -> Result<(), Misuse> {
        if !matches!(self.state, State::Idle) {
            return Err(Misuse::AlreadyRunning);
        }
        self.tick(now_ms);
        self.link.reset();
        self.cx.begin();
        self.state = State::start();
        self.cx.step = Step::Identify;
        self.cx.tell(Notice::Step(Step::Identify));
        self.advance(Outcome::Enter);
        Ok(())
    }

    /// Sends a message to the hub. [`Event::Published`] tells when it is acknowledged.
    ///
    /// Topic and payload are copied, so they need not live on.
    ///
    /// # Errors
    /// [`Misuse`]: not connected, busy, or the message cannot be sent; nothing has gone out then.
    pub fn publish(&mut self, now_ms: u64, message: &Message<'_>) -> Result<MessageId, Misuse> {
        self.tick(now_ms);
        let State::Session(session) = &mut self.state else {
            return Err(Misuse::NotConnected);
        };
        let id = MessageId(self.next_id);
        let mut turn = Turn {
            cx: &mut self.cx,
            link: &mut self.link,
        };
        session.publish(&Outgoing { id, message }, &mut turn)?;
        self.next_id = self.next_id.wrapping_add(1);
        Ok(id)
    }

    /// Whether [`Client::publish`] would take a message now.
    pub fn is_ready(&self) -> bool {
        matches!(&self.state, State::Session(session) if session.is_free()) && !self.link.is_busy()
    }

    /// Ends the connection or the running flow and frees the module's MQTT client. [`Event::Disconnected`] follows, or
    /// [`Event::Failed`] at [`Step::Disconnect`] if the module confirms nothing; the client is idle after both.
    ///
    /// # Errors
    /// [`Misuse::NotConnected`] if nothing runs.
    pub fn disconnect(&mut self, now_ms: u64) -> Result<(), Misuse> {
        if matches!(self.state, State::Idle) {
            return Err(Misuse::NotConnected);
        }
        self.tick(now_ms);
        let escape = self.link.is_busy();
        self.link.abandon();
        self.cx.step = Step::Disconnect;
        self.cx.timer = None;
        self.cx.tell(Notice::Step(Step::Disconnect));
        self.state = if escape {
            State::clean_up(Step::Disconnect, Reason::Cancelled, true)
        } else {
            State::disconnect()
        };
        self.advance(Outcome::Enter);
        Ok(())
    }

    /// Tells the time, in unix seconds, so that the module's clock need not be trusted.
    pub fn set_unix_time(&mut self, now_ms: u64, unix_s: u64) {
        self.tick(now_ms);
        self.cx.set_unix_time(unix_s);
    }

    /// Answers [`Event::SignatureNeeded`] with the HMAC-SHA256 of its text.
    ///
    /// # Errors
    /// [`Misuse::NoSignatureNeeded`].
    pub fn provide_signature(&mut self, now_ms: u64, signature: &[u8; 32]) -> Result<(), Misuse> {
        self.tick(now_ms);
        let State::Connect(connect) = &self.state else {
            return Err(Misuse::NoSignatureNeeded);
        };
        if !connect.waits_for_signature()
            || !matches!(self.cx.config.credential, Credential::ExternalKey)
        {
            return Err(Misuse::NoSignatureNeeded);
        }
        self.cx.signature = Some(*signature);
        self.advance(Outcome::Noted);
        Ok(())
    }

    /// Copies the bytes to send next into `out` and returns how many; 0 when there is nothing to send.
    pub fn poll_transmit(&mut self, out: &mut [u8]) -> usize {
        self.link.poll_transmit(out)
    }

    /// Which bytes of the chunk that [`Client::poll_transmit`] gave last are secret and must not be shown.
    pub fn transmitted_secret(&self) -> Range<usize> {
        self.link.transmitted_secret()
    }

    /// When [`Client::poll`] must be called at the latest, in milliseconds; `None` while nothing is awaited.
    pub fn poll_timeout(&self) -> Option<u64> {
        if self.cx.has_notice() {
            return Some(self.cx.now);
        }
        match (self.link.poll_timeout(), self.cx.timer) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Takes bytes from the front of `input` and returns one event; `None` when the input is empty and no deadline
    /// has passed.
    pub fn poll<'a, 'i: 'a>(&'a mut self, now_ms: u64, input: &mut &'i [u8]) -> Option<Event<'a>> {
        self.tick(now_ms);
        loop {
            if let Some(notice) = self.cx.next_notice() {
                return Some(self.event(notice));
            }
            match self.link.poll_raw(self.cx.now, input) {
                Some(raw) => {
                    if let Some(shown) = self.on_link(raw) {
                        return Some(self.show(raw, shown));
                    }
                }
                None if self.cx.timer.is_some_and(|at| at <= self.cx.now)
                    && !self.link.is_busy() =>
                {
                    self.cx.timer = None;
                    self.advance(Outcome::Timer);
                }
                None => match self.cx.next_notice() {
                    Some(notice) => return Some(self.event(notice)),
                    None => return None,
                },
            }
        }
    }

    /// The step that the flow is in.
    pub fn step(&self) -> Step {
        self.cx.step
    }

    /// Whether messages may be published.
    pub fn is_connected(&self) -> bool {
        matches!(self.state, State::Session(_))
    }

    /// Whether nothing runs: before `connect`, and after a failure or `disconnect`.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// What is known of the module.
    pub fn module(&self) -> ModuleInfo<'_> {
        self.cx.info()
    }

    fn tick(&mut self, now_ms: u64) {
        self.cx.now = self.cx.now.max(now_ms);
    }

    /// Lets the state go on until it waits for the module.
    fn advance(&mut self, outcome: Outcome) {
        let mut outcome = outcome;
        loop {
            let state = core::mem::replace(&mut self.state, State::Idle);
            let mut turn = Turn {
                cx: &mut self.cx,
                link: &mut self.link,
            };
            match state.advance(outcome, &mut turn) {
                Ok(next) => self.state = next,
                Err(reason) => {
                    self.fail(reason, outcome == Outcome::TimedOut);
                    return;
                }
            }
            if !core::mem::take(&mut self.cx.entered) {
                return;
            }
            outcome = Outcome::Enter;
        }
    }

    /// Ends the flow; from the step on in which the module holds a connection, that is closed first.
    fn fail(&mut self, reason: Reason, escape: bool) {
        let step = self.cx.step;
        self.link.abandon();
        self.cx.timer = None;
        if let State::Session(session) = &mut self.state {
            session.give_up(reason, &mut self.cx);
        }
        let holds = (Step::Open..=Step::Session).contains(&step) && !gone(reason);
        if escape || holds {
            self.state = State::clean_up(step, reason, escape);
            let state = core::mem::replace(&mut self.state, State::Idle);
            let mut turn = Turn {
                cx: &mut self.cx,
                link: &mut self.link,
            };
            if let Ok(next) = state.advance(Outcome::Enter, &mut turn) {
                self.state = next;
                return;
            }
        }
        self.state = State::Idle;
        self.cx.tell(Notice::Failed(step, reason));
    }

    fn on_link(&mut self, raw: RawEvent<'_>) -> Option<Shown> {
        match self.link.resolve(raw) {
            LinkEvent::Answer(line) => {
                self.state.note(Note::Answer(line), &mut self.cx);
                None
            }
            LinkEvent::Urc(line) => {
                let seen = self.cx.see(line);
                let shown = match seen {
                    Seen::Note(shown) => {
                        self.state.note(Note::Urc(line), &mut self.cx);
                        shown
                    }
                    Seen::Fail(reason) => {
                        self.fail(reason, false);
                        return None;
                    }
                    Seen::Restart => {
                        self.link.reset();
                        self.state = State::start();
                        self.cx.step = Step::Identify;
                        self.cx.tell(Notice::Step(Step::Identify));
                        self.advance(Outcome::Enter);
                        return None;
                    }
                };
                if !self.link.is_busy() {
                    self.advance(Outcome::Noted);
                }
                shown
            }
            LinkEvent::Done { result, line } => {
                // What a command of the clean-up says explains nothing.
                if !result.is_ok() && !matches!(self.state, State::Disconnect(_)) {
                    self.cx.evidence.set(line.bytes());
                }
                self.advance(Outcome::Done(result));
                None
            }
            LinkEvent::TimedOut => {
                self.advance(Outcome::TimedOut);
                None
            }
            LinkEvent::Lost { bytes, reason, .. } => {
                if reason != LostReason::StaleEcho {
                    self.cx.noise = self.cx.noise.saturating_add(1);
                    self.cx.warn(Warning::BytesLost {
                        bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
                    });
                }
                None
            }
            LinkEvent::Late { .. } | LinkEvent::Data(_) => None,
            _ => None,
        }
    }

    fn event(&self, notice: Notice) -> Event<'_> {
        match notice {
            Notice::Step(step) => Event::Step(step),
            Notice::Identified => Event::Identified(self.cx.info()),
            Notice::SignatureNeeded => Event::SignatureNeeded {
                to_sign: self.cx.to_sign(),
            },
            Notice::Warning(warning) => Event::Warning(warning),
            Notice::Connected => Event::Connected,
            Notice::Published(id) => Event::Published(id),
            Notice::PublishFailed(id, reason) => Event::PublishFailed { id, reason },
            Notice::Disconnected => Event::Disconnected,
            Notice::Failed(step, reason) => Event::Failed(Failure {
                step,
                reason,
                line: Line::new(self.cx.evidence.bytes()),
            }),
        }
    }

    fn show<'a, 'i: 'a>(&'a self, raw: RawEvent<'i>, shown: Shown) -> Event<'a> {
        let LinkEvent::Urc(line) = self.link.resolve(raw) else {
            return Event::Urc(Line::new(b""));
        };
        if shown == Shown::Message
            && let Some(quectel_mqtt::Urc::Recv(message)) = quectel_mqtt::Urc::parse(line)
            && let Ok(topic) = core::str::from_utf8(message.topic)
            && let azure_auth::topics::Topic::C2d { properties, .. } =
                azure_auth::topics::Topic::parse(topic)
        {
            return Event::Message(ReceivedMessage {
                topic,
                payload: message.payload,
                properties,
            });
        }
        Event::Urc(line)
    }
}

impl core::fmt::Debug for Client<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Client")
            .field("context", &self.cx)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// How a URC is shown to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Message,
    Urc,
}

/// What a URC means for the whole flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The state is told; the user perhaps too.
    Note(Option<Shown>),
    /// It ends the flow.
    Fail(Reason),
    /// The module was still booting; begin again.
    Restart,
}

/// Whether the module has dropped the connection by itself.
fn gone(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::ModuleReset
            | Reason::PdpLost
            | Reason::ClosedByHub
            | Reason::ConnectionLost
            | Reason::ConnectRefused
    )
}

/// The result of a command that must succeed.
pub(crate) fn expect_ok(outcome: Outcome) -> Result<(), Reason> {
    match outcome {
        Outcome::Done(result) if result.is_ok() => Ok(()),
        Outcome::Done(_) => Err(Reason::CommandRefused),
        Outcome::TimedOut => Err(Reason::CommandTimeout),
        _ => Ok(()),
    }
}

/// The number of a `+CME ERROR` that ended a command.
pub(crate) fn cme(outcome: Outcome) -> Option<u16> {
    match outcome {
        Outcome::Done(ResultCode::Cme(error)) => error.code(),
        _ => None,
    }
}
