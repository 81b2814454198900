//! The names of the settings, and sets of them.

macro_rules! items {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)+) => {
        /// A setting of `AT+QSSLCFG` by name.
        ///
        /// # Reference
        /// BG96 SSL AT Commands Manual V1.0, AT+QSSLCFG; test forms of BG95-M3 (01.011) and EG25-G (30.203).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ItemName {
            $($(#[$doc])* $variant,)+
        }

        impl ItemName {
            /// Every setting.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// As the module spells it, such as `seclevel`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

items! {
    /// Protocol versions that are offered.
    SslVersion = "sslversion";
    /// Cipher suites that are offered.
    CipherSuite = "ciphersuite";
    /// Trusted root, a file.
    CaCert = "cacert";
    /// Second trusted root (EC2x).
    CaCertEx = "cacertex";
    /// Own certificate, a file.
    ClientCert = "clientcert";
    /// Own private key, a file.
    ClientKey = "clientkey";
    /// What is verified.
    SecLevel = "seclevel";
    /// Whether the dates of certificates are ignored.
    IgnoreLocalTime = "ignorelocaltime";
    /// Seconds for the handshake.
    NegotiateTime = "negotiatetime";
    /// Session resumption (BG95).
    Session = "session";
    /// Session resumption (EC2x).
    SessionCache = "session_cache";
    /// Whether the server's name is sent.
    Sni = "sni";
    /// Whether the server's name is verified (BG95, newer BG96).
    CheckHost = "checkhost";
    /// Whether the chain is ignored (newer BG96).
    IgnoreCertChain = "ignorecertchain";
    /// Whether a bad signature is ignored (EC2x, EC200).
    IgnoreInvalidCertSign = "ignoreinvalidcertsign";
    /// Whether intermediate certificates go unverified (EC2x, EC200).
    IgnoreMultiCertChainVerify = "ignoremulticertchainverify";
    /// Certificate checks to leave out, a bit mask (EG25, EG800).
    IgnoreCertItem = "ignorecertitem";
    /// Whether the private key is ignored (EG25).
    IgnorePrivKey = "ignoreprivkey";
    /// Application protocol to negotiate (EC2x).
    Alpn = "alpn";
    /// Renegotiation (EC2x).
    Renegotiation = "renegotiation";
    /// Pre-shared key (EC2x).
    Psk = "psk";
    /// Unit of the time of `AT+QSSLCLOSE` (EC2x, EC200).
    CloseTimeMode = "closetimemode";
    /// DTLS instead of TLS.
    Dtls = "dtls";
    /// DTLS versions that are offered.
    DtlsVersion = "dtlsversion";
}

impl ItemName {
    /// The setting that the module calls so, in any case.
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|item| item.name().as_bytes().eq_ignore_ascii_case(name))
    }
}

impl core::fmt::Display for ItemName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of settings: those that a firmware has.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct SslItems(u32);

impl SslItems {
    /// None.
    pub const EMPTY: Self = Self(0);

    /// All that are known.
    pub const ALL: Self = Self::of(ItemName::ALL);

    /// Those of BG96 firmware up to R02 and R03: no `sni`.
    ///
    /// # Reference
    /// BG96 SSL AT Commands Manual V1.0, AT+QSSLCFG=?.
    pub const BG96_OLD: Self = Self::of(&[
        ItemName::SslVersion,
        ItemName::CipherSuite,
        ItemName::CaCert,
        ItemName::ClientCert,
        ItemName::ClientKey,
        ItemName::SecLevel,
        ItemName::IgnoreLocalTime,
        ItemName::NegotiateTime,
    ]);

    /// Those of newer BG96 firmware; `checkhost` takes the host's name.
    ///
    /// # Reference
    /// mbed-os, QUECTEL_BG96_CellularStack.cpp.
    pub const BG96_NEW: Self = Self::BG96_OLD
        .with(ItemName::Sni)
        .with(ItemName::CheckHost)
        .with(ItemName::IgnoreCertChain);

    /// Those of BG95, BG77 and BG600L.
    ///
    /// # Reference
    /// `AT+QSSLCFG=?` of BG95M3LAR02A03_01.011.01.011.
    pub const BG95: Self = Self::BG96_OLD
        .with(ItemName::Session)
        .with(ItemName::Sni)
        .with(ItemName::CheckHost)
        .with(ItemName::Dtls)
        .with(ItemName::DtlsVersion);

    /// Those of EC2x and EG2x with current firmware.
    ///
    /// # Reference
    /// `AT+QSSLCFG=?` of EG25GGBR07A08M2G_30.203.30.203.
    pub const EC2X: Self = Self::BG96_OLD
        .with(ItemName::Dtls)
        .with(ItemName::DtlsVersion)
        .with(ItemName::CaCertEx)
        .with(ItemName::Sni)
        .with(ItemName::Psk)
        .with(ItemName::CloseTimeMode)
        .with(ItemName::SessionCache)
        .with(ItemName::Alpn)
        .with(ItemName::Renegotiation)
        .with(ItemName::IgnoreMultiCertChainVerify)
        .with(ItemName::IgnoreInvalidCertSign)
        .with(ItemName::IgnoreCertItem);

    /// Those named for the EC200 class: EC200, EC600, EG8xx, EG91x.
    pub const EC200: Self = Self::BG96_OLD
        .with(ItemName::Sni)
        .with(ItemName::IgnoreMultiCertChainVerify)
        .with(ItemName::IgnoreInvalidCertSign)
        .with(ItemName::CloseTimeMode);

    /// These settings.
    pub const fn of(mut items: &[ItemName]) -> Self {
        let mut set = Self::EMPTY;
        while let [first, rest @ ..] = items {
            set = set.with(*first);
            items = rest;
        }
        set
    }

    /// The same with one more.
    pub const fn with(self, item: ItemName) -> Self {
        Self(self.0 | 1 << item as u32)
    }

    /// The same without one, such as one that the module has refused.
    pub const fn without(self, item: ItemName) -> Self {
        Self(self.0 & !(1 << item as u32))
    }

    /// Whether a setting is among them.
    pub const fn contains(self, item: ItemName) -> bool {
        self.0 & (1 << item as u32) != 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = ItemName> {
        ItemName::ALL
            .iter()
            .copied()
            .filter(move |item| self.contains(*item))
    }
}

impl core::fmt::Debug for SslItems {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_and_names() {
        assert!(ItemName::ALL.len() <= 32);
        for item in ItemName::ALL {
            assert_eq!(ItemName::parse(item.name().as_bytes()), Some(*item));
            assert!(SslItems::ALL.contains(*item));
            assert!(!SslItems::ALL.without(*item).contains(*item));
        }
        assert_eq!(ItemName::parse(b"SNI"), Some(ItemName::Sni));
        assert_eq!(ItemName::parse(b""), None);
        assert!(!SslItems::BG96_OLD.contains(ItemName::Sni));
        assert!(SslItems::BG95.contains(ItemName::Sni));
        assert_eq!(SslItems::BG96_OLD.iter().count(), 8);
    }
}
