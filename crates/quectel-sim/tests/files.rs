//! Files: uploads byte for byte, their timeouts, acknowledgements, and what spills over.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{Bench, config, show};
use quectel_sim::{PowerState, Timing};

const BALTIMORE_CRLF: &[u8] = include_bytes!("fixtures/Baltimore_CyberTrust_Root.crlf.pem");
const BALTIMORE: &[u8] = include_bytes!("fixtures/Baltimore_CyberTrust_Root.pem");
const DIGICERT: &[u8] = include_bytes!("fixtures/DigiCert_Global_Root_G2.pem");

fn bench(profile: &str) -> Bench {
    let mut bench = Bench::ready(profile);
    bench.send("ATE0\r");
    bench
}

#[test]
fn the_file_of_thread_8115() {
    let mut b = bench("ec21");
    let file = &BALTIMORE_CRLF[..1280];
    assert_eq!(
        b.send("AT+QFUPL=\"RAM:cacert.pem\",1280,10\r"),
        "\\r\\nCONNECT\\r\\n"
    );
    assert_eq!(b.send(file), "+QFUPL: 1280,4f54\\r\\n\\r\\nOK\\r\\n");
    assert_eq!(b.module.file("RAM:cacert.pem"), Some(file));
    assert_eq!(
        b.send("AT+QFLST=\"RAM:*\"\r"),
        "\\r\\n+QFLST: \"RAM:cacert.pem\",1280\\r\\n\\r\\nOK\\r\\n"
    );
}

#[test]
fn known_checksums() {
    // The table of root certificates (failure-causes, 0.7), and the manual's ten bytes.
    let nul = [DIGICERT, b"\0"].concat();
    let bom = [b"\xef\xbb\xbf", DIGICERT].concat();
    let cases: &[(&[u8], &str)] = &[
        (BALTIMORE, "1261,7e6f"),
        (&BALTIMORE[..1260], "1260,746f"),
        (BALTIMORE_CRLF, "1282,425e"),
        (DIGICERT, "1294,3d7c"),
        (&DIGICERT[..1293], "1293,3d76"),
        (&nul, "1295,3d7c"),
        (&bom, "1297,2c86"),
        (b"1234567890", "10,3938"),
        (b"ABC", "3,242"),
    ];
    for (content, expected) in cases {
        let mut b = bench("bg95");
        b.send(format!("AT+QFUPL=\"f\",{}\r", content.len()));
        assert_eq!(
            b.send(content),
            format!("+QFUPL: {expected}\\r\\n\\r\\nOK\\r\\n")
        );
        let (size, sum) = expected.split_once(',').unwrap();
        let read = b.send("AT+QFDWL=\"f\"\r");
        assert_eq!(
            read,
            format!(
                "\\r\\nCONNECT\\r\\n{}\\r\\n+QFDWL: {size},{sum}\\r\\n\\r\\nOK\\r\\n",
                show(content)
            )
        );
    }
}

#[test]
fn upload_data_is_not_echoed() {
    let mut b = Bench::ready("bg96");
    assert_eq!(
        b.send("AT+QFUPL=\"a.pem\",3,10\r"),
        "AT+QFUPL=\"a.pem\",3,10\\r\\r\\nCONNECT\\r\\n"
    );
    assert_eq!(b.send("ABC"), "+QFUPL: 3,242\\r\\n\\r\\nOK\\r\\n");
}

#[test]
fn a_second_upload_of_the_same_name_is_407() {
    let mut b = bench("bg96@BG96MAR02A07M1G");
    b.send("AT+QFUPL=\"ca_cert.pem\",3\r");
    b.send("ABC");
    assert_eq!(
        b.send("AT+QFUPL=\"ca_cert.pem\",1282\r"),
        "\\r\\n+CME ERROR: 407\\r\\n"
    );
    assert_eq!(b.send("AT+QFDEL=\"ca_cert.pem\"\r"), "\\r\\nOK\\r\\n");
    assert_eq!(
        b.send("AT+QFUPL=\"ca_cert.pem\",3\r"),
        "\\r\\nCONNECT\\r\\n"
    );
}

#[test]
fn silence_ends_an_upload() {
    let mut b = bench("bg96");
    b.send("AT+QFUPL=\"f\",100,7\r");
    assert_eq!(b.send("12345"), "");
    assert_eq!(b.wait(6_999), "");
    assert_eq!(b.send("67890"), "");
    assert_eq!(b.wait(6_999), "");
    assert_eq!(b.wait(1), "+QFUPL: 10,3938\\r\\n\\r\\nOK\\r\\n");
    assert_eq!(b.module.file("f"), Some(&b"1234567890"[..]));
    // Nothing at all: five seconds by default.
    b.send("AT+QFUPL=\"g\"\r");
    assert_eq!(b.wait(5_000), "+QFUPL: 0,0\\r\\n\\r\\nOK\\r\\n");
}

#[test]
fn excess_bytes_are_command_text() {
    let mut b = bench("bg95");
    b.send("AT+QFUPL=\"f\",3,100\r");
    assert_eq!(
        b.send("ABC-----END CERTIFICATE-----\r\nAT\r"),
        "+QFUPL: 3,242\\r\\n\\r\\nOK\\r\\n\\r\\nERROR\\r\\n\\r\\nOK\\r\\n"
    );
    b.send("AT+QFUPL=\"g\",3,100\r");
    assert_eq!(b.send("ABC\r\n"), "+QFUPL: 3,242\\r\\n\\r\\nOK\\r\\n");
}

#[test]
fn acknowledged_uploads() {
    let mut b = bench("ec200u");
    b.send("AT+QFUPL=\"f\",3000,100,1\r");
    let block = vec![b'x'; 1024];
    assert_eq!(b.send(&block), "A");
    assert_eq!(b.send(&block), "A");
    assert_eq!(b.send(&block[..952]), "+QFUPL: 3000,0\\r\\n\\r\\nOK\\r\\n");
    b.send("AT+QFUPL=\"g\",2048,100,1\r");
    assert_eq!(b.send(&block), "A");
    // The last block is not partial.
    assert_eq!(b.send(&block), "A+QFUPL: 2048,0\\r\\n\\r\\nOK\\r\\n");
}

#[test]
fn plus_plus_plus_ends_an_upload() {
    let mut b = bench("bg96");
    b.send("AT+QFUPL=\"f\",100,60\r");
    b.send("AB");
    b.wait(1_000);
    assert_eq!(b.send("+++"), "");
    assert_eq!(b.wait(1_000), "+QFUPL: 2,4142\\r\\n\\r\\nOK\\r\\n");
    // Plus signs without the pauses are data.
    b.send("AT+QFUPL=\"g\",8,60\r");
    assert_eq!(b.send("a+++b+++"), "+QFUPL: 8,300\\r\\n\\r\\nOK\\r\\n");
}

#[test]
fn limits() {
    let mut b = bench("bg96");
    let cases = [
        ("AT+QFUPL=\"f\",4000000", "\\r\\n+CME ERROR: 423\\r\\n"),
        ("AT+QFUPL=\"f\",0", "\\r\\n+CME ERROR: 400\\r\\n"),
        ("AT+QFUPL=\"f\",10,0", "\\r\\n+CME ERROR: 400\\r\\n"),
        ("AT+QFUPL=\"f\",10,10,2", "\\r\\n+CME ERROR: 400\\r\\n"),
        ("AT+QFUPL=\"\",10", "\\r\\n+CME ERROR: 406\\r\\n"),
        ("AT+QFUPL=\"RAM:f\",10", "\\r\\n+CME ERROR: 406\\r\\n"),
        ("AT+QFUPL", "\\r\\nERROR\\r\\n"),
        ("AT+QFDWL=\"f\"", "\\r\\n+CME ERROR: 405\\r\\n"),
        ("AT+QFDEL=\"f\"", "\\r\\n+CME ERROR: 405\\r\\n"),
        ("AT+QFDEL=\"*\"", "\\r\\nOK\\r\\n"),
        ("AT+QFLST=\"f\"", "\\r\\nOK\\r\\n"),
        ("AT+QFLST=\"UFS:*\"", "\\r\\nOK\\r\\n"),
        ("AT+QFCLOSE=3000", "\\r\\n+CME ERROR: 416\\r\\n"),
        ("AT+QFREAD=3000", "\\r\\n+CME ERROR: 416\\r\\n"),
        ("AT+QFOPEN=\"f\",2", "\\r\\n+CME ERROR: 405\\r\\n"),
        ("AT+QFOPEN=\"f\",3", "\\r\\n+CME ERROR: 425\\r\\n"),
        ("AT+QFLDS=\"SD\"", "\\r\\n+CME ERROR: 406\\r\\n"),
    ];
    for (command, expected) in cases {
        assert_eq!(b.send(format!("{command}\r")), expected, "{command}");
    }
    assert_eq!(
        b.send("AT+QFLDS=\"UFS\"\r"),
        "\\r\\n+QFLDS: 3145728,14483456\\r\\n\\r\\nOK\\r\\n"
    );
    b.module.put_file("f", &[0; 1000]);
    assert_eq!(
        b.send("AT+QFLDS\r"),
        "\\r\\n+QFLDS: 1000,1\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        b.send("AT+QFLDS=\"UFS\"\r"),
        "\\r\\n+QFLDS: 3144728,14483456\\r\\n\\r\\nOK\\r\\n"
    );
}

#[test]
fn handles_over_the_uart() {
    let mut b = bench("ec25");
    assert_eq!(
        b.send("AT+QFOPEN=\"t.txt\",1\r"),
        "\\r\\n+QFOPEN: 3000\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        b.send("AT+QFOPEN?\r"),
        "\\r\\n+QFOPEN: \"UFS:t.txt\",3000,1\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        b.send("AT+QFOPEN=\"t.txt\",0\r"),
        "\\r\\n+CME ERROR: 426\\r\\n"
    );
    assert_eq!(b.send("AT+QFWRITE=3000,11,5\r"), "\\r\\nCONNECT\\r\\n");
    assert_eq!(b.send("hello world"), "+QFWRITE: 11,11\\r\\n\\r\\nOK\\r\\n");
    assert_eq!(b.send("AT+QFREAD=3000,5\r"), "\\r\\n+CME ERROR: 402\\r\\n");
    assert_eq!(b.send("AT+QFSEEK=3000,0,0\r"), "\\r\\nOK\\r\\n");
    assert_eq!(
        b.send("AT+QFREAD=3000,5\r"),
        "\\r\\nCONNECT 5\\r\\nhello\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        b.send("AT+QFPOSITION=3000\r"),
        "\\r\\n+QFPOSITION: 5\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        b.send("AT+QFSEEK=3000,99,0\r"),
        "\\r\\n+CME ERROR: 401\\r\\n"
    );
    assert_eq!(b.send("AT+QFTUCAT=3000\r"), "\\r\\nOK\\r\\n");
    assert_eq!(b.send("AT+QFCLOSE=3000\r"), "\\r\\nOK\\r\\n");
    assert_eq!(
        b.send("AT+QFLST=\"t.txt\"\r"),
        "\\r\\n+QFLST: \"UFS:t.txt\",5\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        b.send("AT+QFOPEN=\"t.txt\",2\r"),
        "\\r\\n+QFOPEN: 3000\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(b.send("AT+QFWRITE=3000,1\r"), "\\r\\n+CME ERROR: 414\\r\\n");
}

#[test]
fn a_restart_keeps_ufs_and_loses_ram() {
    let setup = config("ec25").timing(Timing::Fast).power(PowerState::Ready);
    let mut b = Bench::with(setup.file("UFS:a", b"1").file("RAM:b", b"2"));
    b.send("ATE0\r");
    b.send("AT+CFUN=1,1\r");
    b.wait(10);
    assert_eq!(b.module.file("a"), Some(&b"1"[..]));
    assert_eq!(b.module.file("RAM:b"), None);
    // Echo is back.
    assert_eq!(b.send("AT\r"), "AT\\r\\r\\nOK\\r\\n");
}
