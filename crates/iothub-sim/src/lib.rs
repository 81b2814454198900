//! A local Azure IoT Hub and Device Provisioning Service for tests.
//!
//! Any MQTT device client can be run against it on one machine. It answers as the real service does,
//! which for most mistakes is CONNACK 5 or a closed connection, and *records* what the mistake was: every
//! refused connection has a [`Reason`] with a sentence and a stable [`code`](Reason::code), and what the
//! real service drops in silence becomes a [`Warning`].
//!
//! # Three layers
//!
//! - [`Hub`]: the rules. Decrypted bytes, [`TlsFacts`] and [time](Now) in; bytes and [`Record`]s out. No
//!   socket, no clock; the same calls give the same answers.
//! - [`TlsHub`]: the same behind TLS, still without sockets, for tests in virtual time. [`TlsSession`] is
//!   one connection of it.
//! - [`LocalHub`]: a server on a TCP port, started and stopped from ordinary code.
//!
//! ```
//! use core::time::Duration;
//! use iothub_sim::{Config, Device, Event, LocalHub};
//!
//! let config = Config::single_device("contoso.azure-devices.net", Device::with_generated_keys("dev1"));
//! let hub = LocalHub::start(&config)?;
//! println!("{} {:?}\n{}", hub.addr(), hub.connection_string("dev1"), hub.ca_pem());
//! // … hand these to a device …
//! let first = hub.wait_for(Duration::from_millis(1), |record| match &record.event {
//!     Event::Telemetry(telemetry) => Some(telemetry.payload.clone()),
//!     Event::Refused(refusal) => panic!("{refusal}"),
//!     _ => None,
//! });
//! assert_eq!(first, None);
//! hub.stop();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Reaching it
//!
//! The certificate is valid for the configured hubs, for the provisioning service's names and for
//! `localhost`. A client must send one of them as server name (SNI); switch
//! [`require_sni`](TlsOptions::require_sni) off for clients that cannot. Microsoft's SDKs reach it with
//! `;GatewayHostName=localhost` in the connection string, or when the hub's name leads to the local
//! address.
//!
//! # Configuration file
//!
//! See [`ConfigFile`]. Tables and keys, everything but `host`, `id`, `name`, `permissions`, `id_scope` and
//! `registration_id` optional:
//!
//! ```toml
//! [tls]
//! require_sni = true
//! versions = "1.2"                # or "1.2, 1.3" or "1.3"
//! chain = "rsa"                   # or "ecdsa"
//! fault = "none"                  # expired, not-yet-valid, wrong-name, unknown-root, missing-intermediate
//! handshake_delay_ms = 0
//!
//! [rules]                         # the fields of `Rules`
//! max_subscriptions = 5
//!
//! [rules.throttle]                # the fields of `Throttle`; no limits without it
//! telemetry_per_s = 100
//!
//! [[hub]]
//! host = "contoso.azure-devices.net"
//! other_hosts = ["contoso.device.azure-devices.net"]
//! authorities = ["ca.pem"]        # beside this file; for certificate_authority devices
//!
//! [[hub.policy]]
//! name = "service"
//! permissions = ["service-connect"]   # registry-read, registry-write, device-connect
//! primary_key = "…"               # and secondary_key; derived from the seed if left out
//!
//! [[hub.device]]
//! id = "device1"
//! primary_key = "…"               # or primary_thumbprint, or certificate_authority = true
//! disabled = false
//!
//! [[hub.device.module]]
//! id = "module1"
//!
//! [[provisioning]]
//! id_scope = "0ne00000A0A"
//! retry_after_s = 3
//! polls_before_result = 1
//! issue_certificates_for_days = 30    # offers certificates for signing requests
//!
//! [[provisioning.enrollment]]
//! registration_id = "reg-1"       # primary_key or primary_thumbprint as for devices
//! device_id = "device1"
//! hubs = ["contoso.azure-devices.net"]
//! reprovisioning = "migrate-data" # reset-data, never
//! initial_tags = { site = 1 }
//! initial_desired = { rate = 5 }
//! payload = { hello = "device" }
//! failure = { code = 400207, message = "custom allocation failed" }
//!
//! [[provisioning.group]]
//! name = "fleet"                  # primary_key, or authority = "ca.pem"; settings as above
//!
//! [[fault]]                       # waits for its identity from the start
//! device = "device1"              # and module; or id_scope and registration_id
//! fault = { drop-pubacks = 3 }    # a `Fault`
//!
//! [chaos]
//! seed = 1
//! per_thousand = 10
//! ```
//!
//! # Service side
//!
//! [`ServerOptions::service`] starts an HTTP interface; plain HTTP and HTTPS share the port. Requests carry
//! a SAS token of a policy as IoT Hub's REST API wants it, or `Authorization: Bearer {key}` with the key of
//! [`ServiceOptions`] (then `?hub=HOST` chooses among several hubs). The page at `/` asks for that key, or
//! takes it from the fragment of its address.
//!
//! Of the REST API there are `/devices`, `/devices/{id}` and its `modules` and `commands`, `/devices/query`
//! (`SELECT * | COUNT() AS n FROM devices | devices.modules [WHERE field op literal [AND …]]`),
//! `/twins/{id}` and its `methods`, the same for modules, `/statistics`, and
//! `/messages/serviceBound/feedback`. What Azure does over AMQP is an extension:
//!
//! | request | effect |
//! |---|---|
//! | `POST /sim/devices/{id}/messages?{property bag}` | sends the body as cloud-to-device message; `time-to-live-s` sets its life |
//! | `GET /sim/records` | all records as JSON lines, or as server-sent events if `Accept` asks for them; `kind=telemetry` selects, `limit=1000` reaches further back than the last 200 of them, `follow=false` ends with the past |
//! | `GET /sim/overview` | hubs and identities with their twins |
//! | `POST /sim/devices/{id}/faults` | a [`Fault`] as JSON |
//! | `POST /sim/registrations/{id scope}/{registration id}/faults` | a [`Fault`] for the provisioning service |
//! | `POST /sim/chaos` | [`Chaos`] as JSON, `null` ends it |
//! | `POST /sim/throttle` | [`Throttle`] as JSON, `null` ends it |
//! | `POST /sim/restart` | drops all connections as a service that restarts |
//!
//! # What is different from Azure
//!
//! - Four of the hub's eight cipher suites exist: ECDHE with AES-GCM. The four with CBC do not, because
//!   rustls has none.
//! - Only MQTT over TLS; no WebSocket, AMQP, HTTPS device side or file upload.
//! - Where the documentation is silent the strict reading holds, and [`Rules`] switches it off.
//! - Throttling happens on request only ([`Throttle`], [`Fault`]).
//! - A device with queued cloud-to-device messages need not have been connected before.

#![forbid(unsafe_code)]

mod config;
mod csr;
mod hub;
mod identity;
mod key;
mod message;
mod method;
mod percent;
mod pki;
mod properties;
mod reason;
mod record;
mod sas;
mod server;
mod service;
mod state_folder;
mod thumbprint;
mod time;
mod tls;
mod topic;
mod twin;
mod user_name;
mod warning;
mod x509;

pub use config::{
    Attestation, Config, ConfigError, ConfigFile, ConfigFileError, Credentials, Device, Enrollment,
    EnrollmentGroup, EnrollmentSettings, GroupAttestation, IotHub, Module, Permission, Policy,
    ProvisioningService, RegistrationFailure, Reprovisioning, Rules, Throttle,
};
pub use hub::{
    Chaos, Fault, FaultError, Hub, IdentityInfo, RestoreError, SavedState, TagUpdate, TlsFacts,
};
pub use identity::{IdError, Identity, check_id};
pub use key::{KeyError, SharedAccessKey};
pub use message::{CloudToDeviceMessage, MAX_TIME_TO_LIVE_S, ServiceError};
pub use method::{MethodCall, MethodError, MethodOutcome};
pub use pki::{
    CertificateFault, CertificateFaultError, DeviceCertificate, IssuingAuthority, KeyKind, Pki,
    PkiError, PkiOptions, ServerChain, Validity,
};
pub use properties::Properties;
pub use reason::Reason;
pub use record::{
    CloudToDeviceOutcome, Connected, ConnectionId, Event, MethodId, Proof, Record, Refusal,
    Registration, RegistrationOutcome, Telemetry,
};
pub use sas::sas_token;
pub use server::{Clock, LocalHub, ServerOptions, StartError};
pub use service::ServiceOptions;
pub use state_folder::{StateError, StateFolder};
pub use thumbprint::{Thumbprint, ThumbprintError};
pub use time::Now;
pub use tls::{
    LinkId, TlsConfigError, TlsHub, TlsInput, TlsOptions, TlsServer, TlsSession, TlsVersions,
};
pub use topic::Feature;
pub use twin::{Section, Twin, TwinError};
pub use warning::Warning;
