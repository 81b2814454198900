//! What a ClientHello says that the TLS library does not tell when it refuses it.

/// A handshake message that is larger is not kept.
const MAX_KEPT: usize = 16 * 1024;
const CLIENT_HELLO: u8 = 1;
const SUPPORTED_VERSIONS: u16 = 43;

/// The first bytes of a connection, up to the end of the ClientHello.
#[derive(Default)]
pub(super) struct FirstBytes(Vec<u8>);

impl FirstBytes {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = MAX_KEPT.saturating_sub(self.0.len());
        self.0.extend(bytes.iter().take(room));
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// What the ClientHello offers; `None` if it is incomplete or none.
    pub(super) fn offer(&self) -> Option<Offer> {
        let mut message = Vec::new();
        let mut records = Reader(&self.0);
        // A message may be split over several records.
        while let (Some(_type_and_version), Some(part)) = (records.take(3), records.vector(2)) {
            message.extend_from_slice(part);
        }
        let mut message = Reader(&message);
        let kind = message.number(1)?;
        let body = message.vector(3)?;
        (kind == u32::from(CLIENT_HELLO)).then_some(())?;
        Offer::parse(body)
    }
}

/// Versions and cipher suites that a client offers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offer {
    /// 0x0302 is TLS 1.1, 0x0303 TLS 1.2; the highest is the last.
    pub(super) versions: Vec<u16>,
    pub(super) suites: Vec<rustls::CipherSuite>,
}

impl Offer {
    fn parse(body: &[u8]) -> Option<Self> {
        let mut body = Reader(body);
        let client_version = body.short()?;
        let _random = body.take(32)?;
        let _session = body.vector(1)?;
        let suites = shorts(body.vector(2)?).map(rustls::CipherSuite::from);
        let suites = suites.collect();
        let _compression = body.vector(1)?;
        let mut versions = vec![client_version];
        // TLS 1.1 may do without extensions.
        let mut extensions = Reader(body.vector(2).unwrap_or_default());
        while let (Some(kind), Some(value)) = (extensions.short(), extensions.vector(2)) {
            if kind == SUPPORTED_VERSIONS
                && let Some(list) = Reader(value).vector(1)
            {
                versions = shorts(list).collect();
            }
        }
        // Values such as 0x1A1A only test whether servers ignore them (RFC 8701).
        versions.retain(|version| version >> 8 == 3);
        versions.sort_unstable();
        Some(Self { versions, suites })
    }

    /// The versions in words.
    pub(super) fn versions_named(&self) -> String {
        let names: Vec<_> = self
            .versions
            .iter()
            .map(|version| match version {
                0x0300 => "SSL 3.0".to_owned(),
                0x0301..=0x0304 => format!("TLS 1.{}", version - 0x0301),
                other => format!("{other:#06x}"),
            })
            .collect();
        names.join(", ")
    }
}

fn shorts(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|pair| u16::from_be_bytes(*pair))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of up to three bytes.
    fn number(&mut self, bytes: usize) -> Option<u32> {
        let taken = self.take(bytes)?;
        Some(
            taken
                .iter()
                .fold(0, |sum, byte| sum << 8 | u32::from(*byte)),
        )
    }

    fn short(&mut self) -> Option<u16> {
        self.number(2).and_then(|number| u16::try_from(number).ok())
    }

    /// Bytes after their length.
    fn vector(&mut self, length_bytes: usize) -> Option<&'a [u8]> {
        let length = self.number(length_bytes)?;
        self.take(usize::try_from(length).ok()?)
    }
}
