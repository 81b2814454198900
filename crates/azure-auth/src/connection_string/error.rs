//! The fields of a connection string, and what can be wrong with them.

use core::fmt;

use crate::identity::IdentityError;
use crate::key::KeyError;
use crate::sas_token::TokenError;

/// A field of a connection string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// `HostName`, the hub.
    HostName,
    /// `DeviceId`.
    DeviceId,
    /// `ModuleId`.
    ModuleId,
    /// `SharedAccessKey`, base64.
    SharedAccessKey,
    /// `SharedAccessKeyName`, the name of a shared access policy.
    SharedAccessKeyName,
    /// `SharedAccessSignature`, a SAS token.
    SharedAccessSignature,
    /// `GatewayHostName`, the host to connect to instead of the hub.
    GatewayHostName,
    /// `x509=true`: a client certificate proves the identity.
    X509,
}

impl Field {
    /// All fields.
    pub const ALL: [Self; 8] = [
        Self::HostName,
        Self::DeviceId,
        Self::ModuleId,
        Self::SharedAccessKey,
        Self::SharedAccessKeyName,
        Self::SharedAccessSignature,
        Self::GatewayHostName,
        Self::X509,
    ];

    /// Its key in the connection string.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::HostName => "HostName",
            Self::DeviceId => "DeviceId",
            Self::ModuleId => "ModuleId",
            Self::SharedAccessKey => "SharedAccessKey",
            Self::SharedAccessKeyName => "SharedAccessKeyName",
            Self::SharedAccessSignature => "SharedAccessSignature",
            Self::GatewayHostName => "GatewayHostName",
            Self::X509 => "x509",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// The text is not the connection string of a device; nothing of it is repeated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionStringError {
    /// It is empty.
    #[error(
        "the connection string is empty: copy the device's primary connection string from the portal"
    )]
    Empty,
    /// It is a SAS token.
    #[error("this is a SAS token, not a connection string: give it as the token")]
    Token,
    /// A part between the semicolons has no `=`.
    #[error(
        "part {part} of the connection string is not Key=Value: parts are joined with ';' and nothing else"
    )]
    NotAPair {
        /// Number of the part, from 1.
        part: u8,
    },
    /// A key is unknown.
    #[error(
        "part {part} of the connection string has an unknown key: the keys are HostName, DeviceId, ModuleId, SharedAccessKey, SharedAccessKeyName, SharedAccessSignature, GatewayHostName and x509"
    )]
    UnknownKey {
        /// Number of the part, from 1.
        part: u8,
    },
    /// A key is spelled in other case, such as `Hostname`.
    #[error("a key of the connection string is spelled in another case: write {0}")]
    Case(Field),
    /// A field stands there twice.
    #[error(
        "the connection string has {0} twice: two strings were joined, or one was changed by hand"
    )]
    Duplicate(Field),
    /// A field has no value.
    #[error("{0} in the connection string has no value")]
    NoValue(Field),
    /// A required field is missing.
    #[error("the connection string has no {0}: copy the device's connection string again, whole")]
    Missing(Field),
    /// It is the connection string of a service, not of a device.
    #[error(
        "this is the connection string of the hub for services: it has no DeviceId; copy the connection string of the device"
    )]
    Service,
    /// Neither key nor token nor `x509=true`.
    #[error(
        "the connection string has no credential: it needs SharedAccessKey, SharedAccessSignature or x509=true"
    )]
    NoCredential,
    /// More than one of key, token and `x509=true`.
    #[error(
        "the connection string has more than one credential: keep one of SharedAccessKey, SharedAccessSignature and x509=true"
    )]
    TwoCredentials,
    /// `SharedAccessKeyName` without a key.
    #[error("the connection string has SharedAccessKeyName but no SharedAccessKey of that policy")]
    NameWithoutKey,
    /// The value of `x509` is neither `true` nor `false`.
    #[error("x509 in the connection string must be true or false")]
    X509,
    /// The name of the policy has a character that policies do not have.
    #[error(
        "SharedAccessKeyName in the connection string has a character that is not printable ASCII"
    )]
    SharedAccessKeyName,
    /// Host name, device id or module id cannot be.
    #[error("in the connection string {0}")]
    Identity(IdentityError),
    /// The host name of the gateway cannot be.
    #[error("in the connection string, GatewayHostName: {0}")]
    Gateway(IdentityError),
    /// The key cannot be.
    #[error("in the connection string: {0}")]
    Key(KeyError),
    /// The SAS token cannot be.
    #[error("in the connection string: {0}")]
    SharedAccessSignature(TokenError),
}

impl ConnectionStringError {
    /// Kebab-case name of the error.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Empty => "connection-string-empty",
            Self::Token => "connection-string-is-token",
            Self::NotAPair { .. } => "connection-string-not-a-pair",
            Self::UnknownKey { .. } => "connection-string-unknown-key",
            Self::Case(_) => "connection-string-key-case",
            Self::Duplicate(_) => "connection-string-duplicate",
            Self::NoValue(_) => "connection-string-no-value",
            Self::Missing(_) => "connection-string-missing",
            Self::Service => "connection-string-of-service",
            Self::NoCredential => "connection-string-no-credential",
            Self::TwoCredentials => "connection-string-two-credentials",
            Self::NameWithoutKey => "connection-string-name-without-key",
            Self::X509 => "connection-string-x509",
            Self::SharedAccessKeyName => "connection-string-key-name",
            Self::Gateway(_) => "gateway-host-name-invalid",
            Self::Identity(error) => error.name(),
            Self::Key(error) => error.name(),
            Self::SharedAccessSignature(error) => error.name(),
        }
    }
}
