//! What went wrong, as it becomes a Python exception.

use pyo3::prelude::*;
use quectel_serial::quectel_azure::azure_auth::{BufferTooSmall, ConnectionStringError};
use quectel_serial::quectel_azure::{Blame, ConfigError, Misuse};
use quectel_serial::{Error, OpenError, Reason};

/// The exceptions of `quectel_azure.errors`.
mod python {
    use pyo3::import_exception;

    import_exception!(quectel_azure.errors, QuectelAzureError);
    import_exception!(quectel_azure.errors, ModemError);
    import_exception!(quectel_azure.errors, MqttError);
    import_exception!(quectel_azure.errors, AuthError);
    import_exception!(quectel_azure.errors, ModemTimeout);
    import_exception!(quectel_azure.errors, PortError);
    import_exception!(quectel_azure.errors, ApiMisuse);
}

/// The exception that a fault becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Other,
    Modem,
    Mqtt,
    Auth,
    Timeout,
    Port,
    Misuse,
}

/// An error with all that the exception carries.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    class: Class,
    /// Kebab-case name.
    kind: &'static str,
    /// The number that C has for it.
    code: Option<u8>,
    text: Box<str>,
    line: Option<Box<str>>,
    step: Option<&'static str>,
    remedy: Box<str>,
    /// Ids of likely causes in the doctor's catalogue.
    causes: &'static [&'static str],
}

impl Fault {
    fn new(class: Class, kind: &'static str, text: impl Into<Box<str>>) -> Self {
        Self {
            class,
            kind,
            code: None,
            text: text.into(),
            line: None,
            step: None,
            remedy: "".into(),
            causes: &[],
        }
    }

    /// The caller gave something that cannot be; the text says what to do.
    pub(crate) fn misuse(kind: &'static str, text: impl Into<Box<str>>) -> Self {
        Self::new(Class::Misuse, kind, text)
    }

    /// A simulator failed.
    pub(crate) fn simulator(text: impl Into<Box<str>>) -> Self {
        Self::new(Class::Other, "simulator-failed", text)
    }

    /// The port is in use by another client of this process.
    pub(crate) fn port_busy(port: &str) -> Self {
        Self {
            remedy: "disconnect the other client first".into(),
            ..Self::new(
                Class::Port,
                "port-busy",
                format!("port {port:?} is in use by another client"),
            )
        }
    }

    /// The client's thread is gone without a word.
    pub(crate) fn panicked() -> Self {
        Self::new(
            Class::Other,
            "panic",
            "the library has a fault; please report it",
        )
    }

    fn code(self, code: u8) -> Self {
        Self {
            code: Some(code),
            ..self
        }
    }
}

impl From<Fault> for PyErr {
    fn from(fault: Fault) -> Self {
        let Fault {
            class,
            kind,
            code,
            text,
            line,
            step,
            remedy,
            causes,
        } = fault;
        let (text, line, remedy) = (
            String::from(text),
            line.map(String::from),
            String::from(remedy),
        );
        let arguments = (text, kind, code, line, step, remedy, causes.to_vec());
        match class {
            Class::Other => python::QuectelAzureError::new_err(arguments),
            Class::Modem => python::ModemError::new_err(arguments),
            Class::Mqtt => python::MqttError::new_err(arguments),
            Class::Auth => python::AuthError::new_err(arguments),
            Class::Timeout => python::ModemTimeout::new_err(arguments),
            Class::Port => python::PortError::new_err(arguments),
            Class::Misuse => python::ApiMisuse::new_err(arguments),
        }
    }
}

fn class(reason: Reason) -> Class {
    match (reason, reason.blame()) {
        (
            Reason::ConnectRefused
            | Reason::TokenExpired
            | Reason::SimPinWrong
            | Reason::SimPinRequired,
            _,
        ) => Class::Auth,
        (Reason::ConnectionLost, _) | (_, Blame::Hub) => Class::Mqtt,
        (Reason::Cancelled, _) => Class::Other,
        (_, Blame::Deadline) => Class::Timeout,
        _ => Class::Modem,
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = match &error {
            Error::Config(error) => return (*error).into(),
            Error::Misuse(misuse) => return (*misuse).into(),
            Error::Failed(failure) => Self {
                code: Some(failure.reason.number()),
                causes: failure.reason.causes(),
                ..Self::new(class(failure.reason), error.name(), error.to_string())
            },
            Error::Port { .. } => Self::new(Class::Port, error.name(), error.to_string()),
            Error::Stalled { .. } | Error::TimeLimit { .. } => {
                Self::new(Class::Timeout, error.name(), error.to_string())
            }
            Error::Cancelled { .. } => Self::new(Class::Other, error.name(), error.to_string())
                .code(Reason::Cancelled.number()),
            _ => Self::new(Class::Other, error.name(), error.to_string()),
        };
        Self {
            line: error.line().map(Into::into),
            step: error.step().map(|step| step.name()),
            remedy: error.remedy().into(),
            ..fault
        }
    }
}

impl From<OpenError> for Fault {
    fn from(error: OpenError) -> Self {
        Self {
            remedy: error.remedy().into(),
            ..Self::new(Class::Port, error.kind.name(), error.to_string())
        }
    }
}

impl From<Misuse> for Fault {
    fn from(misuse: Misuse) -> Self {
        // Names and numbers as in include/quectel_azure.h.
        let (code, kind) = match misuse {
            Misuse::AlreadyRunning => (100, "already-running"),
            Misuse::NotConnected => (101, "not-connected"),
            Misuse::Busy => (102, "busy"),
            Misuse::PayloadTooLong { .. } => (103, "payload-too-long"),
            Misuse::PayloadByte { .. } => (104, "payload-byte"),
            Misuse::DoesNotFit => (105, "does-not-fit"),
            Misuse::Property => (106, "property"),
            Misuse::NoSignatureNeeded => (107, "no-signature-needed"),
            _ => (119, "misuse"),
        };
        let text = match misuse {
            Misuse::AlreadyRunning => {
                "the client is connected already; call disconnect first".to_owned()
            }
            Misuse::NotConnected => "the client is not connected; call connect first".to_owned(),
            other => other.to_string(),
        };
        Self::misuse(kind, text).code(code)
    }
}

impl From<ConfigError> for Fault {
    fn from(error: ConfigError) -> Self {
        let (code, kind) = match error {
            ConfigError::Identity(inner) => (120, inner.name()),
            ConfigError::Key(inner) => (121, inner.name()),
            ConfigError::Token(inner) => (122, inner.name()),
            ConfigError::CaNotPem => (123, "ca-not-pem"),
            ConfigError::CertificateNotPem => (124, "certificate-not-pem"),
            ConfigError::KeyNotPem => (125, "key-not-pem"),
            ConfigError::Slots => (126, "slots"),
            ConfigError::KeepAlive => (127, "keep-alive"),
            ConfigError::Port => (128, "port"),
            ConfigError::Text => (129, "text"),
            _ => (149, "config"),
        };
        Self::misuse(kind, error.to_string()).code(code)
    }
}

impl From<ConnectionStringError> for Fault {
    fn from(error: ConnectionStringError) -> Self {
        Self::misuse(error.name(), error.to_string()).code(133)
    }
}

impl From<BufferTooSmall> for Fault {
    fn from(error: BufferTooSmall) -> Self {
        Self::misuse(error.name(), error.to_string())
    }
}
