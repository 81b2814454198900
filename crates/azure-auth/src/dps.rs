//! The Device Provisioning Service: a device registers and learns its hub and device id.
//!
//! ```
//! use azure_auth::dps::{self, Registration, RegistrationStatus, Response};
//!
//! let registration = Registration::new("0ne00000A0A", "my-reg.id_01")?;
//! let mut out = [0; 160];
//! assert_eq!(
//!     registration.user_name(&mut out)?,
//!     "0ne00000A0A/registrations/my-reg.id_01/api-version=2019-03-31"
//! );
//! assert_eq!(
//!     dps::write_register_topic("1", &mut out)?,
//!     "$dps/registrations/PUT/iotdps-register/?$rid=1"
//! );
//! assert_eq!(
//!     dps::write_register_body(&registration, None, &mut out)?,
//!     r#"{"registrationId":"my-reg.id_01"}"#
//! );
//!
//! let answer = Response::parse(br#"{"operationId":"5.1","status":"assigning"}"#)?;
//! assert_eq!(answer.status, Some(RegistrationStatus::Assigning));
//! assert_eq!(answer.operation_id.and_then(|id| id.plain()), Some("5.1"));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Reference
//! Azure IoT Hub DPS, "Communicate with your DPS using the MQTT protocol"; DPS device REST API.

mod registration;
mod request;
mod response;

pub use registration::{API_VERSION, CHINA_HOST, GLOBAL_HOST, GOVERNMENT_HOST, Registration};
pub use request::{
    BodyError, RESPONSE_FILTER, write_register_body, write_register_topic, write_status_topic,
};
pub use response::{RegistrationStatus, Response, ResponseError, poll_after_s};
