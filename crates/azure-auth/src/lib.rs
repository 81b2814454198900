//! Azure IoT Hub and Device Provisioning Service (DPS) as text: connection strings, identities,
//! SAS tokens, topics, property bags, DPS bodies and the root certificates that the services use.
//!
//! Everything is a function of its arguments: no clock, no socket, no heap. Text is written into a
//! buffer of the caller; a buffer that is too small is answered with the size that is needed.
//!
//! ```
//! use azure_auth::{ConnectionString, SasRequest, SharedAccessKey, topics};
//!
//! let text = "HostName=contoso.azure-devices.net;DeviceId=device1;\
//!             SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
//! let given = ConnectionString::parse(text)?;
//! let identity = given.identity();
//!
//! let mut user_name = [0; 128];
//! assert_eq!(
//!     identity.user_name(&mut user_name)?,
//!     "contoso.azure-devices.net/device1/?api-version=2021-04-12"
//! );
//!
//! let key = given.shared_access_key().ok_or("no key in the connection string")?;
//! let key = SharedAccessKey::from_base64(key)?;
//! let mut password = [0; 256];
//! assert_eq!(
//!     SasRequest::for_identity(&identity, 1_700_003_600).token(&key, &mut password)?,
//!     "SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2Fdevice1\
//!      &sig=1sY1G3%2B%2BFZar2HfkFZit4C3IGSAfGbAJ1zno1WkK9d4%3D&se=1700003600"
//! );
//!
//! let mut topic = [0; 128];
//! assert_eq!(
//!     topics::write_telemetry(&identity, &[], &[], &mut topic)?,
//!     "devices/device1/messages/events/"
//! );
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod connection_string;
pub mod dps;
mod identity;
mod json;
mod key;
mod percent;
mod resource;
pub mod roots;
mod sas;
mod sas_token;
mod text;
pub mod topics;
mod user_name;

pub use connection_string::{ConnectionString, ConnectionStringError, Field};
pub use identity::{HostFault, ID_MAX, IdFault, Identity, IdentityError};
pub use json::JsonText;
pub use key::{KEY_MAX, KeyError, SharedAccessKey};
pub use percent::{Encoded, NotUtf8};
pub use sas::SasRequest;
pub use sas_token::{SasToken, TokenError, TokenField};
pub use text::BufferTooSmall;
pub use user_name::{API_VERSION, UserName};
