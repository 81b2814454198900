//! Device-to-cloud messages.

use quectel_azure::{Delivery, Message};

use crate::pointers::{array, bytes, optional_text, text};
use crate::{
    QUECTEL_AZURE_ERROR_DOES_NOT_FIT, QUECTEL_AZURE_ERROR_INVALID_VALUE, quectel_azure_bytes,
    quectel_azure_result,
};

/// The hub acknowledges the message (QoS 1).
pub const QUECTEL_AZURE_DELIVERY_AT_LEAST_ONCE: u8 = 0;
/// The message is sent and not acknowledged (QoS 0).
pub const QUECTEL_AZURE_DELIVERY_AT_MOST_ONCE: u8 = 1;

/// The most application properties of one message.
pub const QUECTEL_AZURE_MAX_PROPERTIES: usize = 16;

/// An application property of a message.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct quectel_azure_property {
    /// Name, any text but an empty one.
    pub name: quectel_azure_bytes,
    /// Value, any text.
    pub value: quectel_azure_bytes,
}

/// A device-to-cloud message. All zero is one without body and properties, delivered at least once.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct quectel_azure_message {
    /// Body, any bytes.
    pub payload: quectel_azure_bytes,
    /// Application properties; may be NULL if there are none.
    pub properties: *const quectel_azure_property,
    /// How many, at most `QUECTEL_AZURE_MAX_PROPERTIES`.
    pub property_count: usize,
    /// Content type such as `application/json`, or empty.
    pub content_type: quectel_azure_bytes,
    /// Content encoding such as `utf-8`, or empty; the hub needs it to route by body.
    pub content_encoding: quectel_azure_bytes,
    /// Message id for the receiver in the cloud, or empty.
    pub message_id: quectel_azure_bytes,
    /// Correlation id for the receiver in the cloud, or empty.
    pub correlation_id: quectel_azure_bytes,
    /// One of `QUECTEL_AZURE_DELIVERY_*`.
    pub delivery: u8,
}

impl quectel_azure_message {
    /// Hands the message, as the client takes it, to `f`.
    ///
    /// # Safety
    /// All that it points to is readable meanwhile.
    pub(crate) unsafe fn read<R>(
        &self,
        f: impl FnOnce(&Message<'_>) -> Result<R, quectel_azure_result>,
    ) -> Result<R, quectel_azure_result> {
        // SAFETY: the caller's promise.
        let given = unsafe { array(self.properties, self.property_count) }?;
        let mut pairs = [("", ""); QUECTEL_AZURE_MAX_PROPERTIES];
        let pairs = pairs
            .get_mut(..given.len())
            .ok_or(QUECTEL_AZURE_ERROR_DOES_NOT_FIT)?;
        for (pair, property) in pairs.iter_mut().zip(given) {
            // SAFETY: the caller's promise.
            *pair = unsafe { (text(property.name)?, text(property.value)?) };
        }
        // SAFETY: the caller's promise.
        let mut message = Message::new(unsafe { bytes(self.payload) }?).properties(pairs);
        // SAFETY: the caller's promise.
        unsafe {
            message.content_type = optional_text(self.content_type)?;
            message.content_encoding = optional_text(self.content_encoding)?;
            message.message_id = optional_text(self.message_id)?;
            message.correlation_id = optional_text(self.correlation_id)?;
        }
        message.delivery = match self.delivery {
            QUECTEL_AZURE_DELIVERY_AT_LEAST_ONCE => Delivery::AtLeastOnce,
            QUECTEL_AZURE_DELIVERY_AT_MOST_ONCE => Delivery::AtMostOnce,
            _ => return Err(QUECTEL_AZURE_ERROR_INVALID_VALUE),
        };
        f(&message)
    }
}
