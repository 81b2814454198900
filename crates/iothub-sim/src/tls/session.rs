//! One TLS connection, sans-IO.

use core::fmt;
use std::io::{Read, Write};

use rustls::{
    AlertDescription, Error, PeerIncompatible, ServerConnection,
    server::{Accepted, Acceptor},
};

use super::TlsServer;
use crate::{hub::TlsFacts, reason::Reason};

/// First byte of a TLS record that carries a handshake message.
const HANDSHAKE_RECORD: u8 = 22;
/// Fatal alert `unrecognized_name` (112) as a TLS 1.2 record.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

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
        /// The first byte has been seen, and was TLS.
        begun: bool,
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
                begun: false,
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
            State::AwaitingHello { begun: true, .. } => {
                "the client left in the middle of its ClientHello"
            }
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
        let State::AwaitingHello { acceptor, begun } = &mut self.state else {
            return Ok(());
        };
        if !*begun && rest.first().is_some_and(|byte| *byte != HANDSHAKE_RECORD) {
            self.state = State::Ended;
            return Err(Reason::NotTls);
        }
        *begun = true;
        acceptor.read_tls(rest).map_err(|error| Reason::TlsFailed {
            detail: error.to_string(),
        })?;
        match acceptor.accept() {
            Ok(None) => Ok(()),
            Ok(Some(accepted)) => self.accepted(accepted),
            Err((error, mut alert)) => {
                let _ = alert.write_all(&mut self.alert);
                self.state = State::Ended;
                Err(failure(&error, &[]))
            }
        }
    }

    fn accepted(&mut self, accepted: Accepted) -> Result<(), Reason> {
        let hello = accepted.client_hello();
        let suites = hello.cipher_suites().to_vec();
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
            Err((error, mut alert)) => {
                let _ = alert.write_all(&mut self.alert);
                self.state = State::Ended;
                Err(failure(&error, &suites))
            }
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
            .map_err(|error| failure(&error, &[]))?;
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

/// Puts a TLS error into words with a remedy.
fn failure(error: &Error, offered: &[rustls::CipherSuite]) -> Reason {
    let detail = match error {
        Error::AlertReceived(alert) => refused_by_client(*alert),
        Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => "the client offers no TLS version that is spoken here; set it to TLS 1.2 (a server for TLS 1.3 only: to 1.3)".to_owned(),
        Error::PeerIncompatible(
            PeerIncompatible::NoCipherSuitesInCommon
            | PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NoSignatureSchemesInCommon
            | PeerIncompatible::NamedGroupsExtensionRequired
            | PeerIncompatible::SignatureAlgorithmsExtensionRequired,
        ) => format!(
            "the client offers no cipher suite, curve and signature that fit ({error}); allow ECDHE with AES-GCM, for example 0xC02F or 0xC030{}",
            listed(offered)
        ),
        other => other.to_string(),
    };
    Reason::TlsFailed { detail }
}

fn listed(offered: &[rustls::CipherSuite]) -> String {
    if offered.is_empty() {
        return String::new();
    }
    let names: Vec<_> = offered
        .iter()
        .map(|suite| format!("{:#06x}", u16::from(*suite)))
        .collect();
    format!(" (offered: {})", names.join(" "))
}

fn refused_by_client(alert: AlertDescription) -> String {
    use AlertDescription as A;
    let why = match alert {
        A::UnknownCA => "it does not trust the chain's root; load this hub's root certificate",
        A::CertificateExpired => {
            "it finds the certificate out of date; check its clock and the certificate's dates"
        }
        A::BadCertificate | A::CertificateUnknown | A::UnsupportedCertificate => {
            "it objects to the certificate; check root certificate, host name and clock"
        }
        A::DecryptError => "it cannot verify the handshake's signature",
        A::CloseNotify | A::UserCanceled => "it gave up",
        _ => "see the alert",
    };
    format!("the client refused the server with the TLS alert {alert:?}: {why}")
}
