//! The blocking loop around the client.

use core::fmt;
use core::time::Duration;
use std::collections::VecDeque;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use quectel_azure::azure_auth::Encoded;
use quectel_azure::{
    Client, Config, Event, Message, MessageId, Misuse, ModuleInfo, ReceivedMessage, Step,
};

use crate::port::CHUNK;
use crate::{CancelToken, Error, FlowFailure, Port, Storage, Trace, WireLine};

/// The longest wait for the port at a time, so that a cancellation is seen soon.
const SLICE: Duration = Duration::from_millis(100);
/// The longest that a port may take no byte at all.
const STALL_MS: u64 = 10_000;
/// The longest that disconnecting may take after a cancellation, in milliseconds.
const WIND_DOWN_MS: u64 = 15_000;
/// Messages that wait for [`Driver::receive`]; the oldest is dropped beyond this.
const INBOX: usize = 256;

/// Something to show while the driver works.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// The client tells something.
    Event {
        /// Time since the driver was made.
        at: Duration,
        /// What it tells.
        event: &'a Event<'a>,
    },
    /// A line went out or came in.
    Wire(&'a WireLine),
}

impl<'a> Notice<'a> {
    /// What the client tells, with its time.
    pub const fn event(at: Duration, event: &'a Event<'a>) -> Self {
        Self::Event { at, event }
    }
}

/// A cloud-to-device message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// Topic name as it came.
    pub topic: String,
    /// The body.
    pub payload: Vec<u8>,
    /// Properties, decoded, in their order; a value is `None` where the hub sends a null. Names of system properties
    /// begin with `$.`.
    pub properties: Vec<(String, Option<String>)>,
}

impl From<&ReceivedMessage<'_>> for Received {
    fn from(message: &ReceivedMessage<'_>) -> Self {
        // Names and values are UTF-8 by the service's rules; what is not becomes a replacement character.
        let decoded = |text: Encoded<'_>| {
            String::from_utf8_lossy(&text.bytes().collect::<Vec<u8>>()).into_owned()
        };
        Self {
            topic: message.topic.to_owned(),
            payload: message.payload.to_vec(),
            properties: message
                .properties
                .iter()
                .map(|p| (decoded(p.name), p.value.map(decoded)))
                .collect(),
        }
    }
}

/// What ends an operation.
#[derive(Debug)]
enum Happened {
    Connected,
    Published(MessageId),
    Disconnected,
    Failed(FlowFailure),
    NotPublished(MessageId, FlowFailure),
}

type Observer<'b> = Box<dyn FnMut(Notice<'_>) + Send + 'b>;
type Signer<'b> = Box<dyn FnMut(&[u8]) -> [u8; 32] + Send + 'b>;

/// Connects a module to a hub over a [`Port`], and blocks while it works.
///
/// ```no_run
/// use quectel_serial::{Driver, Message, PortSettings, Settings, Storage, open};
///
/// let mut settings = Settings::from_connection_string("HostName=…;DeviceId=…;SharedAccessKey=…")?;
/// settings.apn = "iot.example".into();
/// let port = open("/dev/ttyUSB2", PortSettings::default())?;
/// let mut storage = Storage::default();
/// let mut driver = Driver::new(port, settings.config(), &mut storage)?;
/// driver.connect()?;
/// driver.publish(&Message::new(br#"{"temperature":21.5}"#).json())?;
/// driver.disconnect()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Driver<'b> {
    client: Client<'b>,
    port: Box<dyn Port + 'b>,
    clock: Clock,
    cancel: CancelToken,
    trace: Trace<'b>,
    observer: Option<Observer<'b>>,
    signer: Option<Signer<'b>>,
    host_time: bool,
    limit_at: Option<u64>,
    /// When the port began to take nothing.
    stalled_since: Option<u64>,
    /// Bytes of the client that the port has not taken yet.
    unsent: Vec<u8>,
    happened: VecDeque<Happened>,
    inbox: VecDeque<Received>,
    signer_missing: bool,
}

impl fmt::Debug for Driver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("port", &self.port.name())
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl<'b> Driver<'b> {
    /// A driver of the module behind `port`. Nothing is sent.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn new(
        port: impl Port + 'b,
        config: Config<'b>,
        storage: &'b mut Storage,
    ) -> Result<Self, Error> {
        Ok(Self {
            client: Client::new(config, storage.buffers())?,
            port: Box::new(port),
            clock: Clock::default(),
            cancel: CancelToken::default(),
            trace: Trace::default(),
            observer: None,
            signer: None,
            host_time: true,
            limit_at: None,
            stalled_since: None,
            unsent: Vec::new(),
            happened: VecDeque::new(),
            inbox: VecDeque::new(),
            signer_missing: false,
        })
    }

    /// The same, ended by this token.
    #[must_use]
    pub fn cancel(mut self, cancel: CancelToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// The same, recorded.
    #[must_use]
    pub fn trace(mut self, trace: Trace<'b>) -> Self {
        self.trace = trace;
        self
    }

    /// The same, observed: every event and every line of the wire, as they happen.
    #[must_use]
    pub fn observe(mut self, observer: impl FnMut(Notice<'_>) + Send + 'b) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// The same with a key held elsewhere: `sign` gives the HMAC-SHA256 of its argument.
    #[must_use]
    pub fn signer(mut self, sign: impl FnMut(&[u8]) -> [u8; 32] + Send + 'b) -> Self {
        self.signer = Some(Box::new(sign));
        self
    }

    /// The same with the time taken from the module and its network instead of this computer.
    #[must_use]
    pub fn without_host_time(mut self) -> Self {
        self.host_time = false;
        self
    }

    /// Gives all that follows so much time together; `None` takes the limit away.
    pub fn time_limit(&mut self, limit: Option<Duration>) {
        self.limit_at = limit.map(|limit| self.clock.now_ms().saturating_add(ms(limit)));
    }

    /// Time since the driver was made, as in [`Notice`] and [`Trace`].
    pub fn elapsed(&self) -> Duration {
        Duration::from_millis(self.clock.now_ms())
    }

    /// What is known of the module.
    pub fn module(&self) -> ModuleInfo<'_> {
        self.client.module()
    }

    /// Whether messages may be published.
    pub fn is_connected(&self) -> bool {
        self.client.is_connected()
    }

    /// The first error of a recorder, which was dropped then.
    pub const fn trace_fault(&self) -> Option<&std::io::Error> {
        self.trace.fault()
    }

    /// Runs the flow until the hub has accepted the device.
    ///
    /// # Errors
    /// [`Error::Failed`] names the step, the reason and the module's line.
    pub fn connect(&mut self) -> Result<(), Error> {
        let now = self.clock.now_ms();
        if self.host_time
            && let Ok(since) = SystemTime::now().duration_since(UNIX_EPOCH)
        {
            self.client.set_unix_time(now, since.as_secs());
        }
        self.client.connect(now)?;
        self.until(|happened| match happened {
            Happened::Connected => Some(Ok(())),
            _ => None,
        })
    }

    /// Sends a message and waits until the hub has acknowledged it, or with QoS 0 until it is sent.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the message cannot be sent; [`Error::Failed`] if it was not acknowledged.
    pub fn publish(&mut self, message: &Message<'_>) -> Result<MessageId, Error> {
        let id = loop {
            match self.client.publish(self.clock.now_ms(), message) {
                Err(Misuse::Busy) => self.turn(None)?,
                other => break other?,
            }
            if let Some(failure) = self.take_failure() {
                return Err(failure.into());
            }
        };
        self.until(|happened| match happened {
            Happened::Published(done) if *done == id => Some(Ok(id)),
            Happened::NotPublished(done, failure) if *done == id => {
                Some(Err(failure.clone().into()))
            }
            _ => None,
        })
    }

    /// Waits at most `timeout` for a cloud-to-device message.
    ///
    /// # Errors
    /// [`Error::Failed`] if the connection ended; [`Error::Misuse`] if there is none.
    pub fn receive(&mut self, timeout: Duration) -> Result<Option<Received>, Error> {
        let end = self.clock.now_ms().saturating_add(ms(timeout));
        loop {
            if let Some(message) = self.inbox.pop_front() {
                return Ok(Some(message));
            }
            if let Some(failure) = self.take_failure() {
                return Err(failure.into());
            }
            if !self.client.is_connected() {
                return Err(Misuse::NotConnected.into());
            }
            if self.clock.now_ms() >= end {
                return Ok(None);
            }
            self.turn(Some(end))?;
        }
    }

    /// Ends the connection and frees the module's MQTT client. Without a connection it does nothing.
    ///
    /// # Errors
    /// [`Error::Port`] if the port is gone; [`Error::Failed`] if the module did not disconnect in order.
    pub fn disconnect(&mut self) -> Result<(), Error> {
        if self.client.is_idle() {
            return Ok(());
        }
        self.client.disconnect(self.clock.now_ms())?;
        self.until(|happened| match happened {
            Happened::Disconnected => Some(Ok(())),
            _ => None,
        })
    }

    /// Runs until `ends` recognises the end, the flow fails, or somebody ends it.
    fn until<T>(
        &mut self,
        ends: impl Fn(&Happened) -> Option<Result<T, Error>>,
    ) -> Result<T, Error> {
        loop {
            while let Some(happened) = self.happened.pop_front() {
                if let Some(result) = ends(&happened) {
                    return result;
                }
                if let Happened::Failed(failure) = happened {
                    return Err(failure.into());
                }
            }
            self.turn(None)?;
        }
    }

    fn take_failure(&mut self) -> Option<FlowFailure> {
        while let Some(happened) = self.happened.pop_front() {
            if let Happened::Failed(failure) = happened {
                return Some(failure);
            }
        }
        None
    }

    /// One turn of the loop; winds the connection down when it has to end.
    fn turn(&mut self, end: Option<u64>) -> Result<(), Error> {
        let result = self.check().and_then(|()| self.exchange(end));
        let Err(error) = result else { return Ok(()) };
        match &error {
            // There is nobody to talk to.
            Error::Port { .. } => {}
            _ => self.wind_down(),
        }
        self.finish_trace();
        Err(error)
    }

    fn check(&mut self) -> Result<(), Error> {
        let step = self.client.step();
        if self.cancel.is_cancelled() {
            return Err(Error::Cancelled { step });
        }
        if self.limit_at.is_some_and(|at| at <= self.clock.now_ms()) {
            return Err(Error::TimeLimit { step });
        }
        if core::mem::take(&mut self.signer_missing) {
            return Err(Error::NoSigner);
        }
        Ok(())
    }

    /// Disconnects, so that the next run finds the module ready.
    fn wind_down(&mut self) {
        if !self.unsent.is_empty() {
            self.unsent.clear();
            let _ = self.port.clear();
        }
        self.stalled_since = None;
        self.happened.clear();
        let end = self.clock.now_ms().saturating_add(WIND_DOWN_MS);
        if self.client.disconnect(self.clock.now_ms()).is_err() {
            return;
        }
        while !self.client.is_idle() && !self.cancel.is_urgent() && self.clock.now_ms() < end {
            if self.exchange(Some(end)).is_err() {
                return;
            }
        }
        self.happened.clear();
    }

    /// Writes what the client has, waits for bytes or its deadline, gives them to it.
    fn exchange(&mut self, end: Option<u64>) -> Result<(), Error> {
        if !self.transmit()? {
            // The client's time stands still while the port takes nothing, or its commands would run out of time unsent.
            let bytes = self.receive_bytes(Duration::from_millis(1))?;
            if !bytes.is_empty() {
                self.poll(&bytes);
            }
            return Ok(());
        }
        let now = self.clock.now_ms();
        let due = [self.client.poll_timeout(), end, self.limit_at]
            .into_iter()
            .flatten()
            .min();
        let wait = due.map_or(SLICE, |at| {
            SLICE.min(Duration::from_millis(at.saturating_sub(now)))
        });
        let bytes = self.receive_bytes(wait)?;
        self.poll(&bytes);
        Ok(())
    }

    /// Whether everything is out.
    fn transmit(&mut self) -> Result<bool, Error> {
        let mut any = false;
        loop {
            if self.unsent.is_empty() {
                let mut chunk = [0; CHUNK];
                let n = self.client.poll_transmit(&mut chunk);
                let chunk = chunk.get(..n).unwrap_or_default();
                if chunk.is_empty() {
                    break;
                }
                any = true;
                self.trace
                    .sent(self.clock.now(), chunk, &self.client.transmitted_secret());
                self.unsent.extend_from_slice(chunk);
            }
            let taken = self
                .port
                .write(&self.unsent, SLICE)
                .map_err(|e| self.port_error(e))?;
            self.unsent.drain(..taken.min(self.unsent.len()));
            self.check_stall(taken)?;
            if taken == 0 {
                return Ok(false);
            }
        }
        if any {
            self.trace.sent_all(self.clock.now());
            self.show_wire();
        }
        Ok(true)
    }

    fn check_stall(&mut self, taken: usize) -> Result<(), Error> {
        let now = self.clock.now_ms();
        if taken > 0 {
            self.stalled_since = None;
            return Ok(());
        }
        let since = *self.stalled_since.get_or_insert(now);
        if now.saturating_sub(since) < STALL_MS {
            return Ok(());
        }
        Err(Error::Stalled {
            step: self.client.step(),
            port: self.port.name().to_owned(),
        })
    }

    fn receive_bytes(&mut self, wait: Duration) -> Result<Vec<u8>, Error> {
        let mut buf = vec![0; 1024];
        let n = self
            .port
            .read(&mut buf, wait)
            .map_err(|e| self.port_error(e))?;
        buf.truncate(n);
        if buf.is_empty() {
            self.trace.quiet(self.clock.now());
        } else {
            self.trace.received(self.clock.now(), &buf);
        }
        self.show_wire();
        Ok(buf)
    }

    fn poll(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        loop {
            let at = self.clock.now();
            let Some(event) = self.client.poll(self.clock.now_ms(), &mut input) else {
                return;
            };
            if let Some(observer) = &mut self.observer {
                observer(Notice::Event { at, event: &event });
            }
            let mut signature = None;
            match event {
                Event::Connected => self.happened.push_back(Happened::Connected),
                Event::Published(id) => self.happened.push_back(Happened::Published(id)),
                Event::PublishFailed { id, reason } => {
                    let failure = FlowFailure {
                        step: Step::Session,
                        reason,
                        line: String::new(),
                    };
                    self.happened.push_back(Happened::NotPublished(id, failure));
                }
                Event::Disconnected => self.happened.push_back(Happened::Disconnected),
                Event::Failed(failure) => self.happened.push_back(Happened::Failed(failure.into())),
                Event::Message(message) => {
                    if self.inbox.len() >= INBOX {
                        self.inbox.pop_front();
                    }
                    self.inbox.push_back(Received::from(&message));
                }
                Event::SignatureNeeded { to_sign } => match &mut self.signer {
                    Some(sign) => signature = Some(sign(to_sign)),
                    None => self.signer_missing = true,
                },
                _ => {}
            }
            if let Some(signature) = signature {
                // Refused only when the flow has gone on meanwhile; then it is not needed.
                let _ = self
                    .client
                    .provide_signature(self.clock.now_ms(), &signature);
            }
        }
    }

    fn port_error(&self, source: std::io::Error) -> Error {
        Error::Port {
            step: self.client.step(),
            port: self.port.name().to_owned(),
            source,
        }
    }

    fn show_wire(&mut self) {
        let observer = &mut self.observer;
        self.trace.deliver(|line| {
            if let Some(observer) = observer {
                observer(Notice::Wire(line));
            }
        });
    }

    fn finish_trace(&mut self) {
        self.trace.finish(self.clock.now());
        self.show_wire();
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        self.finish_trace();
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds since the driver was made.
struct Clock {
    start: Instant,
    /// Time that tests pass by hand.
    #[cfg(test)]
    by_hand: Option<Box<dyn Fn() -> u64 + Send>>,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            #[cfg(test)]
            by_hand: None,
        }
    }
}

impl Clock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.now_ms())
    }

    fn now_ms(&self) -> u64 {
        #[cfg(test)]
        if let Some(by_hand) = &self.by_hand {
            return by_hand();
        }
        ms(self.start.elapsed())
    }
}

#[cfg(test)]
mod tests;
