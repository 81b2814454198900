//! One turn of the loop: write, wait, read, poll.

use core::time::Duration;

use quectel_azure::{Event, Step};

use super::{Driver, Happened, Notice, Received};
use crate::port::CHUNK;
use crate::{Direction, Error, FlowFailure};

/// The longest wait for the port at a time, so that a cancellation is seen soon.
pub(super) const SLICE: Duration = Duration::from_millis(100);
/// The longest that a port may take no byte at all.
pub(super) const STALL_MS: u64 = 10_000;
/// The longest that disconnecting may take after a cancellation, in milliseconds.
pub(super) const WIND_DOWN_MS: u64 = 15_000;
/// Messages that wait for [`Driver::receive`]; the oldest is dropped beyond this.
pub(super) const INBOX: usize = 256;

impl Driver<'_> {
    /// One turn of the loop; winds the connection down when it has to end.
    pub(super) fn turn(&mut self, end: Option<u64>) -> Result<(), Error> {
        let result = self.check().and_then(|()| self.exchange(end));
        let Err(mut error) = result else {
            return Ok(());
        };
        let at = self.clock.now();
        if let Some(observer) = &mut self.observer {
            observer(Notice::Ended { at, error: &error });
        }
        match &mut error {
            // There is nobody to talk to.
            Error::Port { .. } => {}
            Error::Cancelled { freed, .. } => *freed = self.wind_down(),
            _ => {
                self.wind_down();
            }
        }
        self.finish_trace();
        Err(error)
    }

    fn check(&mut self) -> Result<(), Error> {
        let step = self.client.step();
        if self.cancel.is_cancelled() {
            return Err(Error::Cancelled { step, freed: false });
        }
        if self.limit_at.is_some_and(|at| at <= self.clock.now_ms()) {
            return Err(Error::TimeLimit { step });
        }
        if core::mem::take(&mut self.signer_missing) {
            return Err(Error::NoSigner);
        }
        Ok(())
    }

    /// Disconnects, so that the next run finds the module ready; whether the module confirmed it.
    fn wind_down(&mut self) -> bool {
        if !self.unsent.is_empty() {
            self.unsent.clear();
            let _ = self.port.clear();
        }
        self.stalled_since = None;
        self.happened.clear();
        let end = self.clock.now_ms().saturating_add(WIND_DOWN_MS);
        self.freed = false;
        if self.client.disconnect(self.clock.now_ms()).is_err() {
            return false;
        }
        self.poll(&[]);
        while !self.client.is_idle() && !self.cancel.is_urgent() && self.clock.now_ms() < end {
            if self.exchange(Some(end)).is_err() {
                return self.freed;
            }
        }
        self.happened.clear();
        self.freed
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

    pub(super) fn poll(&mut self, bytes: &[u8]) {
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
                    let line = self.last_line.as_str();
                    let failure = FlowFailure::new(Step::Session, reason, line);
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
        let (observer, last_line) = (&mut self.observer, &mut self.last_line);
        let (freed, mqtt) = (&mut self.freed, self.mqtt);
        self.trace.deliver(|line| {
            if line.direction() == Direction::FromModule
                && let Some(text) = line.readable()
            {
                *freed |= says_freed(&text, mqtt);
                *last_line = text;
            }
            if let Some(observer) = observer {
                observer(Notice::Wire(line));
            }
        });
    }

    pub(super) fn finish_trace(&mut self) {
        self.trace.finish(self.clock.now());
        self.show_wire();
    }
}

/// Whether the line says that this MQTT client is disconnected or closed.
fn says_freed(line: &str, mqtt: u8) -> bool {
    let Some((name, values)) = line.split_once(": ") else {
        return false;
    };
    let mut values = values.split(',');
    let of_client = values.next().and_then(|v| v.trim().parse().ok()) == Some(mqtt);
    match name {
        "+QMTSTAT" => of_client,
        "+QMTDISC" | "+QMTCLOSE" => of_client && values.next().is_some_and(|v| v.trim() == "0"),
        _ => false,
    }
}
