//! The values of settings.

use quectel_at::ParamError;

/// `sslversion`: which protocol versions are offered.
///
/// # Reference
/// BG96 SSL AT Commands Manual V1.0, AT+QSSLCFG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SslVersion {
    /// 0: SSL 3.0.
    Ssl30,
    /// 1: TLS 1.0.
    Tls10,
    /// 2: TLS 1.1.
    Tls11,
    /// 3: TLS 1.2, which IoT Hub needs.
    Tls12,
    /// 4: any of them.
    All,
    /// A number that only some firmware has, such as 5 on EG25-G.
    Other(u8),
}

impl SslVersion {
    /// The module's number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Ssl30 => 0,
            Self::Tls10 => 1,
            Self::Tls11 => 2,
            Self::Tls12 => 3,
            Self::All => 4,
            Self::Other(number) => number,
        }
    }

    /// The version with this number.
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Ssl30,
            1 => Self::Tls10,
            2 => Self::Tls11,
            3 => Self::Tls12,
            4 => Self::All,
            other => Self::Other(other),
        }
    }
}

/// `seclevel`: what the handshake verifies.
///
/// # Reference
/// BG96 SSL AT Commands Manual V1.0, AT+QSSLCFG; EG800K measurement (expired, self-signed, wrong host and untrusted
/// root are refused at level 1 and accepted at level 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecLevel {
    /// 0: nothing, so anyone can pose as the server.
    None,
    /// 1: the server. Right for SAS tokens.
    Server,
    /// 2: the server, and the own certificate is shown if asked for. Needed for X.509; without the client files the
    /// handshake fails.
    Mutual,
}

impl SecLevel {
    /// The module's number.
    pub const fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Server => 1,
            Self::Mutual => 2,
        }
    }

    /// The level with this number.
    ///
    /// # Errors
    /// [`ParamError::NotANumber`] if there is none.
    pub const fn from_number(number: u8) -> Result<Self, ParamError> {
        match number {
            0 => Ok(Self::None),
            1 => Ok(Self::Server),
            2 => Ok(Self::Mutual),
            _ => Err(ParamError::NotANumber),
        }
    }
}

/// `ciphersuite`: one cipher suite by its TLS number, or all.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it is the number in TLS")]
pub struct CipherSuite(pub u16);

impl CipherSuite {
    /// Whatever the module has.
    pub const ALL: Self = Self(0xFFFF);
    /// The best suite of a BG96 that IoT Hub accepts.
    pub const ECDHE_RSA_AES128_GCM_SHA256: Self = Self(0xC02F);
    /// The strongest suite of an EG25 that IoT Hub accepts.
    pub const ECDHE_RSA_AES256_GCM_SHA384: Self = Self(0xC030);

    /// Its name; `None` for a number that no test form lists.
    ///
    /// ```
    /// use quectel_ssl::CipherSuite;
    /// assert_eq!(CipherSuite(0xC02F).name(), Some("ECDHE-RSA-AES128-GCM-SHA256"));
    /// ```
    ///
    /// # Reference
    /// `AT+QSSLCFG=?` of BG96 (V1.0), BG95-M3 (01.011), EG25-G (30.203); IANA TLS cipher suites.
    pub fn name(self) -> Option<&'static str> {
        SUITES.iter().find(|row| row.0 == self.0).map(|row| row.1)
    }
}

impl core::fmt::Debug for CipherSuite {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "CipherSuite({self})")
    }
}

impl core::fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "0X{:04X}", self.0)?;
        match self.name() {
            Some(name) => write!(f, " {name}"),
            None => Ok(()),
        }
    }
}

const SUITES: &[(u16, &str)] = &[
    (0x0004, "RSA-RC4-MD5"),
    (0x0005, "RSA-RC4-SHA"),
    (0x000A, "RSA-3DES-CBC-SHA"),
    (0x002F, "RSA-AES128-CBC-SHA"),
    (0x0035, "RSA-AES256-CBC-SHA"),
    (0x003D, "RSA-AES256-CBC-SHA256"),
    (0x00AE, "PSK-AES128-CBC-SHA256"),
    (0xC002, "ECDH-ECDSA-RC4-SHA"),
    (0xC003, "ECDH-ECDSA-3DES-CBC-SHA"),
    (0xC004, "ECDH-ECDSA-AES128-CBC-SHA"),
    (0xC005, "ECDH-ECDSA-AES256-CBC-SHA"),
    (0xC007, "ECDHE-ECDSA-RC4-SHA"),
    (0xC008, "ECDHE-ECDSA-3DES-CBC-SHA"),
    (0xC009, "ECDHE-ECDSA-AES128-CBC-SHA"),
    (0xC00A, "ECDHE-ECDSA-AES256-CBC-SHA"),
    (0xC00C, "ECDH-RSA-RC4-SHA"),
    (0xC00D, "ECDH-RSA-3DES-CBC-SHA"),
    (0xC00E, "ECDH-RSA-AES128-CBC-SHA"),
    (0xC00F, "ECDH-RSA-AES256-CBC-SHA"),
    (0xC011, "ECDHE-RSA-RC4-SHA"),
    (0xC012, "ECDHE-RSA-3DES-CBC-SHA"),
    (0xC013, "ECDHE-RSA-AES128-CBC-SHA"),
    (0xC014, "ECDHE-RSA-AES256-CBC-SHA"),
    (0xC023, "ECDHE-ECDSA-AES128-CBC-SHA256"),
    (0xC024, "ECDHE-ECDSA-AES256-CBC-SHA384"),
    (0xC025, "ECDH-ECDSA-AES128-CBC-SHA256"),
    (0xC026, "ECDH-ECDSA-AES256-CBC-SHA384"),
    (0xC027, "ECDHE-RSA-AES128-CBC-SHA256"),
    (0xC028, "ECDHE-RSA-AES256-CBC-SHA384"),
    (0xC029, "ECDH-RSA-AES128-CBC-SHA256"),
    (0xC02A, "ECDH-RSA-AES256-CBC-SHA384"),
    (0xC02B, "ECDHE-ECDSA-AES128-GCM-SHA256"),
    (0xC02F, "ECDHE-RSA-AES128-GCM-SHA256"),
    (0xC030, "ECDHE-RSA-AES256-GCM-SHA384"),
    (0xC0A8, "PSK-AES128-CCM8"),
    (0xC0AE, "ECDHE-ECDSA-AES128-CCM8"),
    (0xFFFF, "all"),
];

/// `checkhost`: whether the server's name must match its certificate. The families differ in the form.
///
/// # Reference
/// `AT+QSSLCFG=?` of BG95-M3 (0 or 1); mbed-os, QUECTEL_BG96_CellularStack.cpp (the name itself).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckHost<'a> {
    /// 0: any name will do.
    Off,
    /// 1: the name that is connected to (BG95).
    On,
    /// This name (newer BG96).
    Name(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn numbers_go_both_ways() {
        for number in 0..=6 {
            assert_eq!(SslVersion::from_number(number).number(), number);
        }
        for number in 0..=2 {
            assert_eq!(
                SecLevel::from_number(number).map(SecLevel::number),
                Ok(number)
            );
        }
        assert_eq!(SecLevel::from_number(3), Err(ParamError::NotANumber));
    }

    #[test]
    fn suites_are_sorted_unique_and_printed() {
        assert!(SUITES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(format!("{}", CipherSuite::ALL), "0XFFFF all");
        assert_eq!(format!("{}", CipherSuite(0x1301)), "0X1301");
    }
}
