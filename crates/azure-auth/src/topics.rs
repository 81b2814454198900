//! MQTT topics of IoT Hub and DPS: names to publish to, filters to subscribe to, names that arrive.
//!
//! ```
//! use azure_auth::{Identity, topics::{self, SystemProperty, Topic}};
//!
//! let identity = Identity::new("contoso.azure-devices.net", "dev-1", None)?;
//! let mut out = [0; 128];
//! assert_eq!(
//!     topics::write_telemetry(
//!         &identity,
//!         &[(SystemProperty::ContentType, "application/json"), (SystemProperty::ContentEncoding, "utf-8")],
//!         &[("level", "high")],
//!         &mut out,
//!     )?,
//!     "devices/dev-1/messages/events/%24.ct=application%2Fjson&%24.ce=utf-8&level=high"
//! );
//!
//! let Topic::C2d { device_id, properties, .. } =
//!     Topic::parse("devices/dev-1/messages/devicebound/%24.mid=7&colour=red")
//! else {
//!     panic!("not a cloud-to-device message")
//! };
//! assert_eq!(device_id, "dev-1");
//! assert!(properties.system(SystemProperty::MessageId).is_some_and(|id| id.is("7")));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Reference
//! Azure IoT Hub, "Communicate with an IoT hub using the MQTT protocol"; Azure IoT Hub DPS, "Communicate with
//! your DPS using the MQTT protocol".

mod bag;
mod parse;
mod system;
mod write;

pub use bag::{Properties, Property, PropertyBag};
pub use parse::Topic;
pub use system::SystemProperty;
pub use write::{
    CREDENTIAL_FILTER, DESIRED_FILTER, METHOD_FILTER, TWIN_RESPONSE_FILTER, TopicError,
    write_c2d_filter, write_issue_certificate, write_method_response, write_reported_patch,
    write_telemetry, write_twin_get,
};
pub(crate) use write::{Rid, check_rid};
