//! What holds for every command and every parser, whatever bytes come.

use proptest::prelude::*;
use std::string::String;
use std::vec::Vec;

use super::*;
use crate::{Line, WriteError};

/// The command as bytes, in a buffer of this size.
fn encoded(command: &dyn Command, room: usize) -> Result<Vec<u8>, WriteError> {
    let mut buf = std::vec![0; room];
    let mut line = Writer::new(&mut buf);
    command.encode(&mut line);
    let len = line.finish()?.len;
    buf.truncate(len);
    Ok(buf)
}

/// Whether a module would read this as one command: no control characters, nothing chained, all quotes closed.
fn is_one_command(line: &[u8]) -> bool {
    let mut quoted = false;
    for byte in line {
        match byte {
            b'"' => quoted = !quoted,
            b';' if !quoted => return false,
            0..0x20 | 0x7F => return false,
            _ => {}
        }
    }
    !quoted
}

/// Every command that has a string parameter, with `text` in all of them.
fn with_text<R>(text: &str, mut f: impl FnMut(&dyn Command) -> R) -> Vec<R> {
    // Ports are static text; a test may keep some.
    let port: &'static str = String::from(text).leak();
    let login = Qicsgp {
        context: 1,
        apn: text,
        user: text,
        password: text,
        auth: 1,
    };
    let open = QiOpen {
        context: 1,
        socket: 0,
        kind: SocketKind::Tcp,
        host: text,
        port: 443,
        local_port: 0,
        push: false,
    };
    let ntp = Qntp {
        context: 1,
        server: text,
        port: 123,
        set_clock: false,
    };
    let ping = Qping {
        context: 1,
        host: text,
        timeout_s: 4,
        count: 4,
    };
    let dns = QidnsCfg {
        context: 1,
        primary: text,
        secondary: Some(text),
    };
    let values = [QcfgValue::Text(text), QcfgValue::Number(1)];
    let setting = Qcfg {
        item: text,
        values: &values,
    };
    let lookup = QidnsGip {
        context: 1,
        host: text,
    };
    let commands: &[&dyn Command] = &[
        &Cpin { pin: text },
        &login,
        &open,
        &ntp,
        &ping,
        &dns,
        &lookup,
        &setting,
        &QcfgRead { item: text },
        &QurcCfg { port },
    ];
    commands.iter().map(|command| f(*command)).collect()
}

/// Runs every parser over one line; says how many understood it.
fn understood(line: Line<'_>) -> usize {
    let qcfg = QcfgRead { item: "band" };
    let results = [
        Identity::parse_line(line).is_some(),
        Qgmr::parse(line).is_ok(),
        Cgsn::parse(line).is_ok(),
        Qccid::parse(line).is_ok(),
        QurcCfgRead::parse(line).is_ok(),
        CpinRead::parse(line).is_ok(),
        CfunRead::parse(line).is_ok(),
        Registration::parse_read(line).is_ok(),
        Registration::parse_urc(line).is_ok(),
        CgattRead::parse(line).is_ok(),
        Operator::parse(line).is_ok(),
        Qnwinfo::parse(line).is_ok(),
        Csq::parse(line).is_ok_and(|csq| csq.rssi_dbm().is_some()),
        CellSignal::parse(line).is_ok_and(|cell| cell.sinr_db().is_some()),
        QicsgpRead::parse(line).is_ok(),
        ActiveContext::parse(line).is_ok(),
        ContextAddress::parse(line).is_ok(),
        QiGetError::parse(line).is_ok(),
        CclkRead::parse(line).is_ok_and(|date| date.unix_s().is_some()),
        Qlts::parse(line).is_ok(),
        NtpResult::parse(line).is_ok(),
        DnsServers::parse(line).is_ok(),
        PingResult::parse(line).is_ok(),
        QiUrc::parse(line).is_some(),
        PowerUrc::parse(line).is_some(),
        SocketOpened::parse(line).is_ok(),
        SocketSent::parse(line).is_ok(),
        SocketReceived::parse(line).is_ok(),
        SocketState::parse(line).is_ok(),
        QiRd::parse(line).is_ok(),
        qcfg.parse(line).is_ok(),
    ];
    results.iter().filter(|understood| **understood).count()
}

const NAMES: &[&str] = &[
    "",
    "+QCCID: ",
    "+QURCCFG: ",
    "+CPIN: ",
    "+CFUN: ",
    "+CREG: ",
    "+CGREG: ",
    "+CEREG: ",
    "+CGATT: ",
    "+COPS: ",
    "+QNWINFO: ",
    "+CSQ: ",
    "+QCSQ: ",
    "+QICSGP: ",
    "+QIACT: ",
    "+CGPADDR: ",
    "+QIGETERROR: ",
    "+CCLK: ",
    "+QLTS: ",
    "+QNTP: ",
    "+QIDNSCFG: ",
    "+QPING: ",
    "+QIURC: ",
    "+QUSIM: ",
    "+QIND: ",
    "+QIOPEN: ",
    "+QISEND: ",
    "+QIRD: ",
    "+QISTATE: ",
    "+QCFG: ",
];

/// What may stand behind a name: pieces of real lines, and any bytes.
fn parameters() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(
            &[
                "0",
                "1",
                "99",
                "-113",
                "565",
                "65536",
                "4294967296",
                ",",
                ",",
                ",",
                "\"",
                "\"LTE\"",
                "\"recv\"",
                "\"dnsgip\"",
                "READY",
                "\"26/08/07,12:00:00+32\"",
                "99/99/99,99:99:99-99",
                "\r\n",
                " ",
            ][..]
        )
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Text with every character that could end, edit or chain a command line.
fn hostile() -> impl Strategy<Value = String> {
    let odd =
        prop::sample::select(&['"', '\r', '\n', ';', ',', '\u{1A}', '\u{1B}', '\u{8}', '\0'][..]);
    let letter = prop_oneof![4 => prop::char::range(' ', '~'), 1 => odd, 1 => any::<char>()];
    prop::collection::vec(letter, 0..24).prop_map(|letters| letters.into_iter().collect())
}

proptest! {
    #[test]
    fn any_text_gives_one_command_or_an_error(text in hostile(), room in 0_usize..256) {
        let forbidden = text.bytes().any(|byte| byte == b'"' || byte < 0x20 || byte == 0x7F);
        for result in with_text(&text, |command| encoded(command, 512)) {
            match result {
                Ok(line) => {
                    prop_assert!(!forbidden && is_one_command(&line), "{}", line.escape_ascii());
                    prop_assert!(line.starts_with(b"+"));
                }
                Err(error) => {
                    let named = matches!(error, WriteError::ForbiddenByte { .. });
                    prop_assert!(named && forbidden, "{}", error);
                }
            }
        }
        for line in with_text(&text, |command| encoded(command, room)).into_iter().flatten() {
            prop_assert!(line.len() <= room && is_one_command(&line));
        }
    }

    #[test]
    fn any_number_gives_one_command(n in any::<u32>(), mask in any::<u128>(), seq in prop::collection::vec(any::<u8>(), 0..8)) {
        let [a, b, c, _] = n.to_le_bytes();
        let time = DateTime {
            year: u16::from_le_bytes([a, b]),
            month: a,
            day: b,
            hour: c,
            minute: a,
            second: b,
            quarters: i8::from_le_bytes([c]),
        };
        let values = [QcfgValue::Hex(mask), QcfgValue::Sequence(&seq), QcfgValue::Number(n)];
        let commands: &[&dyn Command] = &[
            &Ipr { baud: n },
            &Ifc { dce_by_dte: a, dte_by_dce: b },
            &Cfun { function: a, reset: true },
            &CclkSet { time },
            &Qcfg { item: "band", values: &values },
            &QiClose { socket: a, timeout_s: u16::MAX },
        ];
        for command in commands {
            let line = encoded(*command, 512).unwrap();
            prop_assert!(is_one_command(&line), "{}", line.escape_ascii());
            prop_assert!(command.exchange().timeout_ms > 0);
        }
    }

    #[test]
    fn any_line_is_read_or_refused(name in prop::sample::select(NAMES), rest in parameters()) {
        let line = [name.as_bytes(), &rest].concat();
        // A name belongs to one command: two parsers share `+QIRD`, `+CPIN`, `+CFUN` and the registrations.
        let most = if name.is_empty() { usize::MAX } else { 2 };
        let texts = 2; // ATI and AT+QGMR take any text.
        let count = understood(Line::new(&line));
        prop_assert!(count <= most.saturating_add(texts), "{}", line.escape_ascii());
    }

    #[test]
    fn moments_come_back(unix in 0_u64..4_323_283_200, quarters in -96_i8..=96) {
        let date = DateTime::from_unix_s(unix).unwrap();
        prop_assert_eq!(date.unix_s(), Some(unix));
        // East of GMT the same clock reading is an earlier moment.
        let east = DateTime { quarters, ..date };
        let earlier = i64::try_from(unix).unwrap() - i64::from(quarters) * 900;
        prop_assert_eq!(east.unix_s(), u64::try_from(earlier).ok());
    }
}
