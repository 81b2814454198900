//! Every reader on any line: none fails but by its error, and the numbers agree with each other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quectel_at::{Line, Params, ResultCode, commands as at};

fn numbers(text: &[u8]) {
    let mut params = Params::new(text);
    let count = params.count();
    assert!(count <= text.len() + 1);
    for _ in 0..count {
        assert!(text.ends_with(params.rest()));
        let (mut a, mut b, mut c, mut d, mut e, mut f) =
            (params, params, params, params, params, params);
        let wide = a.u32().ok();
        assert_eq!(b.u16().ok(), wide.and_then(|n| n.try_into().ok()));
        assert_eq!(c.u8().ok(), wide.and_then(|n| n.try_into().ok()));
        let signed = d.i32().ok();
        assert!(signed.is_none_or(|n| n < 1 || Some(n as u32) == wide));
        let _ = (e.hex(), f.text());
        assert!(params.param().is_ok());
    }
    assert!(params.param().is_err() && params.is_empty());
}

fuzz_target!(|data: &[u8]| {
    numbers(data);
    let line = Line::new(data);
    assert!(data.starts_with(line.name()));
    if let Some(params) = line.params(line.name()) {
        numbers(params.rest());
    }
    let _ = (format!("{line:?}"), ResultCode::parse(data, false));
    let _ = (ResultCode::parse(data, true), at::DateTime::parse(data));
    let _ = (at::CclkRead::parse(line), at::Qlts::parse(line));
    let _ = (at::NtpResult::parse(line), at::DnsServers::parse(line));
    let _ = (at::PingResult::parse(line), at::Identity::parse_line(line));
    let _ = (at::QiGetError::parse(line), at::CgattRead::parse(line));
    let _ = at::Registration::parse_read(line);
    let _ = at::Registration::parse_urc(line);
    let _ = (at::Operator::parse(line), at::Qnwinfo::parse(line));
    let _ = (at::QicsgpRead::parse(line), at::ActiveContext::parse(line));
    let _ = (at::ContextAddress::parse(line), at::PowerUrc::parse(line));
    let _ = (at::QiUrc::parse(line), at::Csq::parse(line));
    let _ = (at::CellSignal::parse(line), at::CpinRead::parse(line));
    let _ = (at::CfunRead::parse(line), at::SocketOpened::parse(line));
    let _ = (at::SocketSent::parse(line), at::QiRd::parse(line));
    let _ = (
        at::SocketReceived::parse(line),
        at::QurcCfgRead::parse(line),
    );
    let _ = at::SocketState::parse(line);
    if let Ok(date) = at::DateTime::parse(data) {
        let _ = date.unix_s().and_then(at::DateTime::from_unix_s);
    }
});
