//! What can be wrong with a configuration.

use crate::identity::IdError;

/// The configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No hub is configured.
    #[error("no hub is configured; name at least one host such as `contoso.azure-devices.net`")]
    NoHub,
    /// A host name has other characters than letters, digits, `-` and `.`, or no character.
    #[error("`{0}` is not a host name")]
    Host(String),
    /// A host name appears twice.
    #[error("host name `{0}` is configured twice")]
    DuplicateHost(String),
    /// A device or module id appears twice.
    #[error("device or module `{0}` is configured twice")]
    DuplicateDevice(String),
    /// A policy name appears twice.
    #[error("shared access policy `{0}` is configured twice")]
    DuplicatePolicy(String),
    /// An id scope appears twice.
    #[error("id scope `{0}` is configured twice")]
    DuplicateScope(String),
    /// An id scope is empty or has other characters than letters and digits.
    #[error("`{0}` is not an id scope such as `0ne00000A0A`")]
    Scope(String),
    /// An enrollment or group appears twice.
    #[error("enrollment or group `{0}` is configured twice")]
    DuplicateEnrollment(String),
    /// A registration id is not allowed.
    #[error(
        "`{0}` is not a registration id: 1 to 128 letters, digits and - : . _, the first and last a letter or digit"
    )]
    RegistrationId(String),
    /// An enrollment assigns to a hub that does not exist.
    #[error("enrollment `{enrollment}` names the hub `{host}`, which is not configured")]
    EnrollmentHub {
        /// The enrollment or group.
        enrollment: String,
        /// The host it names.
        host: String,
    },
    /// An enrollment carries text that is not JSON, or not an object.
    #[error("the {what} of enrollment `{enrollment}` is not a JSON object")]
    EnrollmentJson {
        /// The enrollment or group.
        enrollment: String,
        /// Which setting.
        what: &'static str,
    },
    /// A device or module id is not allowed.
    #[error("`{id}`: {error}")]
    Id {
        /// The id.
        id: String,
        /// What is wrong with it.
        error: IdError,
    },
    /// An authority is not a certificate.
    #[error("certificate authority {index} of `{host}` is not a usable X.509 certificate")]
    Authority {
        /// Host of the hub.
        host: String,
        /// Position in its list, from 0.
        index: usize,
    },
}
