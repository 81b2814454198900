//! The hub itself: bytes, TLS facts and time in; bytes and records out.

mod authenticate;
mod c2d;
mod connect;
mod connections;
mod faults;
mod identities;
mod issuing;
mod methods;
mod packets;
mod provisioning;
mod registration;
mod registry;
mod saved;
mod throttle;
mod timers;
mod twins;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mqtt311::Decoder;

pub(crate) use self::identities::connection_string;
use self::{
    connections::{Connection, Phase},
    faults::Faults,
    methods::PendingCall,
    registration::RegistrationState,
    registry::{Endpoint, HubState},
    throttle::Meter,
    timers::{Expiry, Timer},
};
pub use self::{
    faults::{Chaos, Fault, FaultError},
    identities::IdentityInfo,
    saved::{RestoreError, SavedState},
    twins::TagUpdate,
};
use crate::{
    config::{Config, ConfigError, ProvisioningService, Rules},
    identity::Identity,
    reason::Reason,
    record::{ConnectionId, Event, MethodId, Record, Refusal},
    time::Now,
};

/// A device-to-cloud message with its properties, in bytes.
const MAX_TELEMETRY: usize = 256 * 1024;
/// The longest CONNECT, and the most that is stored for somebody who has not shown who he is.
const MAX_CONNECT: usize = 32 * 1024;
/// The longest packet of an accepted client: a whole message, its topic, and the header.
const MAX_PACKET: usize = MAX_TELEMETRY + 64 * 1024 + 16;

/// What the TLS handshake has shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "built by whoever runs TLS for the hub"
)]
pub struct TlsFacts {
    /// The server name (SNI) of the ClientHello.
    pub server_name: Option<String>,
    /// The client's certificates as DER, its own first; possession of its key is proven, nothing else.
    pub client_certificates: Vec<Vec<u8>>,
}

/// One or several IoT Hubs behind one address, without sockets and clocks.
///
/// The caller runs TLS and hands over what it has learned ([`open`](Self::open)), then decrypted
/// bytes ([`receive`](Self::receive)); [`transmit`](Self::transmit) gives the answer. Deadlines pass in
/// [`poll`](Self::poll). The same calls at the same times give the same bytes and records.
///
/// ```
/// use iothub_sim::{Config, Device, Event, Hub, Now, TlsFacts};
///
/// let config = Config::single_device("contoso.azure-devices.net", Device::with_generated_keys("dev1"));
/// let mut hub = Hub::new(&config)?;
/// let now = Now { unix_s: 1_800_000_000, monotonic_ms: 0 };
/// let connection = hub.open(now, TlsFacts::default());
/// hub.receive(now, connection, b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04dev1");
///
/// let mut answer = Vec::new();
/// let close = hub.transmit(connection, &mut answer);
/// assert!(close);
/// assert_eq!(answer, [0x20, 0x02, 0x00, 0x05], "CONNACK: not authorized");
/// let records = hub.take_records();
/// assert!(matches!(&records[0].event, Event::Refused(refusal)
///     if refusal.reason.code() == "user-name-missing"));
/// # Ok::<(), iothub_sim::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct Hub {
    rules: Rules,
    hubs: Vec<HubState>,
    endpoints: BTreeMap<Identity, Endpoint>,
    provisioning: Vec<ProvisioningService>,
    registrations: BTreeMap<Identity, RegistrationState>,
    connections: HashMap<ConnectionId, Connection>,
    /// The live connection of each identity.
    attached: BTreeMap<Identity, ConnectionId>,
    last_connection: u64,
    last_sequence_number: u64,
    last_method: u64,
    calls: BTreeMap<MethodId, PendingCall>,
    faults: Faults,
    registration_meter: Meter,
    /// Counts what a saved state would have to repeat.
    changes: u64,
    /// Configured identities that were deleted.
    deleted: BTreeSet<Identity>,
    timers: BTreeSet<(u64, Timer)>,
    expiries: BTreeSet<(u64, Expiry)>,
    records: Vec<Record>,
    ready: BTreeSet<ConnectionId>,
}

impl Hub {
    /// A hub with nobody connected.
    ///
    /// # Errors
    ///
    /// The configuration contradicts itself.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        config.check()?;
        let mut hubs = Vec::new();
        let mut endpoints = BTreeMap::new();
        for hub in &config.hubs {
            hubs.push(HubState::new(hub)?);
            endpoints.extend(registry::endpoints(hub));
        }
        Ok(Self {
            rules: config.rules.clone(),
            hubs,
            endpoints,
            provisioning: config.provisioning.clone(),
            registrations: BTreeMap::new(),
            connections: HashMap::new(),
            attached: BTreeMap::new(),
            last_connection: 0,
            last_sequence_number: 0,
            last_method: 0,
            calls: BTreeMap::new(),
            faults: Faults::default(),
            registration_meter: Meter::default(),
            changes: 0,
            deleted: BTreeSet::new(),
            timers: BTreeSet::new(),
            expiries: BTreeSet::new(),
            records: Vec::new(),
            ready: BTreeSet::new(),
        })
    }

    /// Takes over a connection whose TLS handshake is done.
    pub fn open(&mut self, now: Now, tls: TlsFacts) -> ConnectionId {
        self.last_connection += 1;
        let id = ConnectionId(self.last_connection);
        self.connections.insert(
            id,
            Connection {
                tls,
                decoder: Decoder::new(MAX_CONNECT),
                out: Vec::new(),
                phase: Phase::AwaitingConnect,
                last_received_ms: now.monotonic_ms,
                silence_timer_ms: None,
            },
        );
        self.arm_connection(id);
        id
    }

    /// Notes a connection that did not survive its TLS handshake.
    pub fn refuse_tls(&mut self, now: Now, server_name: Option<String>, reason: Reason) {
        self.record(
            now,
            Event::Refused(Refusal {
                connection: None,
                sni: server_name,
                client_id: None,
                user_name: None,
                reason,
            }),
        );
    }

    /// Takes decrypted bytes of a client. Bytes of a connection that is closing are ignored.
    pub fn receive(&mut self, now: Now, id: ConnectionId, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.last_received_ms = now.monotonic_ms;
        if matches!(connection.phase, Phase::Closing) {
            return;
        }
        connection.decoder.push(bytes);
        loop {
            let Some(connection) = self.connections.get_mut(&id) else {
                return;
            };
            if matches!(connection.phase, Phase::Closing) {
                return;
            }
            match connection.decoder.next_packet() {
                Ok(Some(packet)) => self.packet(now, id, packet),
                Ok(None) => return,
                Err(error) => return self.undecodable(now, id, error),
            }
        }
    }

    /// Moves the bytes for a client to the end of `out`; `true` means: send them, then close.
    ///
    /// An unknown connection, or one that was already reported as closing, gives no bytes and `true`.
    pub fn transmit(&mut self, id: ConnectionId, out: &mut Vec<u8>) -> bool {
        self.ready.remove(&id);
        let Some(connection) = self.connections.get_mut(&id) else {
            return true;
        };
        out.append(&mut connection.out);
        let closing = matches!(connection.phase, Phase::Closing);
        if closing {
            self.connections.remove(&id);
        } else {
            connection.out.shrink_to(1024);
        }
        closing
    }

    /// Whether a connection only waits for its last bytes to be transmitted.
    pub(crate) fn is_closing(&self, id: ConnectionId) -> bool {
        self.connections
            .get(&id)
            .is_none_or(|connection| matches!(connection.phase, Phase::Closing))
    }

    /// Learns that the client's side of the connection has ended.
    pub fn lost(&mut self, now: Now, id: ConnectionId) {
        self.end(now, id, Reason::Lost);
        self.connections.remove(&id);
        self.ready.remove(&id);
    }

    /// Connections that have something to transmit since this was asked last.
    pub fn take_ready(&mut self) -> Vec<ConnectionId> {
        core::mem::take(&mut self.ready).into_iter().collect()
    }

    /// What has happened since this was asked last, oldest first.
    ///
    /// Records pile up until they are taken.
    pub fn take_records(&mut self) -> Vec<Record> {
        core::mem::take(&mut self.records)
    }

    /// Ends every connection, as a service that is going down does.
    pub fn stop(&mut self, now: Now) {
        let mut ids: Vec<_> = self.connections.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            self.end(now, id, Reason::Stopped);
        }
    }

    /// A provisioning service, to change its enrollments.
    pub fn provisioning_mut(&mut self, id_scope: &str) -> Option<&mut ProvisioningService> {
        self.provisioning
            .iter_mut()
            .find(|service| service.id_scope == id_scope)
    }

    /// Notes that something changed which [`save`](Self::save) saves.
    const fn changed(&mut self) {
        self.changes += 1;
    }

    fn record(&mut self, at: Now, event: Event) {
        self.records.push(Record { at, event });
    }
}
