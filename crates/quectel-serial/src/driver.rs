//! The blocking loop around the client.

use core::fmt;
use core::time::Duration;
use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use quectel_azure::{Client, Config, Message, MessageId, Misuse, ModuleInfo};

use crate::{CancelToken, Error, FlowFailure, Port, Storage, Trace};

mod clock;
mod exchange;
mod notice;
#[cfg(test)]
mod tests;

use clock::{Clock, ms};
pub use notice::{Notice, Received};

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
/// After a failure of the flow it may connect again. After [`Error::Port`] the port is gone: open it anew and make
/// another driver, whose first step copes with whatever state the module was left in.
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
    /// What the module said last, for failures that the client reports without a line.
    last_line: String,
    /// Number of the module's MQTT client.
    mqtt: u8,
    /// The module said since the last command to disconnect that its MQTT client is free.
    freed: bool,
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
            mqtt: config.slots.mqtt,
            freed: false,
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
            last_line: String::new(),
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
        self.clock.now()
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
        self.poll(&[]);
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
            let result = self.client.publish(self.clock.now_ms(), message);
            // A connection that ended meanwhile says more than that there is none.
            if result.is_err()
                && let Some(failure) = self.take_failure()
            {
                return Err(failure.into());
            }
            match result {
                Err(Misuse::Busy) => self.turn(None)?,
                other => break other?,
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
        self.poll(&[]);
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
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        self.finish_trace();
    }
}
