//! Files on the module, and which known root certificate a size and a checksum are.

use azure_auth::roots::{ROOTS, Role, Root, TextForm, identify};

use super::pem::PemSeen;
use crate::mask::Quote;

/// A file of which the log tells something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// As the module knows it: `UFS:` taken off, other storages kept.
    pub(crate) name: String,
    pub(crate) declared: Option<u64>,
    pub(crate) size: Option<u64>,
    pub(crate) checksum: Option<u16>,
    /// The line with its size.
    pub(crate) quote: Quote,
    /// This log shows how it came there.
    pub(crate) uploaded: bool,
    /// `+CME ERROR: 407`: the upload was refused and the old content stayed.
    pub(crate) refused_as_existing: Option<Quote>,
    /// `ERROR` behind the upload: bytes that the module took for a command.
    pub(crate) stray_error: Option<Quote>,
    /// What the poster wrote in place of the contents: `private_key.pem`.
    pub(crate) label: Option<(String, Quote)>,
    pub(crate) pem: Option<PemSeen>,
    /// Base64 stands in the log where the contents begin, without a line BEGIN.
    pub(crate) bare_base64: Option<Quote>,
    /// Deleted, or lost with the RAM at a restart.
    pub(crate) gone: Option<Quote>,
}

impl File {
    pub(crate) const fn new(name: String, quote: Quote) -> Self {
        Self {
            name,
            declared: None,
            size: None,
            checksum: None,
            quote,
            uploaded: false,
            refused_as_existing: None,
            stray_error: None,
            label: None,
            pem: None,
            bare_base64: None,
            gone: None,
        }
    }

    /// The known root that this file is, by its contents in the log or its size and checksum.
    pub(crate) fn root(&self) -> Option<RootFile> {
        let seen = self.pem.as_ref().and_then(PemSeen::root);
        self.size
            .and_then(|size| recognise(size, self.checksum))
            .or(seen)
    }
}

/// The name that the module uses: `UFS:` is where a name without storage goes.
pub(crate) fn normal_name(name: &str) -> String {
    let name = name.trim();
    match name.split_once(':') {
        Some((storage, rest)) if storage.eq_ignore_ascii_case("UFS") => rest.to_owned(),
        Some((storage, rest)) => format!("{}:{rest}", storage.to_ascii_uppercase()),
        None => name.to_owned(),
    }
}

/// The last part of a name, in small letters, without storage and folder.
pub(crate) fn base_name(name: &str) -> String {
    let name = name.rsplit(['/', ':', '\\']).next().unwrap_or(name);
    name.to_ascii_lowercase()
}

/// Files seen in transcripts that are no roots of today: size, checksum, and what they are.
const OTHER_FILES: &[(u64, u16, &str)] = &[
    (1544, 0x5505, "the intermediate \"Amazon Server CA 1B\""),
    (1758, 0x384a, "the retired VeriSign root of an example"),
];

/// What a file of these numbers is known to be, if it is no root of today.
pub(crate) fn other_file(size: Option<u64>, checksum: Option<u16>) -> Option<&'static str> {
    OTHER_FILES
        .iter()
        .find(|(s, c, _)| Some(*s) == size && Some(*c) == checksum)
        .map(|(_, _, words)| *words)
}

/// What was done to a root's text before it was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    None,
    /// A NUL behind the text.
    Nul,
    /// A UTF-8 byte-order mark in front.
    Bom,
    /// CR alone between the lines.
    LoneCr,
    /// The lines BEGIN and END are missing.
    NoArmor,
}

/// A file recognised as a known root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RootFile {
    pub(crate) root: &'static Root,
    pub(crate) form: TextForm,
    pub(crate) damage: Damage,
    /// The checksum agrees too; else only the size does.
    pub(crate) certain: bool,
}

impl RootFile {
    pub(crate) const fn is_retired(&self) -> bool {
        matches!(self.root.role, Role::Retired)
    }

    /// `CR LF, no final newline`.
    pub(crate) const fn form_text(&self) -> &'static str {
        match self.form {
            TextForm::Lf => "LF",
            TextForm::LfNoFinalNewline => "LF and no final newline",
            TextForm::CrLf => "CR LF",
            TextForm::CrLfNoFinalNewline => "CR LF and no final newline",
            _ => "another form",
        }
    }
}

const HEADER: &[u8] = b"-----BEGIN CERTIFICATE-----\n";
const FOOTER: &[u8] = b"-----END CERTIFICATE-----\n";

/// The root that a file of this size and checksum is.
pub(crate) fn recognise(size: u64, checksum: Option<u16>) -> Option<RootFile> {
    let size = usize::try_from(size).ok()?;
    let Some(checksum) = checksum else {
        return by_size(size);
    };
    if let Some(found) = identify(size, checksum) {
        let damage = if found.trailing_nul {
            Damage::Nul
        } else {
            Damage::None
        };
        return Some(RootFile {
            root: found.root,
            form: found.form,
            damage,
            certain: true,
        });
    }
    ROOTS.iter().find_map(|root| {
        root.texts.iter().find_map(|text| {
            let damage = damaged(text.size, text.checksum, text.form, size, checksum)?;
            Some(RootFile {
                root,
                form: text.form,
                damage,
                certain: true,
            })
        })
    })
}

fn by_size(size: usize) -> Option<RootFile> {
    let at = |wanted: usize, damage| {
        ROOTS.iter().find_map(|root| {
            let text = root.texts.iter().find(|text| text.size == wanted)?;
            Some(RootFile {
                root,
                form: text.form,
                damage,
                certain: false,
            })
        })
    };
    // Only the size: a NUL is worth a guess, other damage is not.
    at(size, Damage::None).or_else(|| at(size.checked_sub(1)?, Damage::Nul))
}

/// What makes a file of `size` and `checksum` out of a root's text with these.
fn damaged(
    text_size: usize,
    text_checksum: u16,
    form: TextForm,
    size: usize,
    checksum: u16,
) -> Option<Damage> {
    let [even, odd] = text_checksum.to_be_bytes();
    // Three bytes in front put every byte on the other side of its pair.
    let with_bom = u16::from_be_bytes([0xEF ^ 0xBF ^ odd, 0xBB ^ even]);
    if (size, checksum) == (text_size + 3, with_bom) {
        return Some(Damage::Bom);
    }
    if form != TextForm::Lf {
        return None;
    }
    if size == text_size && checksum == text_checksum ^ lf_to_cr(text_size) {
        return Some(Damage::LoneCr);
    }
    let body = text_size.checked_sub(HEADER.len() + FOOTER.len())?;
    let without = text_checksum ^ sum_at(HEADER, 0) ^ sum_at(FOOTER, text_size - FOOTER.len());
    (size == body && checksum == without).then_some(Damage::NoArmor)
}

/// The checksum that `bytes` add when they begin at offset `at`.
fn sum_at(bytes: &[u8], at: usize) -> u16 {
    bytes.iter().zip(at..).fold(0, |sum, (byte, at)| {
        sum ^ (u16::from(*byte) << if at % 2 == 0 { 8 } else { 0 })
    })
}

/// What changes in the checksum when every LF of a 64-column PEM text becomes CR.
fn lf_to_cr(text_size: usize) -> u16 {
    let end_of_body = text_size.saturating_sub(FOOTER.len() + 1);
    let first = HEADER.len() - 1;
    let full_lines = (1..)
        .map(|n| first + 65 * n)
        .take_while(|at| *at < end_of_body);
    [first, end_of_body, text_size.saturating_sub(1)]
        .into_iter()
        .chain(full_lines)
        .fold(0, |sum, at| sum ^ sum_at(&[b'\n' ^ b'\r'], at))
}

/// A root whose file has this size but another checksum.
pub(crate) fn size_twin(size: u64) -> Option<(&'static Root, u16, TextForm)> {
    let size = usize::try_from(size).ok()?;
    ROOTS.iter().find_map(|root| {
        let text = root.texts.iter().find(|text| text.size == size)?;
        Some((root, text.checksum, text.form))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_tell_the_file() {
        for (size, checksum, name, damage) in [
            (1294, 0x3d7c, "DigiCert Global Root G2", Damage::None),
            (1280, 0x4f54, "Baltimore CyberTrust Root", Damage::None),
            (1189, 0x2d13, "Amazon Root CA 1", Damage::Nul),
            (1297, 0x2c86, "DigiCert Global Root G2", Damage::Bom),
            (1191, 0x4396, "Amazon Root CA 1", Damage::Bom),
            (1264, 0x3fc5, "Baltimore CyberTrust Root", Damage::Bom),
        ] {
            let found = recognise(size, Some(checksum)).unwrap();
            assert_eq!(
                (found.root.name, found.damage, found.certain),
                (name, damage, true),
                "{size}"
            );
        }
        assert_eq!(recognise(1282, Some(0x5155)), None);
        assert_eq!(recognise(1188, Some(0x707e)), None);
        assert_eq!(
            recognise(1282, None).map(|f| (f.root.name, f.certain)),
            Some(("Baltimore CyberTrust Root", false))
        );
    }

    #[test]
    fn lone_cr_and_missing_armor_are_computed() {
        let g2 = azure_auth::roots::DIGICERT_GLOBAL_ROOT_G2_PEM;
        let sum = |bytes: &[u8]| {
            let mut sum = quectel_file::Checksum::new();
            sum.update(bytes);
            (bytes.len() as u64, Some(sum.value()))
        };
        // G2 has an even number of lines on either side of a pair: its checksum does not show the difference.
        for (pem, damage) in [
            (g2, Damage::None),
            (
                azure_auth::roots::MICROSOFT_RSA_ROOT_2017_PEM,
                Damage::LoneCr,
            ),
        ] {
            let cr: Vec<u8> = pem
                .iter()
                .map(|b| if *b == b'\n' { b'\r' } else { *b })
                .collect();
            let (size, checksum) = sum(&cr);
            assert_eq!(recognise(size, checksum).map(|f| f.damage), Some(damage));
        }
        let body = g2.get(HEADER.len()..g2.len() - FOOTER.len()).unwrap();
        let (size, checksum) = sum(body);
        assert_eq!(
            recognise(size, checksum).map(|f| f.damage),
            Some(Damage::NoArmor)
        );
    }

    #[test]
    fn names_are_compared_as_the_module_does() {
        assert_eq!(normal_name("UFS:cacert.pem"), "cacert.pem");
        assert_eq!(normal_name("ram:cacert.pem"), "RAM:cacert.pem");
        assert_eq!(base_name("/security/CA.pem"), "ca.pem");
    }
}
