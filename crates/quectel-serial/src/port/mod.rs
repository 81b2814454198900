//! The way to a module: a serial port, a TCP connection, or anything else that carries its bytes.

mod error;
mod serial;
mod tcp;

use core::time::Duration;
use std::io;

pub use error::{OpenError, OpenErrorKind};
use quectel_azure::UrcPort;

/// Longest piece that is written at once: a larger write to a port that takes nothing blocks for ever in some drivers,
/// whatever their time limit is.
pub(crate) const CHUNK: usize = 64;

/// Carries the bytes between host and module.
#[cfg_attr(test, mockall::automock)]
pub trait Port: Send {
    /// Waits at most `timeout` for bytes, copies them to the front of `buf` and returns how many; 0 when none came.
    ///
    /// # Errors
    /// The port is gone: unplugged, or closed by the other side ([`io::ErrorKind::UnexpectedEof`]).
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize>;

    /// Writes from the front of `bytes` what the port takes within `timeout` and returns how many; 0 when it took none.
    ///
    /// # Errors
    /// The port is gone.
    fn write(&mut self, bytes: &[u8], timeout: Duration) -> io::Result<usize>;

    /// Drops what came and was not read, and what was written and has not gone out.
    ///
    /// # Errors
    /// The port is gone.
    fn clear(&mut self) -> io::Result<()>;

    /// What the user called it, such as `/dev/ttyUSB2`.
    fn name(&self) -> &str;
}

impl<P: Port + ?Sized> Port for Box<P> {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        (**self).read(buf, timeout)
    }

    fn write(&mut self, bytes: &[u8], timeout: Duration) -> io::Result<usize> {
        (**self).write(bytes, timeout)
    }

    fn clear(&mut self) -> io::Result<()> {
        (**self).clear()
    }

    fn name(&self) -> &str {
        (**self).name()
    }
}

/// How host and module stop each other on a serial line.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, `AT+IFC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FlowControl {
    /// Not at all.
    #[default]
    None,
    /// By the RTS and CTS lines; the module needs `AT+IFC=2,2`.
    RtsCts,
}

/// How a port is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortSettings {
    /// Bits per second; TCP and pseudo terminals ignore it.
    pub baud: u32,
    /// Flow control; TCP and pseudo terminals ignore it.
    pub flow_control: FlowControl,
}

impl Default for PortSettings {
    /// 115,200 baud without flow control, as modules are delivered.
    fn default() -> Self {
        Self {
            baud: 115_200,
            flow_control: FlowControl::None,
        }
    }
}

impl PortSettings {
    /// The same with another rate.
    #[must_use]
    pub const fn baud(self, baud: u32) -> Self {
        Self { baud, ..self }
    }

    /// The same with another flow control.
    #[must_use]
    pub const fn flow_control(self, flow_control: FlowControl) -> Self {
        Self {
            flow_control,
            ..self
        }
    }
}

/// Opens `tcp:HOST:PORT`, or a serial port or pseudo terminal by its path or name.
///
/// # Errors
/// [`OpenError`] says what is wrong with it and what to do.
///
/// ```no_run
/// use quectel_serial::{PortSettings, open};
/// let module = open("/dev/ttyUSB2", PortSettings::default().baud(921_600))?;
/// let simulated = open("tcp:127.0.0.1:4510", PortSettings::default())?;
/// # Ok::<(), quectel_serial::OpenError>(())
/// ```
pub fn open(port: &str, settings: PortSettings) -> Result<Box<dyn Port>, OpenError> {
    match port.strip_prefix("tcp:") {
        Some(address) => Ok(Box::new(tcp::TcpPort::open(port, address)?)),
        None => Ok(Box::new(serial::Serial::open(port, settings)?)),
    }
}

/// The serial ports of this computer, with what is known of the device behind them.
///
/// ```
/// for port in quectel_serial::available_ports() {
///     println!("{port}");
/// }
/// ```
pub fn available_ports() -> Vec<String> {
    let mut ports: Vec<String> = serialport::available_ports()
        .unwrap_or_default()
        .iter()
        .map(describe)
        .collect();
    ports.sort();
    ports
}

/// The module's name for the port behind `port`, for [`Settings::urc_port`](crate::Settings::urc_port): the AT port on
/// USB if the computer knows it as a USB device of Quectel, otherwise the main UART.
///
/// ```
/// use quectel_serial::{quectel_azure::UrcPort, urc_port_of};
/// assert_eq!(urc_port_of("tcp:127.0.0.1:5000"), UrcPort::Uart1);
/// ```
pub fn urc_port_of(port: &str) -> UrcPort {
    let on_usb = |known: &serialport::SerialPortInfo| {
        known.port_name == port
            && matches!(&known.port_type, serialport::SerialPortType::UsbPort(usb) if usb.vid == QUECTEL_VENDOR)
    };
    if serialport::available_ports()
        .unwrap_or_default()
        .iter()
        .any(on_usb)
    {
        UrcPort::UsbAt
    } else {
        UrcPort::Uart1
    }
}

/// USB vendor id of Quectel Wireless Solutions.
const QUECTEL_VENDOR: u16 = 0x2C7C;

fn describe(port: &serialport::SerialPortInfo) -> String {
    let serialport::SerialPortType::UsbPort(usb) = &port.port_type else {
        return port.port_name.clone();
    };
    let words: Vec<&str> = [&usb.manufacturer, &usb.product]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if words.is_empty() {
        port.port_name.clone()
    } else {
        format!("{} ({})", port.port_name, words.join(" "))
    }
}

/// Reads and writes that ended without a byte and without a fault.
fn idle_is_zero(result: io::Result<usize>) -> io::Result<usize> {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    match result {
        Err(e) if matches!(e.kind(), Interrupted | TimedOut | WouldBlock) => Ok(0),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    const SHORT: Duration = Duration::from_millis(30);
    const LONG: Duration = Duration::from_secs(5);

    fn kind(port: &str) -> OpenErrorKind {
        match open(port, PortSettings::default()) {
            Ok(port) => panic!("{} was opened", port.name()),
            Err(error) => {
                assert!(error.to_string().contains(&format!("{port:?}")), "{error}");
                assert!(!error.remedy().is_empty());
                error.kind
            }
        }
    }

    fn read_all(port: &mut dyn Port, len: usize) -> Vec<u8> {
        let mut got = Vec::new();
        let mut buf = [0; 256];
        while got.len() < len {
            let n = port.read(&mut buf, LONG).unwrap();
            assert!(n > 0, "only {} of {len} bytes came", got.len());
            got.extend_from_slice(&buf[..n]);
        }
        got
    }

    #[test]
    fn wrong_ports_are_explained() {
        use OpenErrorKind as K;
        let cases = [
            ("", K::Syntax),
            ("  ", K::Syntax),
            ("tcp:", K::Syntax),
            ("tcp:localhost", K::Syntax),
            ("tcp::4510", K::Syntax),
            ("tcp:localhost:0", K::Syntax),
            ("tcp:localhost:70000", K::Syntax),
            ("tcp:localhost:x", K::Syntax),
        ];
        for (port, expected) in cases {
            assert_eq!(kind(port), expected, "{port}");
        }
        #[cfg(unix)]
        for (port, expected) in [
            ("/dev/no-such-port", K::NotFound),
            ("/", K::NotSerial),
            (
                concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
                K::NotSerial,
            ),
            ("/dev/null", K::NotSerial),
        ] {
            assert_eq!(kind(port), expected, "{port}");
        }
    }

    #[test]
    fn a_tcp_port_nobody_listens_on_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert_eq!(kind(&format!("tcp:{address}")), OpenErrorKind::Refused);
    }

    #[test]
    fn tcp_carries_bytes_both_ways_and_tells_its_end() {
        for host in ["127.0.0.1", "[::1]"] {
            // Not every computer has IPv6.
            let Ok(listener) = TcpListener::bind(format!("{host}:0")) else {
                continue;
            };
            let name = format!("tcp:{host}:{}", listener.local_addr().unwrap().port());
            let mut port = open(&name, PortSettings::default()).unwrap();
            let (mut peer, _) = listener.accept().unwrap();
            assert_eq!(port.name(), name);
            let mut buf = [0; 16];
            assert_eq!(port.read(&mut buf, SHORT).unwrap(), 0);
            assert_eq!(port.read(&mut buf, Duration::ZERO).unwrap(), 0);
            assert_eq!(port.write(b"AT\r", LONG).unwrap(), 3);
            peer.read_exact(&mut buf[..3]).unwrap();
            peer.write_all(b"AT\r\r\nOK\r\n").unwrap();
            assert_eq!(read_all(&mut *port, 9), b"AT\r\r\nOK\r\n");
            peer.write_all(b"stale").unwrap();
            assert!(port.read(&mut buf[..1], LONG).unwrap() == 1);
            port.clear().unwrap();
            assert_eq!(port.read(&mut buf, SHORT).unwrap(), 0);
            drop(peer);
            assert_eq!(
                port.read(&mut buf, LONG).unwrap_err().kind(),
                io::ErrorKind::UnexpectedEof
            );
        }
    }

    #[test]
    fn a_full_tcp_connection_does_not_block_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut port = open(
            &format!("tcp:{}", listener.local_addr().unwrap()),
            PortSettings::default(),
        )
        .unwrap();
        let _peer = listener.accept().unwrap();
        let most = 64 * 1024 * 1024 / CHUNK;
        assert!(
            (0..most).any(|_| port.write(&[0; 4096], SHORT).unwrap() == 0),
            "the peer never read, yet all was taken"
        );
    }

    #[cfg(unix)]
    mod pty {
        use super::*;
        use std::fs::File;
        use std::os::fd::OwnedFd;

        /// A pseudo terminal: its module side and the path of its host side.
        fn pair() -> (File, OwnedFd, String) {
            let pair = nix::pty::openpty(None, None).unwrap();
            let path = nix::unistd::ttyname(&pair.slave).unwrap();
            (
                File::from(pair.master),
                pair.slave,
                path.to_str().unwrap().to_owned(),
            )
        }

        #[test]
        fn a_pseudo_terminal_is_a_port() {
            let (mut module, _slave, path) = pair();
            for settings in [
                PortSettings::default(),
                PortSettings::default()
                    .baud(921_600)
                    .flow_control(FlowControl::RtsCts),
            ] {
                let mut port = open(&path, settings).unwrap();
                let mut buf = [0; 16];
                assert_eq!(port.read(&mut buf, SHORT).unwrap(), 0);
                assert_eq!(port.write(b"AT\r", LONG).unwrap(), 3);
                module.read_exact(&mut buf[..3]).unwrap();
                // Raw: neither echoed nor translated.
                assert_eq!(&buf[..3], b"AT\r");
                module.write_all(b"\r\nOK\r\n\x1a\x03").unwrap();
                assert_eq!(read_all(&mut *port, 8), b"\r\nOK\r\n\x1a\x03");
            }
        }

        #[test]
        fn a_port_in_use_is_busy() {
            let (_module, _slave, path) = pair();
            let first = open(&path, PortSettings::default()).unwrap();
            assert_eq!(kind(&path), OpenErrorKind::Busy);
            drop(first);
            open(&path, PortSettings::default()).unwrap();
        }

        #[test]
        fn a_port_that_goes_away_is_an_error() {
            let (module, slave, path) = pair();
            let mut port = open(&path, PortSettings::default()).unwrap();
            drop((module, slave));
            assert!(port.read(&mut [0; 16], LONG).is_err());
        }

        #[test]
        fn a_port_that_takes_nothing_does_not_block_for_ever() {
            let (_module, _slave, path) = pair();
            let mut port = open(&path, PortSettings::default()).unwrap();
            assert!((0..10_000).any(|_| port.write(&[0; 4096], SHORT).unwrap() == 0));
            port.clear().unwrap();
        }
    }
}
