//! A module behind a TCP port: the simulator, `ser2net`, a serial-to-Ethernet converter in raw mode.

use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};

use super::{CHUNK, OpenError, OpenErrorKind, Port, idle_is_zero};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A time limit of zero means "for ever" to a socket.
const SHORTEST: Duration = Duration::from_millis(1);

pub(super) struct TcpPort {
    name: String,
    stream: TcpStream,
}

impl TcpPort {
    pub(super) fn open(name: &str, address: &str) -> Result<Self, OpenError> {
        let split = address
            .rsplit_once(':')
            .filter(|(host, _)| !host.is_empty());
        let (host, number) = split.ok_or_else(|| {
            OpenError::new(OpenErrorKind::Syntax, name, "the form is tcp:HOST:PORT")
        })?;
        let number: u16 = match number.parse() {
            Ok(number) if number != 0 => number,
            _ => {
                return Err(OpenError::new(
                    OpenErrorKind::Syntax,
                    name,
                    "the TCP port is a number from 1 to 65535",
                ));
            }
        };
        let host = host
            .strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .unwrap_or(host);
        let addresses = (host, number)
            .to_socket_addrs()
            .map_err(|e| OpenError::new(OpenErrorKind::Unreachable, name, e.to_string()))?;
        let mut last = OpenError::new(OpenErrorKind::Unreachable, name, "the name has no address");
        for address in addresses {
            match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
                Ok(stream) => {
                    // AT commands are short and wait for an answer each.
                    let _ = stream.set_nodelay(true);
                    return Ok(Self {
                        name: name.to_owned(),
                        stream,
                    });
                }
                Err(e) => last = OpenError::from_io(name, e.kind(), e.to_string()),
            }
        }
        Err(last)
    }
}

impl Port for TcpPort {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(timeout.max(SHORTEST)))?;
        match self.stream.read(buf) {
            Ok(0) if !buf.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            other => idle_is_zero(other),
        }
    }

    fn write(&mut self, bytes: &[u8], timeout: Duration) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(timeout.max(SHORTEST)))?;
        let piece = bytes.get(..CHUNK).unwrap_or(bytes);
        idle_is_zero(self.stream.write(piece))
    }

    fn clear(&mut self) -> io::Result<()> {
        let mut buf = [0; 512];
        // Bounded, since the other side may send for ever.
        for _ in 0..128 {
            if self.read(&mut buf, SHORTEST)? == 0 {
                break;
            }
        }
        Ok(())
    }

    fn name(&self) -> &str {
        &self.name
    }
}
