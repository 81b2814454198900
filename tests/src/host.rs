//! Drives the device client against a [`World`].

use quectel_azure::{Buffers, Client, Config, Event, Reason, Step};

use crate::world::World;

/// An event of the client, kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A step begins.
    Step(Step),
    /// Model and profile.
    Identified(String, &'static str),
    /// A warning's text.
    Warning(&'static str),
    /// The text to sign.
    SignatureNeeded(Vec<u8>),
    /// Connected.
    Connected,
    /// Acknowledged.
    Published(u32),
    /// Not acknowledged.
    PublishFailed(u32, Reason),
    /// Topic and payload.
    Message(String, Vec<u8>),
    /// Another line.
    Urc(String),
    /// Ended as wished.
    Disconnected,
    /// Step, reason and line.
    Failed(Step, Reason, String),
}

impl Seen {
    fn of(event: Event<'_>) -> Self {
        match event {
            Event::Step(step) => Self::Step(step),
            Event::Identified(module) => Self::Identified(module.model.into(), module.profile.name),
            Event::SignatureNeeded { to_sign } => Self::SignatureNeeded(to_sign.to_vec()),
            Event::Warning(warning) => Self::Warning(warning.text()),
            Event::Connected => Self::Connected,
            Event::Published(id) => Self::Published(id.number()),
            Event::PublishFailed { id, reason } => Self::PublishFailed(id.number(), reason),
            Event::Message(message) => {
                Self::Message(message.topic.into(), message.payload.to_vec())
            }
            Event::Urc(line) => Self::Urc(line.to_string()),
            Event::Disconnected => Self::Disconnected,
            Event::Failed(failure) => {
                Self::Failed(failure.step, failure.reason, failure.line.to_string())
            }
            other => panic!("an event that the tests do not know: {other:?}"),
        }
    }

    /// Whether the flow is over or connected.
    pub fn settles(&self) -> bool {
        matches!(
            self,
            Self::Connected | Self::Failed(..) | Self::Disconnected
        )
    }
}

/// A client with its memory.
pub struct Memory {
    rx: Vec<u8>,
    tx: Vec<u8>,
    scratch: Vec<u8>,
}

impl Memory {
    /// Room for everything.
    pub fn new() -> Self {
        Self {
            rx: vec![0; 8192],
            tx: vec![0; 8192],
            scratch: vec![0; 2048],
        }
    }

    /// A client in this memory.
    pub fn client<'b>(&'b mut self, config: Config<'b>) -> Client<'b> {
        let buffers = Buffers {
            rx: &mut self.rx,
            tx: &mut self.tx,
            scratch: &mut self.scratch,
        };
        Client::new(config, buffers).expect("the settings are right")
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// How many bytes of the module the client is given at once; 0 for all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chunk(pub usize);

/// Runs both until `stop` says so or `limit_ms` of virtual time have passed, and returns every event.
pub fn drive(
    client: &mut Client<'_>,
    world: &mut World,
    Chunk(chunk): Chunk,
    limit_ms: u64,
    mut stop: impl FnMut(&Seen) -> bool,
) -> Vec<Seen> {
    let end = world.now_ms + limit_ms;
    let mut seen = Vec::new();
    let mut out = [0; 256];
    loop {
        let mut quiet = true;
        loop {
            let n = client.poll_transmit(&mut out);
            if n == 0 {
                break;
            }
            quiet = false;
            world.send(&out[..n]);
        }
        world.settle();
        let bytes = core::mem::take(&mut world.uart);
        quiet &= bytes.is_empty();
        let step = if chunk == 0 {
            bytes.len().max(1)
        } else {
            chunk
        };
        let none: &[u8] = &[];
        let pieces = bytes.chunks(step).chain(bytes.is_empty().then_some(none));
        for piece in pieces {
            let mut input = piece;
            while let Some(event) = client.poll(world.now_ms, &mut input) {
                quiet = false;
                let event = Seen::of(event);
                let stopped = stop(&event);
                seen.push(event);
                if stopped {
                    return seen;
                }
            }
        }
        if !quiet {
            continue;
        }
        let next = client
            .poll_timeout()
            .into_iter()
            .chain(world.next_at())
            .min();
        match next {
            Some(at) if at <= end => world.run_until(at.max(world.now_ms + 1)),
            _ => return seen,
        }
    }
}

/// Connects, and returns every event up to the result.
pub fn connect(client: &mut Client<'_>, world: &mut World) -> Vec<Seen> {
    client.connect(world.now_ms).expect("the client is idle");
    drive(client, world, Chunk(0), 1_000_000, Seen::settles)
}
