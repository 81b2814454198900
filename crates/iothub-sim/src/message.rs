//! Cloud-to-device messages.

use crate::{identity::IdError, properties::Properties, twin::TwinError};

/// The longest life of a cloud-to-device message: two days, in seconds.
pub const MAX_TIME_TO_LIVE_S: u64 = 2 * 24 * 3600;

/// A message from the cloud to one device.
///
/// ```
/// use iothub_sim::CloudToDeviceMessage;
///
/// let message = CloudToDeviceMessage::new("switch on")
///     .with_property("$.mid", "7")
///     .with_property("lamp", "kitchen");
/// assert_eq!(message.properties.value("lamp"), Some("kitchen"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloudToDeviceMessage {
    /// Payload, at most 64 KiB with the properties.
    pub payload: Vec<u8>,
    /// Property bag; `$.to` is added by the hub.
    pub properties: Properties,
    /// How long the hub keeps it for the device, in seconds, 1 to [`MAX_TIME_TO_LIVE_S`]; one hour unless set.
    pub time_to_live_s: u64,
}

impl CloudToDeviceMessage {
    /// A message without properties that lives for one hour.
    #[must_use]
    pub fn new(payload: impl Into<Vec<u8>>) -> Self {
        Self {
            payload: payload.into(),
            properties: Properties::default(),
            time_to_live_s: 3600,
        }
    }

    /// Adds a property; a name that begins with `$.` is a system property.
    #[must_use]
    pub fn with_property(mut self, name: &str, value: &str) -> Self {
        self.properties.set(name, value);
        self
    }
}

/// The service side cannot do this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// No such device or module.
    #[error("`{0}` is not registered")]
    NotFound(String),
    /// The device's queue is full.
    #[error("50 cloud-to-device messages wait for `{0}` already")]
    QueueFull(String),
    /// The message exceeds 64 KiB.
    #[error("message of {0} bytes with its properties exceeds 65536 bytes")]
    TooLarge(usize),
    /// The message would live too long, or not at all.
    #[error("a time to live of {0} s is outside 1 to 172800 s (two days)")]
    TimeToLive(u64),
    /// The message asks for feedback in a way that does not exist.
    #[error("`iothub-ack={0}` does not exist; it is none, positive, negative or full")]
    Feedback(String),
    /// The device or module exists already.
    #[error("`{0}` exists already")]
    Exists(String),
    /// The device or module id is not allowed.
    #[error(transparent)]
    Id(IdError),
    /// A twin document or patch is not acceptable.
    #[error("the twin document is not acceptable: {0}")]
    Twin(TwinError),
}
