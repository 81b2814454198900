//! The module itself: bytes in, bytes out, time in, network requests out, network events in.

mod clock;
mod config;
mod control;
mod data;
mod exec;
mod input;
mod log;
mod output;
mod power;
mod store;
mod timers;

use core::fmt;
use std::{collections::VecDeque, sync::Arc};

pub use config::{ModuleConfig, PowerState, SimState, Timing};
pub use control::{ModuleState, MqttState, Registration};
pub use log::{LogEntry, LogKind};

pub(crate) use clock::{Civil, WallClock};
pub(crate) use exec::Outcome;
pub(crate) use input::PromptEnd;
pub(crate) use power::Power;
pub(crate) use store::{Group, ItemStore};
pub(crate) use timers::TimerId;

use crate::{
    conn::Conns, faults::Place, files::FileStore, mqtt::MqttClient, net::NetRequest, pdp::Contexts,
    profile::Profile, radio::Radio, rng::Rng, session::Session, sim_card::SimCard, ssl::SslSockets,
    tcp::Sockets,
};
use exec::Exec;
use input::Input;
use log::Log;
use output::{Output, Wire};
use timers::Timers;

/// A simulated module: a function of bytes and time.
///
/// It opens no socket and reads no clock. Time is the caller's, in milliseconds from any start, and never goes back;
/// a call with an earlier time is treated as one at the latest time so far.
///
/// The caller's loop: pass what the host wrote to [`uart_rx`](Self::uart_rx), take what the module writes with
/// [`uart_tx`](Self::uart_tx), carry out [`poll_net`](Self::poll_net) and report with [`net_event`](Self::net_event),
/// and come back at [`poll_timeout`](Self::poll_timeout) at the latest.
///
/// ```
/// use quectel_sim::{Module, ModuleConfig, PowerState, Timing};
///
/// let config = ModuleConfig::new("bg96")?.timing(Timing::Fast).power(PowerState::Ready);
/// let mut module = Module::new(config);
/// module.uart_rx(0, b"AT\r");
/// let mut out = Vec::new();
/// module.uart_tx(0, &mut out);
/// assert_eq!(out, b"AT\r\r\nOK\r\n");
/// # Ok::<(), quectel_sim::ProfileError>(())
/// ```
pub struct Module {
    pub(crate) now: u64,
    pub(crate) profile: Arc<Profile>,
    pub(crate) config: Setup,
    factor: f64,
    pub(crate) rng: Rng,
    timers: Timers,
    pub(crate) net_out: VecDeque<NetRequest>,
    input: Input,
    output: Output,
    wire: Wire,
    host_baud: Option<u32>,
    exec: Option<Exec>,
    pub(crate) session: Session,
    pub(crate) power: Power,
    /// Until then some commands answer `ERROR`.
    early_until_ms: u64,
    /// Server and port of the `AT+QNTP` that is under way.
    pub(crate) ntp_running: Option<(String, u64)>,
    pub(crate) clock: WallClock,
    pub(crate) sim: SimCard,
    pub(crate) radio: Radio,
    pub(crate) pdp: Contexts,
    pub(crate) files: FileStore,
    pub(crate) items: ItemStore,
    pub(crate) conns: Conns,
    pub(crate) sockets: Sockets,
    pub(crate) ssl: SslSockets,
    pub(crate) mqtt: [MqttClient; 6],
    pub(crate) faults: crate::faults::Faults,
    log: Log,
}

/// So many bytes of the host arrive together.
const RECEIVE_FIFO: usize = 16;

/// The part of the configuration that matters after the start.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) port: String,
    pub(crate) unix_s: i64,
    pub(crate) nitz: bool,
    pub(crate) ntp: bool,
    pub(crate) apns: Vec<String>,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("model", &self.profile.identity.model)
            .field("revision", &self.profile.identity.revision)
            .field("now_ms", &self.now)
            .field("power", &self.power)
            .finish_non_exhaustive()
    }
}

impl Module {
    /// Makes a module; nothing happens before the first call with a time.
    #[must_use]
    pub fn new(config: ModuleConfig) -> Self {
        let profile = Arc::new(config.profile);
        let mut module = Self {
            now: 0,
            factor: config.timing.factor(),
            rng: Rng::new(config.seed),
            timers: Timers::default(),
            net_out: VecDeque::new(),
            input: Input::default(),
            output: Output::new(config.pace_uart),
            wire: Wire::default(),
            host_baud: None,
            exec: None,
            session: Session::new(&profile, &config.nonvolatile),
            power: Power::Off,
            early_until_ms: 0,
            ntp_running: None,
            clock: WallClock::new(&profile.clock.epoch),
            sim: SimCard::new(config.sim),
            radio: Radio::new(&profile, config.coverage, config.registers),
            pdp: Contexts::new(&profile, &config.nonvolatile),
            files: FileStore::new(&profile, config.files),
            items: ItemStore::default(),
            conns: Conns::default(),
            sockets: Sockets::default(),
            ssl: SslSockets::default(),
            mqtt: core::array::from_fn(|_| MqttClient::new(&profile)),
            faults: crate::faults::Faults::default(),
            log: Log::new(config.log_lines),
            config: Setup {
                port: config.port,
                unix_s: config.unix_s,
                nitz: config.nitz,
                ntp: config.ntp,
                apns: config.apns,
            },
            profile,
        };
        match config.power {
            PowerState::Off => {}
            PowerState::Booting => {
                module.after_exactly(0, Self::boot);
            }
            PowerState::Ready => module.start_ready(),
        }
        module
    }

    /// Bytes that the host wrote to the UART.
    ///
    /// With [`ModuleConfig::pace_uart`] they arrive as fast as the baud rate lets them.
    pub fn uart_rx(&mut self, now_ms: u64, bytes: &[u8]) {
        self.tick(now_ms);
        if !self.output.is_paced() {
            return self.arrive(bytes);
        }
        for chunk in bytes.chunks(RECEIVE_FIFO) {
            let chunk = chunk.to_vec();
            let at = self
                .wire
                .arrival_ms(self.now, self.session.baud, chunk.len());
            self.timers
                .add(at, Box::new(move |module| module.arrive(&chunk)));
        }
        let now = self.now;
        self.tick(now);
    }

    fn arrive(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if !self.baud_differs() {
                self.receive(*byte);
            }
            // Without this, a reply that is due at once would wait for the whole chunk.
            self.run_due();
        }
        self.drain_receive_queue();
    }

    /// Tells the baud rate that the host's side of the UART has now. With another rate than the module's
    /// (`AT+IPR`), nothing that the host writes is understood, and what it reads is garbage.
    ///
    /// Without this call the rates are taken to be the same.
    pub const fn set_host_baud(&mut self, baud: u32) {
        self.host_baud = Some(baud);
    }

    fn baud_differs(&self) -> bool {
        self.host_baud.is_some_and(|baud| baud != self.session.baud)
    }

    /// Appends the bytes that the module has written to the UART by now.
    pub fn uart_tx(&mut self, now_ms: u64, out: &mut Vec<u8>) {
        self.tick(now_ms);
        self.output.take(self.now, self.session.baud, out);
    }

    /// The next thing that the module wants done on the network.
    pub fn poll_net(&mut self) -> Option<NetRequest> {
        self.net_out.pop_front()
    }

    /// The time at which [`tick`](Self::tick) or [`uart_tx`](Self::uart_tx) must be called at the latest, in milliseconds.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let timer = self.timers.next_at();
        let uart = self.output.next_at(self.session.baud);
        [timer, uart, self.faults.next_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Lets time pass.
    pub fn tick(&mut self, now_ms: u64) {
        let target = now_ms.max(self.now);
        loop {
            let fault_at = self.faults.next_at().filter(|at| *at <= target);
            let limit = fault_at.unwrap_or(target).max(self.now);
            while let Some((at, action)) = self.timers.take_due(limit) {
                self.now = self.now.max(at);
                action(self);
                self.drain_receive_queue();
            }
            self.now = limit;
            if fault_at.is_none() {
                return;
            }
            self.faults_at(Place::Time(limit));
        }
    }

    fn run_due(&mut self) {
        let now = self.now;
        while let Some((_, action)) = self.timers.take_due(now) {
            action(self);
        }
    }

    /// Seconds since 1970 in the simulated world.
    pub(crate) fn world_unix_s(&self) -> i64 {
        self.config.unix_s + i64::try_from(self.now / 1000).unwrap_or(0)
    }

    /// What the module's own clock says, in seconds since 1970.
    pub(crate) fn own_unix_s(&self) -> i64 {
        self.clock.unix_s(self.now)
    }

    pub(crate) fn cancel(&mut self, timer: Option<TimerId>) {
        if let Some(id) = timer {
            self.timers.cancel(id);
        }
    }

    pub(crate) fn clear_timers(&mut self) {
        self.timers.clear();
    }
}
