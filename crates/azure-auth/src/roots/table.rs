//! Facts computed from the certificates; `tests/roots.rs` computes them again.

use super::{Role, Root, RootText, TextForm};

/// The known roots, those to trust first.
pub static ROOTS: &[Root] = &[
    Root {
        name: "DigiCert Global Root G2",
        role: Role::Current,
        sha1: hex(b"DF3C24F9BFD666761B268073FE06D1CC8D4F82A4"),
        sha256: hex(b"CB3CCBB76031E5E0138F8DD39A23F9DE47FFC35E43C1144CEA27D46A5AB1CB5F"),
        not_before_unix_s: 1_375_358_400,
        not_after_unix_s: 2_147_169_600,
        texts: texts(
            (1294, 0x3d7c),
            (1293, 0x3d76),
            (1316, 0x5110),
            (1314, 0x5c1a),
        ),
    },
    Root {
        name: "Microsoft RSA Root Certificate Authority 2017",
        role: Role::Alternative,
        sha1: hex(b"73A5E64A3BFF8316FF0EDCCC618A906E4EAE4D74"),
        sha256: hex(b"C741F70F4B2A8D88BF2E71C14122EF53EF10EBA0CFA5E64CFA20F418853073E0"),
        not_before_unix_s: 1_576_709_482,
        not_after_unix_s: 2_289_337_223,
        texts: texts(
            (2021, 0x5049),
            (2020, 0x5a49),
            (2054, 0x5b4f),
            (2052, 0x5645),
        ),
    },
    Root {
        name: "DigiCert Global Root G3",
        role: Role::Alternative,
        sha1: hex(b"7E04DE896A3E666D00E687D33FFAD93BE83D349E"),
        sha256: hex(b"31AD6648F8104138C738F39EA4320133393E3A18CC02296EF97C2AC9EF6731D0"),
        not_before_unix_s: 1_375_358_400,
        not_after_unix_s: 2_147_169_600,
        texts: texts((839, 0x3a64), (838, 0x3064), (854, 0x4e1d), (852, 0x4317)),
    },
    Root {
        name: "Microsoft ECC Root Certificate Authority 2017",
        role: Role::Alternative,
        sha1: hex(b"999A64C37FF47D9FAB95F14769891460EEC4C3C5"),
        sha256: hex(b"358DF39D764AF9E1B766E9C972DF352EE15CFAC227AF6AD1D70E8E4A6EDCBA02"),
        not_before_unix_s: 1_576_710_405,
        not_after_unix_s: 2_289_338_164,
        texts: texts((875, 0x0e17), (874, 0x0417), (890, 0x584c), (888, 0x5546)),
    },
    Root {
        name: "DigiCert TLS RSA4096 Root G5",
        role: Role::Alternative,
        sha1: hex(b"A78849DC5D7C758C8CDE399856B3AAD0B2A57135"),
        sha256: hex(b"371A00DC0533B3721A7EEB40E8419E70799D2B0A0F2C1D80693165F7CEC4AD75"),
        not_before_unix_s: 1_610_668_800,
        not_after_unix_s: 2_399_587_199,
        texts: texts(
            (1931, 0x760a),
            (1930, 0x7c0a),
            (1962, 0x3041),
            (1960, 0x3d4b),
        ),
    },
    Root {
        name: "DigiCert TLS ECC P384 Root G5",
        role: Role::Alternative,
        sha1: hex(b"17F3DE5E9F0F19E98EF61F32266E20C407AE30EE"),
        sha256: hex(b"018E13F0772532CF809BD1B17281867283FC48C6E13BE9C69812854A490C1B05"),
        not_before_unix_s: 1_610_668_800,
        not_after_unix_s: 2_399_587_199,
        texts: texts((790, 0x632f), (789, 0x6325), (804, 0x5e12), (802, 0x5318)),
    },
    Root {
        name: "DigiCert Global Root CA",
        role: Role::Sovereign,
        sha1: hex(b"A8985D3A65E5E5C4B2D7D66D40C6DD2FB19C5436"),
        sha256: hex(b"4348A0E9444C78CB265E058D5E8944B4D84F9662BD26DB257F8934A443C70161"),
        not_before_unix_s: 1_163_116_800,
        not_after_unix_s: 1_952_035_200,
        texts: texts(
            (1338, 0x173f),
            (1337, 0x1735),
            (1360, 0x042c),
            (1358, 0x0926),
        ),
    },
    Root {
        name: "Baltimore CyberTrust Root",
        role: Role::Retired,
        sha1: hex(b"D4DE20D05E66FC53FE1A50882C78DB2852CAE474"),
        sha256: hex(b"16AF57A9F676B0AB126095AA5EBADEF22AB31119D644AC95CD4B93DBF3F26AEB"),
        not_before_unix_s: 958_157_160,
        not_after_unix_s: 1_747_094_340,
        texts: texts(
            (1261, 0x7e6f),
            (1260, 0x746f),
            (1282, 0x425e),
            (1280, 0x4f54),
        ),
    },
    Root {
        name: "D-TRUST Root Class 3 CA 2 2009",
        role: Role::Retired,
        sha1: hex(b"58E8ABB0361533FB80F79B1B6D29D3FF8D5F00F0"),
        sha256: hex(b"49E7A442ACF0EA6287050054B52564B650E4F49E42E348D6AA38E039E957B1C1"),
        not_before_unix_s: 1_257_410_158,
        not_after_unix_s: 1_888_562_158,
        texts: texts(
            (1517, 0x290e),
            (1516, 0x230e),
            (1542, 0x2802),
            (1540, 0x2508),
        ),
    },
    Root {
        name: "Amazon Root CA 1",
        role: Role::OtherCloud,
        sha1: hex(b"8DA7F965EC5EFC37910F1C6E59FDC1CC6A6EDE16"),
        sha256: hex(b"8ECDE6884F3D87B1125BA31AC3FCB13D7016DE7F57CC904FE1CB97C6AE98196E"),
        not_before_unix_s: 1_432_598_400,
        not_after_unix_s: 2_147_299_200,
        texts: texts(
            (1188, 0x2d13),
            (1187, 0x2d19),
            (1208, 0x5769),
            (1206, 0x5a63),
        ),
    },
    Root {
        name: "Amazon Root CA 3",
        role: Role::OtherCloud,
        sha1: hex(b"0D44DD8C3C8C1A1A58756481E90F2E2AFFB3D26E"),
        sha256: hex(b"18CE6CFE7BF14E60B2E347B8DFE868CB31D02EBB3ADA271569F50343B46DB3A4"),
        not_before_unix_s: 1_432_598_400,
        not_after_unix_s: 2_221_603_200,
        texts: texts((656, 0x223a), (655, 0x2230), (668, 0x021a), (666, 0x0f10)),
    },
    Root {
        name: "Starfield Services Root Certificate Authority - G2",
        role: Role::OtherCloud,
        sha1: hex(b"925A8F8D2C6D04E0665F596AFF22D863E8256F3F"),
        sha256: hex(b"568D6905A2C88708A4B3025190EDCFEDB1974A606A13C6E5290FCB2AE63EDAB5"),
        not_before_unix_s: 1_251_763_200,
        not_after_unix_s: 2_145_916_799,
        texts: texts(
            (1424, 0x686f),
            (1423, 0x6865),
            (1448, 0x3d3a),
            (1446, 0x3030),
        ),
    },
    Root {
        name: "Starfield Class 2 Certification Authority",
        role: Role::OtherCloud,
        sha1: hex(b"AD7E1C28B064EF8F6003402014C3D0E3370EB58A"),
        sha256: hex(b"1465FA205397B876FAA6F0A9958E5590E40FCC7FAA4FB7C2C8677521FB5FB658"),
        not_before_unix_s: 1_088_530_756,
        not_after_unix_s: 2_035_215_556,
        texts: texts(
            (1468, 0x6c33),
            (1467, 0x6c39),
            (1492, 0x441b),
            (1490, 0x4911),
        ),
    },
    Root {
        name: "ISRG Root X1",
        role: Role::OtherCloud,
        sha1: hex(b"CABD2A79A1076A31F21D253635CB039D4329A5E8"),
        sha256: hex(b"96BCEC06264976F37460779ACF28C5A7CFE8A3C0AAE11A8FFCEE05C0BDDF08C6"),
        not_before_unix_s: 1_433_415_878,
        not_after_unix_s: 2_064_567_878,
        texts: texts(
            (1939, 0x4f64),
            (1938, 0x4564),
            (1970, 0x7e58),
            (1968, 0x7352),
        ),
    },
];

/// Size and checksum in the order of [`TextForm`].
const fn texts(lf: Fact, lf_open: Fact, crlf: Fact, crlf_open: Fact) -> [RootText; 4] {
    [
        text(TextForm::Lf, lf),
        text(TextForm::LfNoFinalNewline, lf_open),
        text(TextForm::CrLf, crlf),
        text(TextForm::CrLfNoFinalNewline, crlf_open),
    ]
}

type Fact = (usize, u16);

const fn text(form: TextForm, (size, checksum): Fact) -> RootText {
    RootText {
        form,
        size,
        checksum,
    }
}

/// A fingerprint from its usual notation; a malformed one does not compile.
const fn hex<const N: usize>(digits: &[u8]) -> [u8; N] {
    assert!(digits.len() == 2 * N);
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = digit(digits[2 * at]) << 4 | digit(digits[2 * at + 1]);
        at += 1;
    }
    bytes
}

#[expect(clippy::panic, reason = "evaluated by the compiler alone")]
const fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'F' => byte - b'A' + 10,
        _ => panic!("not an upper-case hexadecimal digit"),
    }
}
