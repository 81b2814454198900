//! The module's own TLS: real handshakes with the settings of one TLS context.
//!
//! rustls speaks TLS 1.2 and 1.3 with AEAD suites. A context that allows only what rustls lacks (SSL 3.0 to TLS 1.1,
//! CBC, RC4, static RSA) still sends a real ClientHello of its own, and fails as it fails at a TLS 1.2 server.

mod legacy;
mod path;
mod verify;

use core::fmt;
use std::{
    io::{Read, Write},
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, SupportedProtocolVersion,
    client::Resumption,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};

use legacy::LegacyHello;
use verify::Verifier;

/// What one TLS context says, read when the connection opens.
pub(crate) struct TlsSettings {
    /// The host as the AT command wrote it.
    pub(crate) host: String,
    /// Item `sslversion`: 0 SSL 3.0, 1 TLS 1.0, 2 TLS 1.1, 3 TLS 1.2, 4 all.
    pub(crate) version: u8,
    /// Whether this firmware speaks TLS 1.3 at all.
    pub(crate) tls13: bool,
    /// Codes of the suites that the context allows.
    pub(crate) suites: Vec<u16>,
    pub(crate) seclevel: u8,
    /// Content of the CA files; none when there is no such file.
    pub(crate) ca: Vec<Option<Vec<u8>>>,
    /// Content of the client certificate and key; none when there is no such file.
    pub(crate) client: (Option<Vec<u8>>, Option<Vec<u8>>),
    pub(crate) client_files_required: bool,
    pub(crate) sni: bool,
    /// The name that the server's certificate must have.
    pub(crate) check_host: Option<String>,
    pub(crate) cn_fallback: bool,
    pub(crate) ignore_time: bool,
    pub(crate) ignore_signature: bool,
    pub(crate) ignore_chain: bool,
    pub(crate) alpn: Vec<Vec<u8>>,
    /// Limit of the handshake, in seconds.
    pub(crate) negotiate_s: u64,
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings")
            .field("host", &self.host)
            .field("version", &self.version)
            .field("seclevel", &self.seclevel)
            .field("sni", &self.sni)
            .finish_non_exhaustive()
    }
}

/// What bytes from the peer led to.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) to_peer: Vec<u8>,
    pub(crate) plain: Vec<u8>,
    pub(crate) opened: bool,
    pub(crate) failed: Option<String>,
}

impl Progress {
    fn failure(to_peer: Vec<u8>, reason: String) -> Self {
        Self {
            to_peer,
            failed: Some(reason),
            ..Self::default()
        }
    }
}

/// A TLS session over some transport.
pub(crate) enum Session {
    Rustls(Box<ClientConnection>),
    Legacy(LegacyHello),
}

impl Session {
    /// Begins a handshake; gives the session and its ClientHello.
    pub(crate) fn start(settings: TlsSettings, unix_s: i64) -> Result<(Self, Vec<u8>), String> {
        let client = client_auth(&settings)?;
        let provider = provider(&settings.suites);
        let versions = versions(&settings);
        let usable = provider.cipher_suites.iter().any(|suite| {
            versions
                .iter()
                .any(|version| version.version == suite.version().version)
        });
        if versions.is_empty() || !usable {
            let hello = LegacyHello::new(
                settings.version,
                &settings.suites,
                settings.sni.then_some(&settings.host),
            );
            let bytes = hello.bytes();
            return Ok((Self::Legacy(hello), bytes));
        }
        let name = server_name(&settings)?;
        let verifier = Verifier::new(
            &settings,
            unix_s,
            provider.signature_verification_algorithms,
        );
        let builder = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&versions)
            .map_err(|e| e.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match client {
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|e| e.to_string())?,
            None => builder.with_no_client_auth(),
        };
        config.enable_sni = settings.sni;
        config.alpn_protocols = settings.alpn;
        config.resumption = Resumption::disabled();
        let mut connection =
            ClientConnection::new(Arc::new(config), name).map_err(|e| e.to_string())?;
        let hello = written(&mut connection);
        Ok((Self::Rustls(Box::new(connection)), hello))
    }

    /// Takes bytes from the peer.
    pub(crate) fn receive(&mut self, mut data: &[u8]) -> Progress {
        let connection = match self {
            Self::Legacy(hello) => {
                let (to_peer, reason) = hello.receive(data);
                return reason.map_or_else(Progress::default, |reason| {
                    Progress::failure(to_peer, reason)
                });
            }
            Self::Rustls(connection) => connection,
        };
        let mut progress = Progress::default();
        let handshaking = connection.is_handshaking();
        while !data.is_empty() {
            // Reading from a slice cannot fail, and the plain text is taken out before the next round.
            let taken = connection.read_tls(&mut data).unwrap_or(0);
            match connection.process_new_packets() {
                Ok(state) => {
                    let mut plain = vec![0; state.plaintext_bytes_to_read()];
                    if connection.reader().read_exact(&mut plain).is_ok() {
                        progress.plain.append(&mut plain);
                    }
                    if state.peer_has_closed() {
                        progress.failed = Some("the peer closed the session".to_owned());
                    }
                }
                Err(error) => progress.failed = Some(describe(&error)),
            }
            if taken == 0 || progress.failed.is_some() {
                break;
            }
        }
        progress.to_peer = written(connection);
        progress.opened = handshaking && !connection.is_handshaking() && progress.failed.is_none();
        progress
    }

    /// Turns plain text into records.
    pub(crate) fn encrypt(&mut self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Rustls(connection) => {
                let mut out = Vec::new();
                // The record buffer of rustls is bounded, so it is emptied in between.
                for piece in data.chunks(16 * 1024) {
                    if connection.writer().write_all(piece).is_err() {
                        break;
                    }
                    out.append(&mut written(connection));
                }
                out
            }
            Self::Legacy(_) => Vec::new(),
        }
    }

    /// The alert that ends a session in good order.
    pub(crate) fn close_notify(&mut self) -> Vec<u8> {
        match self {
            Self::Rustls(connection) => {
                connection.send_close_notify();
                written(connection)
            }
            Self::Legacy(_) => Vec::new(),
        }
    }
}

fn written(connection: &mut ClientConnection) -> Vec<u8> {
    let mut out = Vec::new();
    while connection.wants_write() {
        if connection.write_tls(&mut out).is_err() {
            break;
        }
    }
    out
}

/// One line about a TLS error; some of rustls's own texts print whole certificates.
fn describe(error: &rustls::Error) -> String {
    let text = error.to_string();
    text.chars().take(160).collect()
}

fn versions(settings: &TlsSettings) -> Vec<&'static SupportedProtocolVersion> {
    let mut versions = Vec::new();
    if settings.version >= 3 {
        versions.push(&TLS12);
    }
    if settings.version >= 4 && settings.tls13 {
        versions.push(&TLS13);
    }
    versions
}

/// The suites of the context that rustls has, and the curves that these modules have.
fn provider(suites: &[u16]) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| {
        let code = u16::from(suite.suite());
        suites.contains(&code) || (matches!(code, 0x1301..=0x1303) && suites.contains(&0xFFFF))
    });
    provider.kx_groups = vec![
        aws_lc_rs::kx_group::SECP256R1,
        aws_lc_rs::kx_group::SECP384R1,
    ];
    provider
}

fn server_name(settings: &TlsSettings) -> Result<ServerName<'static>, String> {
    match ServerName::try_from(settings.host.clone()) {
        Ok(name) => Ok(name),
        Err(_) if settings.sni => Err(format!("\"{}\" is no host name", settings.host)),
        // Without SNI the name never leaves the module; rustls only wants one.
        Err(_) => ServerName::try_from("module.invalid".to_owned()).map_err(|e| e.to_string()),
    }
}

type ClientAuth = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The client certificate and key of seclevel 2, as the files have them.
fn client_auth(settings: &TlsSettings) -> Result<Option<ClientAuth>, String> {
    if settings.seclevel < 2 {
        return Ok(None);
    }
    let loaded = load_client(settings);
    if settings.client_files_required {
        loaded.map(Some)
    } else {
        Ok(loaded.ok())
    }
}

fn load_client(settings: &TlsSettings) -> Result<ClientAuth, String> {
    let (certificate, key) = &settings.client;
    let certificate = certificate.as_ref().ok_or("no client certificate file")?;
    let key = key.as_ref().ok_or("no client key file")?;
    let chain = certificates(certificate).map_err(|e| format!("client certificate: {e}"))?;
    if chain.is_empty() {
        return Err("client certificate: no certificate in the file".to_owned());
    }
    let key =
        PrivateKeyDer::from_pem_slice(key).map_err(|e| format!("client key: {}", short(&e)))?;
    Ok((chain, key))
}

/// All certificates of a PEM file; a damaged one spoils the file.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|e| short(&e))
}

fn short(error: &impl fmt::Display) -> String {
    error.to_string().chars().take(80).collect()
}
