//! Computes every fact of the table of known roots again, from the certificates themselves.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::path::Path;

use azure_auth::roots::{self, ROOTS, Root, RootText, TextForm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// File name of each root's PEM text with LF, under `roots/` when the crate carries it and `tests/roots/` else.
const FILES: &[(&str, &str)] = &[
    (
        "DigiCert Global Root G2",
        "roots/DigiCert_Global_Root_G2.pem",
    ),
    (
        "Microsoft RSA Root Certificate Authority 2017",
        "roots/Microsoft_RSA_Root_Certificate_Authority_2017.pem",
    ),
    (
        "DigiCert Global Root CA",
        "roots/DigiCert_Global_Root_CA.pem",
    ),
    (
        "DigiCert Global Root G3",
        "tests/roots/DigiCert_Global_Root_G3.pem",
    ),
    (
        "Microsoft ECC Root Certificate Authority 2017",
        "tests/roots/Microsoft_ECC_Root_Certificate_Authority_2017.pem",
    ),
    (
        "DigiCert TLS RSA4096 Root G5",
        "tests/roots/DigiCert_TLS_RSA4096_Root_G5.pem",
    ),
    (
        "DigiCert TLS ECC P384 Root G5",
        "tests/roots/DigiCert_TLS_ECC_P384_Root_G5.pem",
    ),
    (
        "Baltimore CyberTrust Root",
        "tests/roots/Baltimore_CyberTrust_Root.pem",
    ),
    (
        "D-TRUST Root Class 3 CA 2 2009",
        "tests/roots/D-TRUST_Root_Class_3_CA_2_2009.pem",
    ),
    ("Amazon Root CA 1", "tests/roots/Amazon_Root_CA_1.pem"),
    ("Amazon Root CA 3", "tests/roots/Amazon_Root_CA_3.pem"),
    (
        "Starfield Services Root Certificate Authority - G2",
        "tests/roots/Starfield_Services_Root_CA_G2.pem",
    ),
    (
        "Starfield Class 2 Certification Authority",
        "tests/roots/Starfield_Class_2_CA.pem",
    ),
    ("ISRG Root X1", "tests/roots/ISRG_Root_X1.pem"),
];

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let pem = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(
        !pem.contains('\r') && pem.ends_with("-----END CERTIFICATE-----\n"),
        "{file} is not in LF form"
    );
    pem
}

#[test]
fn table_is_what_the_certificates_say() {
    let files: BTreeMap<_, _> = FILES.iter().copied().collect();
    assert_eq!(files.len(), ROOTS.len());
    for root in ROOTS {
        let pem = read(files[root.name]);
        assert_eq!(root.texts, texts(&pem), "{}", root.name);
        let base64: String = pem
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect();
        let der = STANDARD.decode(base64).unwrap();
        assert_eq!(
            root.sha256,
            <[u8; 32]>::from(Sha256::digest(&der)),
            "{}",
            root.name
        );
        assert_eq!(root.sha1, sha1(&der), "{}", root.name);
        assert_eq!(
            (root.not_before_unix_s, root.not_after_unix_s),
            validity(&der),
            "{}",
            root.name
        );
    }
}

#[test]
fn carried_texts_are_the_files() {
    let carried = [
        (
            roots::DIGICERT_GLOBAL_ROOT_G2_PEM,
            "DigiCert Global Root G2",
            1294,
            0x3d7c,
        ),
        (
            roots::MICROSOFT_RSA_ROOT_2017_PEM,
            "Microsoft RSA Root Certificate Authority 2017",
            2021,
            0x5049,
        ),
        (
            roots::DIGICERT_GLOBAL_ROOT_CA_PEM,
            "DigiCert Global Root CA",
            1338,
            0x173f,
        ),
    ];
    for (pem, name, size, sum) in carried {
        assert_eq!((pem.len(), checksum(pem)), (size, sum), "{name}");
        let found =
            roots::identify(pem.len(), checksum(pem)).map(|found| (found.root.name, found.form));
        assert_eq!(found, Some((name, TextForm::Lf)));
    }
}

#[test]
fn every_form_is_identified_with_and_without_nul() {
    for root in ROOTS {
        for text in root.texts {
            for (nul, size) in [(false, text.size), (true, text.size + 1)] {
                let found = roots::identify(size, text.checksum);
                let got = found.map(|found| (found.root.name, found.form, found.trailing_nul));
                assert_eq!(got, Some((root.name, text.form, nul)), "{size}");
            }
        }
    }
}

#[test]
fn a_nul_does_not_change_the_checksum() {
    for Root { name, .. } in ROOTS {
        let file = FILES
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, file)| *file)
            .unwrap();
        for (_, text) in forms(&read(file)) {
            let with_nul = format!("{text}\0");
            assert_eq!(
                checksum(text.as_bytes()),
                checksum(with_nul.as_bytes()),
                "{name}"
            );
        }
    }
}

fn forms(pem: &str) -> [(TextForm, String); 4] {
    let crlf = pem.replace('\n', "\r\n");
    [
        (TextForm::Lf, pem.into()),
        (TextForm::LfNoFinalNewline, pem.trim_end().into()),
        (TextForm::CrLf, crlf.clone()),
        (TextForm::CrLfNoFinalNewline, crlf.trim_end().into()),
    ]
}

fn texts(pem: &str) -> [RootText; 4] {
    forms(pem).map(|(form, text)| RootText {
        form,
        size: text.len(),
        checksum: checksum(text.as_bytes()),
    })
}

/// The checksum of `AT+QFUPL`.
fn checksum(bytes: &[u8]) -> u16 {
    bytes.chunks(2).fold(0, |sum, pair| {
        sum ^ u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)])
    })
}

/// Begin and end of the validity: the first SEQUENCE of two UTCTime or GeneralizedTime.
fn validity(der: &[u8]) -> (u64, u64) {
    let time = |at: usize| {
        let (digits, end) = match (der.get(at)?, der.get(at + 1)?) {
            (0x17, 13) => (
                core::str::from_utf8(der.get(at + 2..at + 15)?).ok()?,
                at + 15,
            ),
            (0x18, 15) => (
                core::str::from_utf8(der.get(at + 2..at + 17)?).ok()?,
                at + 17,
            ),
            _ => return None,
        };
        Some((unix_s(digits.strip_suffix('Z')?), end))
    };
    (0..der.len())
        .find_map(|at| {
            let (not_before, next) = time(at)?;
            Some((not_before, time(next)?.0))
        })
        .unwrap()
}

/// `YYMMDDhhmmss` or `YYYYMMDDhhmmss` in unix seconds.
fn unix_s(digits: &str) -> u64 {
    let (year, rest) = digits.split_at(digits.len() - 10);
    let year: u64 = match (year.parse().unwrap(), year.len()) {
        (year, 4) => year,
        (year @ 50.., _) => 1900 + year,
        (year, _) => 2000 + year,
    };
    let field = |at: usize| rest[at..at + 2].parse::<u64>().unwrap();
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let before: u64 = (1970..year)
        .map(|year| if leap(year) { 366 } else { 365 })
        .sum();
    let months = [
        31,
        if leap(year) { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let days = before
        + (1..field(0))
            .map(|month| months[usize::try_from(month).unwrap() - 1])
            .sum::<u64>()
        + field(2)
        - 1;
    ((days * 24 + field(4)) * 60 + field(6)) * 60 + field(8)
}

/// SHA-1 after RFC 3174: fingerprints are still told in it.
fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut message = bytes.to_vec();
    message.push(0x80);
    while message.len() % 64 != 56 {
        message.push(0);
    }
    message.extend((bytes.len() as u64 * 8).to_be_bytes());
    let mut h: [u32; 5] = [
        0x6745_2301,
        0xEFCD_AB89,
        0x98BA_DCFE,
        0x1032_5476,
        0xC3D2_E1F0,
    ];
    for block in message.chunks(64) {
        let mut w: Vec<u32> = block
            .chunks(4)
            .map(|word| u32::from_be_bytes(word.try_into().unwrap()))
            .collect();
        for t in 16..80 {
            w.push((w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16]).rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = h;
        for (t, word) in w.iter().enumerate() {
            let (f, k) = match t {
                0..20 => (b & c | !b & d, 0x5A82_7999),
                20..40 => (b ^ c ^ d, 0x6ED9_EBA1),
                40..60 => (b & c | b & d | c & d, 0x8F1B_BCDC),
                _ => (b ^ c ^ d, 0xCA62_C1D6),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(f)
                .wrapping_add(e)
                .wrapping_add(*word)
                .wrapping_add(k);
            (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
        }
        for (sum, part) in h.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(part);
        }
    }
    let mut digest = [0; 20];
    for (place, word) in digest.chunks_mut(4).zip(h) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    digest
}
