//! A ClientHello for versions and suites that rustls does not speak.
//!
//! It is real: the server answers with its own alert, or with a ServerHello that the simulator cannot follow.

/// A handshake that ends with the server's first answer.
#[derive(Debug)]
pub(crate) struct LegacyHello {
    hello: Vec<u8>,
    received: Vec<u8>,
}

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

impl LegacyHello {
    /// `version` as in item `sslversion`; 3 and 4 send TLS 1.2.
    pub(crate) fn new(version: u8, suites: &[u16], sni: Option<&String>) -> Self {
        let minor = version.min(3);
        let mut body = vec![3, minor];
        // Not secret: this handshake never gets as far as keys.
        body.extend([0x51; 32]);
        body.push(0);
        let codes: Vec<u8> = suites
            .iter()
            .filter(|c| **c != 0xFFFF)
            .flat_map(|c| c.to_be_bytes())
            .collect();
        push_u16(&mut body, &codes);
        body.extend([1, 0]);
        if minor > 0 {
            let extensions = extensions(minor, sni);
            push_u16(&mut body, &extensions);
        }
        let mut handshake = vec![1, 0];
        push_u16(&mut handshake, &body);
        let mut hello = vec![HANDSHAKE, 3, minor.min(1)];
        push_u16(&mut hello, &handshake);
        Self {
            hello,
            received: Vec::new(),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.hello.clone()
    }

    /// Takes the server's answer: what to send back, and why the handshake ends.
    pub(crate) fn receive(&mut self, data: &[u8]) -> (Vec<u8>, Option<String>) {
        self.received.extend_from_slice(data);
        match self.received.as_slice() {
            [ALERT, _, _, _, _, _, code, ..] => {
                (vec![], Some(format!("the peer sent alert {code}")))
            }
            [ALERT, ..] | [] => (vec![], None),
            _ => {
                let alert = vec![ALERT, 3, 3, 0, 2, 2, 40];
                (
                    alert,
                    Some("the peer chose a version or suite that is not simulated".to_owned()),
                )
            }
        }
    }
}

fn push_u16(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.extend(length.to_be_bytes());
    out.extend_from_slice(bytes);
}

fn extensions(minor: u8, sni: Option<&String>) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(host) = sni {
        let mut entry = vec![0];
        push_u16(&mut entry, host.as_bytes());
        let mut list = Vec::new();
        push_u16(&mut list, &entry);
        out.extend([0, 0]);
        push_u16(&mut out, &list);
    }
    // Groups secp256r1 and secp384r1; uncompressed points.
    out.extend([0, 10, 0, 6, 0, 4, 0, 23, 0, 24, 0, 11, 0, 2, 1, 0]);
    if minor >= 3 {
        // RSA and ECDSA with SHA-256 and SHA-384, RSA with SHA-1.
        out.extend([0, 13, 0, 12, 0, 10, 4, 1, 4, 3, 5, 1, 5, 3, 2, 1]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_fit_together() {
        for version in 0..=4 {
            let host = "hub.test".to_owned();
            let hello = LegacyHello::new(version, &[0x002F, 0x0035, 0xFFFF], Some(&host)).bytes();
            let record = usize::from(u16::from_be_bytes([hello[3], hello[4]]));
            assert_eq!(hello.len(), 5 + record);
            let body = usize::from(u16::from_be_bytes([hello[7], hello[8]]));
            assert_eq!(record, 4 + body);
            assert_eq!(hello[9..11], [3, version.min(3)]);
        }
    }

    #[test]
    fn answers() {
        let mut hello = LegacyHello::new(1, &[0x2F], None);
        assert_eq!(hello.receive(&[21, 3, 1, 0]), (vec![], None));
        assert_eq!(
            hello.receive(&[2, 2, 70]).1.as_deref(),
            Some("the peer sent alert 70")
        );
        let mut hello = LegacyHello::new(1, &[0x2F], None);
        assert_eq!(hello.receive(&[22]).0, [21, 3, 3, 0, 2, 2, 40]);
    }
}
