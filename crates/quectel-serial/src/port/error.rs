//! Why a port could not be opened.

use core::fmt;
use std::io;

/// What is wrong with a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OpenErrorKind {
    /// The text is neither a port nor `tcp:HOST:PORT`.
    Syntax,
    /// There is no such device.
    NotFound,
    /// The user may not open it.
    Permission,
    /// Another program has it.
    Busy,
    /// It is a file or another device, not a serial port.
    NotSerial,
    /// The rate is not possible on it.
    Baud,
    /// Nobody listens on the TCP port.
    Refused,
    /// The host of the TCP port cannot be reached or has no address.
    Unreachable,
    /// Something else; the words of the operating system tell.
    Other,
}

impl OpenErrorKind {
    /// Its name in kebab-case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syntax => "port-syntax",
            Self::NotFound => "port-not-found",
            Self::Permission => "port-permission",
            Self::Busy => "port-busy",
            Self::NotSerial => "port-not-serial",
            Self::Baud => "port-baud",
            Self::Refused => "port-refused",
            Self::Unreachable => "port-unreachable",
            Self::Other => "port-other",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Syntax => {
                "this is no port; a port is a device such as /dev/ttyUSB2 or COM3, or tcp:HOST:PORT"
            }
            Self::NotFound => "there is no such device",
            Self::Permission => "you may not open it",
            Self::Busy => "another program has it open",
            Self::NotSerial => "this is not a serial port",
            Self::Baud => "it cannot run at this rate",
            Self::Refused => "nobody listens there",
            Self::Unreachable => "the host cannot be reached",
            Self::Other => "the operating system refused",
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::Syntax | Self::NotFound => {
                "check the name and the cable; a USB module shows four ports, the AT port is mostly the third"
            }
            Self::Permission => {
                "add yourself to the group that owns the device (dialout or uucp) and log in again"
            }
            Self::Busy => {
                "end the other program; ModemManager, a terminal program or an earlier run may hold it (`fuser` or `lsof` tells)"
            }
            Self::NotSerial => "give the device of the module's AT port",
            Self::Baud => "modules run at 115200 unless AT+IPR has changed it",
            Self::Refused => "start the other side first, and check host and port",
            Self::Unreachable => "check the host name and the network",
            Self::Other => "check cable, driver and name",
        }
    }
}

/// A port that could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenError {
    /// What is wrong.
    pub kind: OpenErrorKind,
    /// The port as the user wrote it.
    pub port: String,
    /// The words of the operating system, or empty.
    pub detail: String,
    /// The serial ports that exist, where that helps.
    pub available: Vec<String>,
}

impl OpenError {
    pub(super) fn new(kind: OpenErrorKind, port: &str, detail: impl Into<String>) -> Self {
        let available = match kind {
            OpenErrorKind::Syntax | OpenErrorKind::NotFound | OpenErrorKind::NotSerial => {
                super::available_ports()
            }
            _ => Vec::new(),
        };
        Self {
            kind,
            port: port.to_owned(),
            detail: detail.into(),
            available,
        }
    }

    pub(super) fn from_io(port: &str, kind: io::ErrorKind, detail: impl Into<String>) -> Self {
        use io::ErrorKind as Io;
        let kind = match kind {
            Io::NotFound => OpenErrorKind::NotFound,
            Io::PermissionDenied => OpenErrorKind::Permission,
            Io::ResourceBusy => OpenErrorKind::Busy,
            Io::ConnectionRefused => OpenErrorKind::Refused,
            Io::HostUnreachable | Io::NetworkUnreachable | Io::TimedOut | Io::WouldBlock => {
                OpenErrorKind::Unreachable
            }
            _ => OpenErrorKind::Other,
        };
        Self::new(kind, port, detail)
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        let mut text = self.kind.remedy().to_owned();
        if !self.available.is_empty() {
            text.push_str("; this computer has ");
            text.push_str(&self.available.join(", "));
        } else if matches!(self.kind, OpenErrorKind::NotFound | OpenErrorKind::Syntax) {
            text.push_str("; this computer has no serial port");
        }
        text
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot open port {:?}: {}", self.port, self.kind.text())?;
        if !self.detail.is_empty() {
            write!(f, " ({})", self.detail)?;
        }
        Ok(())
    }
}

impl core::error::Error for OpenError {}
