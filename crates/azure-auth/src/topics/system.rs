//! System properties of messages.

/// A property that the service gives a meaning to; its name begins with `$.`.
///
/// # Reference
/// Azure IoT Hub, "Create and read IoT Hub messages"; azure-iot-device 2.14.0 for `$.ifid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SystemProperty {
    /// `$.mid`: message id, up to 128 characters of those that device ids have.
    MessageId,
    /// `$.cid`: correlation id.
    CorrelationId,
    /// `$.uid`: user id.
    UserId,
    /// `$.ct`: content type, such as `application/json`.
    ContentType,
    /// `$.ce`: content encoding; `utf-8`, `utf-16` or `utf-32` lets the hub route by the body.
    ContentEncoding,
    /// `$.ctime`: creation time in UTC.
    CreationTime,
    /// `$.exp`: expiry.
    Expiry,
    /// `$.to`: destination of a cloud-to-device message.
    To,
    /// `$.on`: output name of a module.
    OutputName,
    /// `$.sub`: Plug and Play component.
    Component,
    /// `$.cdid`: id of the device that sent, behind a gateway.
    ConnectionDeviceId,
    /// `$.cmid`: id of the module that sent, behind a gateway.
    ConnectionModuleId,
    /// `$.ifid`: interface id of security messages.
    InterfaceId,
    /// `$.diagid`: diagnostics id.
    DiagnosticId,
    /// `$.diagctx`: diagnostics context.
    DiagnosticContext,
}

impl SystemProperty {
    /// All system properties.
    pub const ALL: [Self; 15] = [
        Self::MessageId,
        Self::CorrelationId,
        Self::UserId,
        Self::ContentType,
        Self::ContentEncoding,
        Self::CreationTime,
        Self::Expiry,
        Self::To,
        Self::OutputName,
        Self::Component,
        Self::ConnectionDeviceId,
        Self::ConnectionModuleId,
        Self::InterfaceId,
        Self::DiagnosticId,
        Self::DiagnosticContext,
    ];

    /// Its name in a property bag, unencoded.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MessageId => "$.mid",
            Self::CorrelationId => "$.cid",
            Self::UserId => "$.uid",
            Self::ContentType => "$.ct",
            Self::ContentEncoding => "$.ce",
            Self::CreationTime => "$.ctime",
            Self::Expiry => "$.exp",
            Self::To => "$.to",
            Self::OutputName => "$.on",
            Self::Component => "$.sub",
            Self::ConnectionDeviceId => "$.cdid",
            Self::ConnectionModuleId => "$.cmid",
            Self::InterfaceId => "$.ifid",
            Self::DiagnosticId => "$.diagid",
            Self::DiagnosticContext => "$.diagctx",
        }
    }
}
