//! One TLS connection, sans-IO.

use core::fmt;
use std::io::{Read, Write};

use rustls::{
    AlertDescription, Error, ServerConnection,
    server::{Accepted, AcceptedAlert, Acceptor},
};

use super::{
    TlsServer,
    failure::{failure, gave_up, no_version},
    hello::FirstBytes,
};
use crate::{hub::TlsFacts, reason::Reason};

/// First byte of a TLS record that carries an alert.
const ALERT_RECORD: u8 = 21;
/// First byte of a TLS record that carries a handshake message.
const HANDSHAKE_RECORD: u8 = 22;
/// Fatal alert `unrecognized_name` (112) as a TLS 1.2 record.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];
/// Fatal alert `protocol_version` (70) as a TLS 1.2 record.
const PROTOCOL_VERSION: [u8; 7] = [21, 3, 3, 0, 2, 2, 70];

/// What received bytes have led to.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct TlsInput {
    /// The handshake has just been completed.
    pub established: Option<TlsFacts>,
    /// The handshake or the connection has failed; send what is left and close.
    pub failed: Option<Reason>,
    /// The client has closed its side.
    pub closed: bool,
}

/// One TLS connection of a server: bytes in, bytes out.
pub struct TlsSession {
    server: TlsServer,
    state: State,
    server_name: Option<String>,
    /// Alerts of a handshake that never became a connection.
    alert: Vec<u8>,
}

enum State {
    AwaitingHello {
        acceptor: Box<Acceptor>,
        /// What has been received.
        first: FirstBytes,
    },
    Running {
        tls: Box<ServerConnection>,
        established: bool,
    },
    Ended,
}

impl fmt::Debug for TlsSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSession")
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

impl TlsSession {
    /// A connection that has received nothing yet.
    #[must_use]
    pub fn new(server: &TlsServer) -> Self {
        Self {
            server: server.clone(),
            state: State::AwaitingHello {
                acceptor: Box::default(),
                first: FirstBytes::default(),
            },
            server_name: None,
            alert: Vec::new(),
        }
    }

    /// The server name (SNI) of the ClientHello, once it has arrived.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// Why the handshake did not come to its end, if the client leaves now in the middle of it.
    #[must_use]
    pub fn broken_off(&self) -> Option<Reason> {
        let detail = match &self.state {
            State::AwaitingHello { first, .. } => match first.as_slice().first() {
                None => return None,
                Some(&ALERT_RECORD) => "the client left in the middle of a TLS alert",
                Some(_) => "the client left in the middle of its ClientHello",
            },
            State::Running {
                established: false, ..
            } => {
                "the client left in the middle of it without an alert; it may object to the certificate: check its root certificate, the host name and its clock"
            }
            _ => return None,
        };
        let detail = detail.to_owned();
        Some(Reason::TlsFailed { detail })
    }

    /// Takes bytes from the wire and appends what they say to `plaintext`.
    pub fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> TlsInput {
        let mut input = TlsInput::default();
        let mut rest = bytes;
        while !rest.is_empty() && input.failed.is_none() && !input.closed {
            let before = rest.len();
            let result = match &mut self.state {
                State::AwaitingHello { .. } => self.hello(&mut rest),
                State::Running { .. } => self.running(&mut rest, plaintext, &mut input),
                State::Ended => break,
            };
            if let Err(reason) = result {
                input.failed = Some(reason);
            }
            if rest.len() == before {
                break;
            }
        }
        input
    }

    /// Encrypts bytes for the client.
    pub fn send(&mut self, plaintext: &[u8]) {
        if let State::Running { tls, .. } = &mut self.state {
            // Writing into rustls' unlimited buffer cannot fail.
            let _ = tls.writer().write_all(plaintext);
        }
    }

    /// Announces the end of the connection.
    pub fn close(&mut self) {
        if let State::Running { tls, .. } = &mut self.state {
            tls.send_close_notify();
        }
    }

    /// Moves the bytes for the wire to the end of `out`.
    pub fn transmit(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.alert);
        if let State::Running { tls, .. } = &mut self.state {
            while tls.wants_write() {
                // Writing into a vector cannot fail.
                if tls.write_tls(out).is_err() {
                    break;
                }
            }
        }
    }

    fn hello(&mut self, rest: &mut &[u8]) -> Result<(), Reason> {
        let State::AwaitingHello { acceptor, first } = &mut self.state else {
            return Ok(());
        };
        let kind = first.as_slice().first().or_else(|| rest.first());
        match kind {
            Some(&HANDSHAKE_RECORD) => {}
            Some(&ALERT_RECORD) => {
                first.push(core::mem::take(rest));
                let reason = match first.as_slice() {
                    [_, 3, _, 0, 2, _, alert, ..] => gave_up(AlertDescription::from(*alert)),
                    [_, 3, beginning @ ..] if beginning.len() < 5 => return Ok(()),
                    [_] => return Ok(()),
                    _ => Reason::NotTls,
                };
                self.state = State::Ended;
                return Err(reason);
            }
            _ => {
                self.state = State::Ended;
                return Err(Reason::NotTls);
            }
        }
        let before = *rest;
        acceptor.read_tls(rest).map_err(|error| Reason::TlsFailed {
            detail: error.to_string(),
        })?;
        let taken = before.len().saturating_sub(rest.len());
        first.push(before.get(..taken).unwrap_or_default());
        match acceptor.accept() {
            Ok(None) => Ok(()),
            Ok(Some(accepted)) => self.accepted(accepted),
            Err((error, alert)) => Err(self.refused(&error, alert)),
        }
    }

    /// Ends a handshake that the ClientHello makes impossible.
    fn refused(&mut self, error: &Error, mut alert: AcceptedAlert) -> Reason {
        let offer = match &self.state {
            State::AwaitingHello { first, .. } => first.offer(),
            _ => None,
        };
        self.state = State::Ended;
        let versions = self.server.versions;
        // TLS 1.1 has no signature_algorithms, which the library misses before it looks at the version.
        if let Some(offer) = &offer
            && !versions.speaks(&offer.versions)
        {
            self.alert.extend(PROTOCOL_VERSION);
            return no_version(versions, Some(offer));
        }
        // Writing into a vector cannot fail.
        let _ = alert.write_all(&mut self.alert);
        let suites = offer.map(|offer| offer.suites).unwrap_or_default();
        failure(error, &suites, versions)
    }

    fn accepted(&mut self, accepted: Accepted) -> Result<(), Reason> {
        let hello = accepted.client_hello();
        self.server_name = hello.server_name().map(str::to_owned);
        if self.server.require_sni
            && let Err(reason) = self.check_server_name()
        {
            self.alert.extend(UNRECOGNIZED_NAME);
            self.state = State::Ended;
            return Err(reason);
        }
        match accepted.into_connection(self.server.config.clone()) {
            Ok(mut tls) => {
                tls.set_buffer_limit(None);
                self.state = State::Running {
                    tls: Box::new(tls),
                    established: false,
                };
                Ok(())
            }
            Err((error, alert)) => Err(self.refused(&error, alert)),
        }
    }

    fn check_server_name(&self) -> Result<(), Reason> {
        match &self.server_name {
            None => Err(Reason::SniMissing),
            Some(name) if !self.server.serves(name) => Err(Reason::SniUnknown {
                name: name.clone(),
                served: self.server.served.join(", "),
            }),
            Some(_) => Ok(()),
        }
    }

    fn running(
        &mut self,
        rest: &mut &[u8],
        plaintext: &mut Vec<u8>,
        input: &mut TlsInput,
    ) -> Result<(), Reason> {
        let State::Running { tls, established } = &mut self.state else {
            return Ok(());
        };
        tls.read_tls(rest).map_err(|error| Reason::TlsFailed {
            detail: error.to_string(),
        })?;
        let state = tls
            .process_new_packets()
            .map_err(|error| failure(&error, &[], self.server.versions))?;
        let mut chunk = vec![0; state.plaintext_bytes_to_read()];
        // What is announced as readable can be read.
        if tls.reader().read_exact(&mut chunk).is_ok() {
            plaintext.append(&mut chunk);
        }
        input.closed = state.peer_has_closed();
        if !*established && !tls.is_handshaking() {
            *established = true;
            input.established = Some(TlsFacts {
                server_name: self.server_name.clone(),
                client_certificates: tls
                    .peer_certificates()
                    .unwrap_or_default()
                    .iter()
                    .map(|der| der.to_vec())
                    .collect(),
            });
        }
        Ok(())
    }
}
