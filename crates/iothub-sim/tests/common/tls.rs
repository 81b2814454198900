//! A TLS client, sans-IO.

use std::{
    io::{Read, Write},
    sync::Arc,
};

use iothub_sim::DeviceCertificate;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    sign::{CertifiedKey, SingleCertAndKey},
    time_provider::TimeProvider,
};

pub struct TlsClient {
    pub roots: String,
    pub server_name: &'static str,
    pub send_sni: bool,
    pub certificate: Option<DeviceCertificate>,
    pub versions: Vec<&'static SupportedProtocolVersion>,
    pub unix_s: u64,
}

#[derive(Debug)]
struct Fixed(u64);

impl TimeProvider for Fixed {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(core::time::Duration::from_secs(
            self.0,
        )))
    }
}

impl TlsClient {
    pub fn new(roots: &str, unix_s: u64) -> Self {
        Self {
            roots: roots.to_owned(),
            server_name: super::HOST,
            send_sni: true,
            certificate: None,
            versions: vec![&rustls::version::TLS12],
            unix_s,
        }
    }

    pub fn config(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        for der in CertificateDer::pem_slice_iter(self.roots.as_bytes()) {
            roots.add(der.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_details(provider, Arc::new(Fixed(self.unix_s)))
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match &self.certificate {
            None => builder.with_no_client_auth(),
            // The resolver takes what the builder refuses to read: version 1, and a key of another certificate.
            Some(certificate) => {
                let chain = vec![CertificateDer::from(certificate.certificate_der.clone())];
                let key = PrivateKeyDer::from_pem_slice(certificate.key_pem.as_bytes()).unwrap();
                let key = any_supported_type(&key).unwrap();
                let own = SingleCertAndKey::from(CertifiedKey::new(chain, key));
                builder.with_client_cert_resolver(Arc::new(own))
            }
        };
        config.enable_sni = self.send_sni;
        config
    }

    pub fn connection(&self) -> ClientConnection {
        let name = ServerName::try_from(self.server_name).unwrap();
        ClientConnection::new(Arc::new(self.config()), name).unwrap()
    }
}

/// Bytes for the wire.
pub fn outgoing(client: &mut ClientConnection) -> Vec<u8> {
    let mut out = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut out).unwrap();
    }
    out
}

/// Takes bytes from the wire and gives what they say.
pub fn incoming(client: &mut ClientConnection, mut bytes: &[u8]) -> Result<Vec<u8>, rustls::Error> {
    let mut plaintext = Vec::new();
    while !bytes.is_empty() {
        client.read_tls(&mut bytes).unwrap();
        client.process_new_packets()?;
        // `WouldBlock` and `UnexpectedEof` only say that no more is here.
        let _ = client.reader().read_to_end(&mut plaintext);
    }
    Ok(plaintext)
}

pub fn write(client: &mut ClientConnection, plaintext: &[u8]) {
    client.writer().write_all(plaintext).unwrap();
}
