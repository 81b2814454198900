//! A serial port or pseudo terminal.

use core::time::Duration;
use std::io::{self, Read, Write};

use serialport::{ClearBuffer, SerialPort};

use super::{CHUNK, FlowControl, OpenError, OpenErrorKind, Port, PortSettings, idle_is_zero};

pub(super) struct Serial {
    name: String,
    port: Box<dyn SerialPort>,
}

impl Serial {
    pub(super) fn open(name: &str, settings: PortSettings) -> Result<Self, OpenError> {
        if name.trim().is_empty() {
            return Err(OpenError::new(OpenErrorKind::Syntax, name, ""));
        }
        refuse_other_files(name)?;
        let flow_control = match settings.flow_control {
            FlowControl::None => serialport::FlowControl::None,
            FlowControl::RtsCts => serialport::FlowControl::Hardware,
        };
        let mut port = serialport::new(name, settings.baud)
            .flow_control(flow_control)
            .timeout(Duration::from_millis(100))
            .open()
            .map_err(|e| explain(name, &e))?;
        // Modules ignore the host while DTR is down. Pseudo terminals have no such lines and say ENOTTY.
        let _ = port.write_data_terminal_ready(true);
        if settings.flow_control == FlowControl::None {
            let _ = port.write_request_to_send(true);
        }
        Ok(Self {
            name: name.to_owned(),
            port,
        })
    }
}

/// A file would be locked and changed before it turned out not to be a terminal.
#[cfg(unix)]
fn refuse_other_files(name: &str) -> Result<(), OpenError> {
    use std::os::unix::fs::FileTypeExt;
    let found = std::fs::metadata(name).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => OpenError::new(OpenErrorKind::NotFound, name, ""),
        kind => OpenError::from_io(name, kind, e.to_string()),
    })?;
    if found.file_type().is_char_device() {
        Ok(())
    } else {
        Err(OpenError::new(OpenErrorKind::NotSerial, name, ""))
    }
}

#[cfg(not(unix))]
fn refuse_other_files(_: &str) -> Result<(), OpenError> {
    Ok(())
}

fn explain(name: &str, error: &serialport::Error) -> OpenError {
    use serialport::ErrorKind as Kind;
    let words = &error.description;
    let kind = match error.kind {
        // The crate says "no device" when it cannot have the port for itself alone.
        Kind::NoDevice if words.contains("lock") || words.contains("busy") => OpenErrorKind::Busy,
        Kind::NoDevice => OpenErrorKind::NotFound,
        Kind::InvalidInput => OpenErrorKind::Baud,
        Kind::Io(kind) => return OpenError::from_io(name, kind, words.clone()),
        // What a character device that is no terminal answers.
        Kind::Unknown if words.contains("ioctl") || words.contains("typewriter") => {
            OpenErrorKind::NotSerial
        }
        Kind::Unknown => OpenErrorKind::Other,
    };
    OpenError::new(kind, name, words.clone())
}

impl Port for Serial {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.port.set_timeout(timeout)?;
        match self.port.read(buf) {
            Ok(0) if !buf.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            other => idle_is_zero(other),
        }
    }

    fn write(&mut self, bytes: &[u8], timeout: Duration) -> io::Result<usize> {
        self.port.set_timeout(timeout)?;
        let piece = bytes.get(..CHUNK).unwrap_or(bytes);
        idle_is_zero(self.port.write(piece))
    }

    fn clear(&mut self) -> io::Result<()> {
        Ok(self.port.clear(ClearBuffer::All)?)
    }

    fn name(&self) -> &str {
        &self.name
    }
}
