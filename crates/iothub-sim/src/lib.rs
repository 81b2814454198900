//! A local Azure IoT Hub and Device Provisioning Service for tests.

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
    ProvisioningService, RegistrationFailure, Reprovisioning, Rules,
};
pub use hub::{Chaos, Fault, Hub, IdentityInfo, RestoreError, SavedState, TagUpdate, TlsFacts};
pub use identity::{IdError, Identity, check_id};
pub use key::{KeyError, SharedAccessKey};
pub use message::{CloudToDeviceMessage, ServiceError};
pub use method::{MethodCall, MethodError, MethodOutcome};
pub use pki::{
    CertificateFault, DeviceCertificate, IssuingAuthority, KeyKind, Pki, PkiError, PkiOptions,
    ServerChain, Validity,
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
