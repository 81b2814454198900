//! One TLS context as a whole.

use crate::{
    CheckHost, CipherSuite, ItemName, QsslCfg, SecLevel, Secret, SslAnswer, SslItem, SslItems,
    SslVersion,
};

/// The own certificate and private key, files in the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "there is nothing else to a client certificate"
)]
pub struct ClientCertificate<'a> {
    /// The certificate's file.
    pub certificate: &'a str,
    /// The private key's file.
    pub key: &'a str,
    /// The key's password (EC2x only).
    pub key_password: Option<Secret<'a>>,
}

/// The settings of one TLS context.
///
/// ```
/// use quectel_ssl::{SecLevel, SslConfig, SslVersion};
/// let config = SslConfig::new(2, "cacert.pem");
/// assert_eq!((config.sec_level, config.version), (SecLevel::Server, SslVersion::Tls12));
/// assert_eq!(config.weaknesses().count(), 0);
/// ```
///
/// # Reference
/// BG96 SSL AT Commands Manual V1.0, AT+QSSLCFG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "users fill it with struct update syntax"
)]
pub struct SslConfig<'a> {
    /// TLS context, 0 to 5; MQTT must be bound to the same one.
    pub context: u8,
    /// Protocol versions that are offered.
    pub version: SslVersion,
    /// Cipher suites that are offered.
    pub cipher_suite: CipherSuite,
    /// What is verified.
    pub sec_level: SecLevel,
    /// The trusted root's file.
    pub ca_cert: &'a str,
    /// The own certificate, shown only at [`SecLevel::Mutual`].
    pub client: Option<ClientCertificate<'a>>,
    /// Whether expired certificates are accepted. Without a clock in the module, verification fails unless this is set.
    pub ignore_local_time: bool,
    /// Seconds for the handshake, 10 to 300.
    pub negotiate_time_s: u16,
    /// Whether the server's name is sent, which shared hosts such as the provisioning service need.
    pub sni: bool,
    /// How the server's name is verified, on firmware that has a setting for it. Newer BG96 wants
    /// [`CheckHost::Name`], BG95 [`CheckHost::On`].
    pub check_host: CheckHost<'a>,
}

impl Default for SslConfig<'_> {
    /// Context 2 with the root in `cacert.pem`, the server verified.
    fn default() -> Self {
        Self::new(2, "cacert.pem")
    }
}

impl<'a> SslConfig<'a> {
    /// Verifies the server against one root: chain, dates, name where the firmware can; TLS 1.2; server's name sent.
    pub const fn new(context: u8, ca_cert: &'a str) -> Self {
        Self {
            context,
            version: SslVersion::Tls12,
            cipher_suite: CipherSuite::ALL,
            sec_level: SecLevel::Server,
            ca_cert,
            client: None,
            ignore_local_time: false,
            negotiate_time_s: 300,
            sni: true,
            check_host: CheckHost::On,
        }
    }

    /// The same with an own certificate: [`SecLevel::Mutual`].
    pub const fn with_client(self, client: ClientCertificate<'a>) -> Self {
        Self {
            sec_level: SecLevel::Mutual,
            client: Some(client),
            ..self
        }
    }

    /// What a setting has to be; `None` if this configuration leaves it as it is.
    ///
    /// While the server is verified, the settings that would weaken it are set back: an earlier program may have
    /// changed them.
    pub fn item(&self, name: ItemName) -> Option<SslItem<'a>> {
        let verified = self.sec_level != SecLevel::None;
        let strict = |item| verified.then_some(item);
        match name {
            ItemName::SslVersion => Some(SslItem::SslVersion(self.version)),
            ItemName::CipherSuite => Some(SslItem::CipherSuite(self.cipher_suite)),
            ItemName::SecLevel => Some(SslItem::SecLevel(self.sec_level)),
            ItemName::CaCert => strict(SslItem::CaCert(self.ca_cert)),
            ItemName::ClientCert => self.client.map(|c| SslItem::ClientCert(c.certificate)),
            ItemName::ClientKey => self
                .client
                .map(|c| SslItem::ClientKey(c.key, c.key_password)),
            ItemName::IgnoreLocalTime => Some(SslItem::IgnoreLocalTime(self.ignore_local_time)),
            ItemName::NegotiateTime => Some(SslItem::NegotiateTime(self.negotiate_time_s)),
            ItemName::Sni => Some(SslItem::Sni(self.sni)),
            ItemName::CheckHost => strict(SslItem::CheckHost(self.check_host)),
            ItemName::IgnoreCertChain => strict(SslItem::IgnoreCertChain(false)),
            ItemName::IgnoreInvalidCertSign => strict(SslItem::IgnoreInvalidCertSign(false)),
            ItemName::IgnoreMultiCertChainVerify => {
                strict(SslItem::IgnoreMultiCertChainVerify(false))
            }
            ItemName::IgnoreCertItem => strict(SslItem::IgnoreCertItem(0)),
            ItemName::Dtls => Some(SslItem::Dtls(false)),
            _ => None,
        }
    }

    /// The commands that configure the context, for a firmware that has these settings.
    pub fn steps(self, supported: SslItems) -> impl Iterator<Item = QsslCfg<'a>> {
        ORDER
            .iter()
            .filter(move |name| supported.contains(**name))
            .filter_map(move |name| {
                self.item(*name).map(|item| QsslCfg {
                    context: self.context,
                    item,
                })
            })
    }

    /// The command number `n` of [`SslConfig::steps`], counted from 0; `None` after the last one.
    pub fn step(&self, n: usize, supported: SslItems) -> Option<QsslCfg<'a>> {
        self.steps(supported).nth(n)
    }

    /// Whether the context cannot be used if the module refuses this setting. The others make it stricter where the
    /// firmware has them, or have a default that works.
    pub const fn requires(&self, name: ItemName) -> bool {
        matches!(
            name,
            ItemName::SecLevel
                | ItemName::CaCert
                | ItemName::ClientCert
                | ItemName::ClientKey
                | ItemName::IgnoreLocalTime
        )
    }

    /// Compares what the module stored with what it was told. File names are compared without `UFS:`; passwords and
    /// settings that this configuration leaves alone are not compared.
    ///
    /// # Errors
    /// [`Mismatch`] with both values.
    pub fn compare<'l>(&self, answer: &SslAnswer<'l>) -> Result<(), Mismatch<'a, 'l>> {
        if answer.context != self.context {
            return Err(Mismatch::Context {
                wanted: self.context,
                stored: answer.context,
            });
        }
        match self.item(answer.item.name()) {
            Some(wanted) if !same(&wanted, &answer.item) => Err(Mismatch::Value {
                wanted,
                stored: answer.item,
            }),
            _ => Ok(()),
        }
    }

    /// What makes this configuration weaker than the default, for logs.
    pub fn weaknesses(&self) -> impl Iterator<Item = Weakness> {
        let old = !matches!(self.version, SslVersion::Tls12 | SslVersion::Other(_));
        [
            (
                self.sec_level == SecLevel::None,
                Weakness::ServerNotVerified,
            ),
            (self.ignore_local_time, Weakness::DatesIgnored),
            (!self.sni, Weakness::NameNotSent),
            (self.check_host == CheckHost::Off, Weakness::NameNotVerified),
            (old, Weakness::OldVersions),
        ]
        .into_iter()
        .filter_map(|(is_so, weakness)| is_so.then_some(weakness))
    }
}

/// Files before what uses them; checks last, so that an unknown one does not leave the rest unset.
const ORDER: &[ItemName] = &[
    ItemName::SslVersion,
    ItemName::CipherSuite,
    ItemName::SecLevel,
    ItemName::CaCert,
    ItemName::ClientCert,
    ItemName::ClientKey,
    ItemName::IgnoreLocalTime,
    ItemName::NegotiateTime,
    ItemName::Sni,
    ItemName::CheckHost,
    ItemName::IgnoreCertChain,
    ItemName::IgnoreInvalidCertSign,
    ItemName::IgnoreMultiCertChainVerify,
    ItemName::IgnoreCertItem,
    ItemName::Dtls,
];

fn same(wanted: &SslItem<'_>, stored: &SslItem<'_>) -> bool {
    match (wanted, stored) {
        (SslItem::CaCert(a), SslItem::CaCert(b))
        | (SslItem::ClientCert(a), SslItem::ClientCert(b))
        | (SslItem::ClientKey(a, _), SslItem::ClientKey(b, _)) => without_ufs(a) == without_ufs(b),
        (a, b) => a == b,
    }
}

fn without_ufs(path: &str) -> &str {
    match path.split_at_checked(4) {
        Some((head, base)) if head.eq_ignore_ascii_case("UFS:") => base,
        _ => path,
    }
}

/// The module's TLS context is not as it was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch<'a, 'l> {
    /// The answer is about another context.
    #[error(
        "TLS context {wanted} was asked for and the module answered for context {stored}; read the setting again"
    )]
    Context {
        /// The configuration's context.
        wanted: u8,
        /// The answer's context.
        stored: u8,
    },
    /// The setting has another value.
    #[error(
        "the TLS context was set to {wanted} but the module has {stored}; close connections that use the context and \
         set it again"
    )]
    Value {
        /// What was set.
        wanted: SslItem<'a>,
        /// What the module has.
        stored: SslItem<'l>,
    },
}

/// Something that a configuration does without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Weakness {
    /// Security level 0.
    ServerNotVerified,
    /// `ignorelocaltime` 1.
    DatesIgnored,
    /// `sni` 0.
    NameNotSent,
    /// `checkhost` 0.
    NameNotVerified,
    /// A version before TLS 1.2 may be used.
    OldVersions,
}

impl core::fmt::Display for Weakness {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::ServerNotVerified => "the server is not verified (seclevel 0)",
            Self::DatesIgnored => "expired certificates are accepted (ignorelocaltime 1)",
            Self::NameNotSent => "the server's name is not sent (sni 0)",
            Self::NameNotVerified => "the server's name is not verified (checkhost 0)",
            Self::OldVersions => "TLS versions before 1.2 are offered (sslversion)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::written;
    use quectel_at::Line;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn lines(config: SslConfig<'_>, supported: SslItems) -> Vec<String> {
        config.steps(supported).map(|step| written(&step)).collect()
    }

    #[test]
    fn the_default_verifies_the_server() {
        assert_eq!(
            lines(SslConfig::default(), SslItems::EC2X),
            [
                "+QSSLCFG=\"sslversion\",2,3",
                "+QSSLCFG=\"ciphersuite\",2,0XFFFF",
                "+QSSLCFG=\"seclevel\",2,1",
                "+QSSLCFG=\"cacert\",2,\"cacert.pem\"",
                "+QSSLCFG=\"ignorelocaltime\",2,0",
                "+QSSLCFG=\"negotiatetime\",2,300",
                "+QSSLCFG=\"sni\",2,1",
                "+QSSLCFG=\"ignoreinvalidcertsign\",2,0",
                "+QSSLCFG=\"ignoremulticertchainverify\",2,0",
                "+QSSLCFG=\"ignorecertitem\",2,0",
                "+QSSLCFG=\"dtls\",2,0",
            ]
        );
        assert_eq!(SslConfig::default().weaknesses().count(), 0);
    }

    #[test]
    fn firmware_without_a_setting_is_not_asked_for_it() {
        let old = lines(SslConfig::default(), SslItems::BG96_OLD);
        assert_eq!(old.len(), 6);
        assert!(!old.iter().any(|line| line.contains("sni")));
        let config = SslConfig::default();
        assert_eq!(
            config.step(5, SslItems::BG96_OLD).map(|s| written(&s)),
            old.last().cloned()
        );
        assert_eq!(config.step(6, SslItems::BG96_OLD), None);
        assert!(lines(config, SslItems::BG95).contains(&"+QSSLCFG=\"checkhost\",2,1".to_string()));
    }

    #[test]
    fn a_client_certificate_raises_the_level() {
        let config = SslConfig::new(0, "RAM:ca.pem").with_client(ClientCertificate {
            certificate: "client_cert.pem",
            key: "client_key.pem",
            key_password: None,
        });
        let lines = lines(config, SslItems::BG96_OLD);
        assert_eq!(
            lines[2..6],
            [
                "+QSSLCFG=\"seclevel\",0,2",
                "+QSSLCFG=\"cacert\",0,\"RAM:ca.pem\"",
                "+QSSLCFG=\"clientcert\",0,\"client_cert.pem\"",
                "+QSSLCFG=\"clientkey\",0,\"client_key.pem\"",
            ]
        );
    }

    #[test]
    fn read_back_is_compared() {
        let config = SslConfig::default();
        let compare = |line: &'static [u8]| {
            config
                .compare(&SslAnswer::parse(Line::new(line)).unwrap())
                .map_err(|mismatch| mismatch.to_string())
        };
        for same in [
            &b"+QSSLCFG: \"cacert\",2,\"UFS:cacert.pem\""[..],
            b"+QSSLCFG: \"cacert\",2,cacert.pem",
            b"+QSSLCFG: \"ciphersuite\",2,0xffff",
            b"+QSSLCFG: \"sni\",2,1",
            // The configuration says nothing about it.
            b"+QSSLCFG: \"alpn\",2,\"mqtt\"",
        ] {
            assert_eq!(compare(same), Ok(()), "{}", same.escape_ascii());
        }
        for (other, text) in [
            (
                &b"+QSSLCFG: \"seclevel\",2,0"[..],
                "was set to \"seclevel\",1 but the module has \"seclevel\",0",
            ),
            (
                b"+QSSLCFG: \"cacert\",2,\"RAM:cacert.pem\"",
                "has \"cacert\",\"RAM:cacert.pem\"",
            ),
            (b"+QSSLCFG: \"sni\",2,0", "has \"sni\",0"),
            (
                b"+QSSLCFG: \"ignorelocaltime\",2,1",
                "has \"ignorelocaltime\",1",
            ),
            (b"+QSSLCFG: \"seclevel\",1,1", "answered for context 1"),
        ] {
            let error = compare(other).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn what_is_weaker_is_named() {
        let config = SslConfig {
            sec_level: SecLevel::None,
            ignore_local_time: true,
            sni: false,
            check_host: CheckHost::Off,
            version: SslVersion::All,
            ..SslConfig::default()
        };
        assert_eq!(config.weaknesses().count(), 5);
        // Without verification nothing is trusted, and nothing is made strict.
        assert!(
            !lines(config, SslItems::ALL)
                .iter()
                .any(|l| l.contains("cacert") || l.contains("ignorecert"))
        );
    }
}
