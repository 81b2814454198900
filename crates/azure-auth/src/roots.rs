//! Root certificates that devices meet: those to trust, and those to recognise in a module's storage.
//!
//! A Quectel module tells size and checksum of a file but seldom its content; that is enough to say which
//! root it is, in which line ends.
//!
//! ```
//! use azure_auth::roots::{self, Role, TextForm};
//!
//! // `+QFUPL: 1280,4f54`
//! let found = roots::identify(1280, 0x4f54).ok_or("unknown")?;
//! assert_eq!(found.root.name, "Baltimore CyberTrust Root");
//! assert_eq!(found.root.role, Role::Retired);
//! assert_eq!(found.form, TextForm::CrLfNoFinalNewline);
//! assert!(found.root.not_after_unix_s < 1_760_000_000);
//!
//! let own = roots::DIGICERT_GLOBAL_ROOT_G2_PEM;
//! assert_eq!(roots::identify(own.len(), 0x3d7c).map(|found| found.root.role), Some(Role::Current));
//! # Ok::<(), &str>(())
//! ```
//!
//! # Reference
//! Azure, "Azure Certificate Authority details" and "TLS support in IoT Hub"; BG96 FILE AT Commands Manual
//! V1.0, `AT+QFUPL`, for the checksum: 16-bit XOR over byte pairs, the first byte of each pair high.

mod table;

pub use table::ROOTS;

/// DigiCert Global Root G2 in PEM with LF: the root of every IoT Hub and DPS endpoint of the global cloud.
pub const DIGICERT_GLOBAL_ROOT_G2_PEM: &[u8] =
    include_bytes!("../roots/DigiCert_Global_Root_G2.pem");

/// Microsoft RSA Root Certificate Authority 2017 in PEM with LF: recommended beside G2 for what comes after it.
pub const MICROSOFT_RSA_ROOT_2017_PEM: &[u8] =
    include_bytes!("../roots/Microsoft_RSA_Root_Certificate_Authority_2017.pem");

/// DigiCert Global Root CA in PEM with LF: the root of the clouds of the US government and of China.
pub const DIGICERT_GLOBAL_ROOT_CA_PEM: &[u8] =
    include_bytes!("../roots/DigiCert_Global_Root_CA.pem");

/// What a root is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// IoT Hub and DPS of the global cloud use it.
    Current,
    /// Azure may use it later, or for elliptic-curve certificates; alone it does not reach a hub today.
    Alternative,
    /// IoT Hub and DPS of the US government and of China use it.
    Sovereign,
    /// IoT Hub used it once and uses it no more.
    Retired,
    /// Other services use it; Azure never did.
    OtherCloud,
}

/// How PEM text is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextForm {
    /// Lines end in LF.
    Lf,
    /// Lines end in LF, except the last one.
    LfNoFinalNewline,
    /// Lines end in CR LF.
    CrLf,
    /// Lines end in CR LF, except the last one.
    CrLfNoFinalNewline,
}

/// Size and checksum of a root as a text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootText {
    /// How it is written down.
    pub form: TextForm,
    /// Size in bytes.
    pub size: usize,
    /// Checksum as `AT+QFUPL` prints it, in hexadecimal there.
    pub checksum: u16,
}

/// Facts of a root certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// Common name of its subject.
    pub name: &'static str,
    /// What it is for.
    pub role: Role,
    /// SHA-1 of its DER form.
    pub sha1: [u8; 20],
    /// SHA-256 of its DER form.
    pub sha256: [u8; 32],
    /// Begin of its validity in unix seconds.
    pub not_before_unix_s: u64,
    /// End of its validity in unix seconds.
    pub not_after_unix_s: u64,
    /// The files that its PEM text makes, in the order of [`TextForm`].
    pub texts: [RootText; 4],
}

/// A file that is a known root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootMatch {
    /// Which root.
    pub root: &'static Root,
    /// How it is written down.
    pub form: TextForm,
    /// Whether a NUL follows, as when the size of a C string was sent with its terminator.
    pub trailing_nul: bool,
}

/// The root whose PEM text has this size and checksum, if it is one of [`ROOTS`].
///
/// A NUL at the end changes the size and not the checksum.
#[must_use]
pub fn identify(size: usize, checksum: u16) -> Option<RootMatch> {
    let find = |size: usize| {
        ROOTS.iter().find_map(|root| {
            let text = root
                .texts
                .iter()
                .find(|text| (text.size, text.checksum) == (size, checksum))?;
            Some((root, text.form))
        })
    };
    let of = |(root, form), trailing_nul| RootMatch {
        root,
        form,
        trailing_nul,
    };
    find(size).map(|found| of(found, false)).or_else(|| {
        size.checked_sub(1)
            .and_then(find)
            .map(|found| of(found, true))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_transcripts() {
        use TextForm::{CrLf, CrLfNoFinalNewline, Lf, LfNoFinalNewline};
        let cases = [
            (1294, 0x3d7c, Some(("DigiCert Global Root G2", Lf, false))),
            (1295, 0x3d7c, Some(("DigiCert Global Root G2", Lf, true))),
            (1316, 0x5110, Some(("DigiCert Global Root G2", CrLf, false))),
            (
                1282,
                0x425e,
                Some(("Baltimore CyberTrust Root", CrLf, false)),
            ),
            (
                1280,
                0x4f54,
                Some(("Baltimore CyberTrust Root", CrLfNoFinalNewline, false)),
            ),
            (1188, 0x2d13, Some(("Amazon Root CA 1", Lf, false))),
            (1189, 0x2d13, Some(("Amazon Root CA 1", Lf, true))),
            (
                1187,
                0x2d19,
                Some(("Amazon Root CA 1", LfNoFinalNewline, false)),
            ),
            (1939, 0x4f64, Some(("ISRG Root X1", Lf, false))),
            (
                1188,
                0x2d19,
                Some(("Amazon Root CA 1", LfNoFinalNewline, true)),
            ),
            (1187, 0x2d13, None),
            (1190, 0x2d13, None),
            (1221, 0x021c, None),
            (0, 0, None),
        ];
        for (size, checksum, expected) in cases {
            let got = identify(size, checksum)
                .map(|found| (found.root.name, found.form, found.trailing_nul));
            assert_eq!(got, expected, "{size},{checksum:x}");
        }
    }
}
