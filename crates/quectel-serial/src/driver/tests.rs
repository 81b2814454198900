//! The driver with a mocked port, in time that passes by hand, and over a real pseudo terminal and TCP connection.

use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use core::time::Duration;

use quectel_azure::{Event, Reason, Step};

use super::exchange::{SLICE, STALL_MS, WIND_DOWN_MS};
use super::*;
use crate::port::{CHUNK, MockPort};
use crate::{Proof, Secret, Settings, TraceForm};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A module that says what an EC25 says when all goes well: a table, not a simulation.
#[derive(Default)]
struct Module {
    line: Vec<u8>,
    echo_off: bool,
    /// Bytes that are still to come after a prompt or `CONNECT`, and what is said then.
    data: Option<(usize, Vec<u8>, String)>,
    settings: HashMap<String, String>,
    out: Vec<u8>,
    /// Every command line that came.
    commands: Vec<String>,
    published: Vec<Vec<u8>>,
    /// Commands that begin so are not answered.
    silent_on: Option<&'static str>,
    /// What commands that begin so are answered with.
    special: Vec<(&'static str, &'static str)>,
}

impl Module {
    fn hear(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if let Some((left, got, _)) = &mut self.data {
                got.push(byte);
                *left -= 1;
                if *left == 0 {
                    self.end_data();
                }
            } else if byte == 0x1B {
                self.line.clear();
            } else {
                self.line.push(byte);
                if byte == b'\r' {
                    let line = String::from_utf8(core::mem::take(&mut self.line)).unwrap();
                    if !self.echo_off {
                        self.out.extend_from_slice(line.as_bytes());
                    }
                    self.obey(line.trim_end());
                }
            }
        }
    }

    fn end_data(&mut self) {
        let Some((_, got, answer)) = self.data.take() else {
            return;
        };
        let answer = match answer.as_str() {
            "upload" => {
                let words = got
                    .chunks(2)
                    .map(|pair| u16::from(pair[0]) << 8 | u16::from(*pair.get(1).unwrap_or(&0)));
                format!(
                    "+QFUPL: {},{:x}\r\n\r\nOK",
                    got.len(),
                    words.fold(0, |sum, word| sum ^ word)
                )
            }
            _ => {
                self.published.push(got);
                answer
            }
        };
        self.say(&answer);
    }

    fn say(&mut self, text: &str) {
        self.out
            .extend_from_slice(format!("\r\n{text}\r\n").as_bytes());
    }

    fn obey(&mut self, line: &str) {
        self.commands.push(line.to_owned());
        if self.silent_on.is_some_and(|start| line.starts_with(start)) {
            return;
        }
        if let Some((_, answer)) = self
            .special
            .iter()
            .find(|(start, _)| line.starts_with(start))
        {
            return self.say(answer);
        }
        let (name, values) = line.split_once('=').unwrap_or((line, ""));
        let number = |n: usize| {
            values
                .split(',')
                .nth(n)
                .and_then(|v| v.parse::<usize>().ok())
                .unwrap_or_default()
        };
        let answer = match name {
            "ATI" => "Quectel\r\nEC25\r\nRevision: EC25EFAR06A17M4G".to_owned(),
            "AT+QGMR" => "EC25EFAR06A17M4G_01.001.01.001".to_owned(),
            "AT+CPIN?" => "+CPIN: READY".to_owned(),
            "AT+QURCCFG" if values == "\"urcport\"" => "+QURCCFG: \"urcport\",\"uart1\"".to_owned(),
            "AT+CSQ" => "+CSQ: 20,99".to_owned(),
            "AT+QIACT?" => "+QIACT: 1,1,1,\"10.0.0.2\"".to_owned(),
            "AT+QICSGP" if values == "1" => "+QICSGP: 1,\"iot.example\",\"\",\"\",0".to_owned(),
            "AT+CCLK?" => "+CCLK: \"26/11/22,20:00:00+00\"".to_owned(),
            "AT+QLTS" => "+QLTS: \"2026/11/22,20:00:00+00,0\"".to_owned(),
            "AT+QSSLCFG" => match values.rsplit_once(',') {
                Some((item, value)) if item.contains(',') => {
                    self.settings.insert(item.to_owned(), value.to_owned());
                    String::new()
                }
                _ => self
                    .settings
                    .get(values)
                    .map(|v| format!("+QSSLCFG: {values},{v}"))
                    .unwrap_or_default(),
            },
            "AT+QFLST" => return self.say("+CME ERROR: 405"),
            "AT+QFUPL" => {
                self.data = Some((number(1), Vec::new(), "upload".to_owned()));
                return self.say("CONNECT");
            }
            "AT+QMTPUBEX" => {
                let id = number(1);
                self.data = Some((
                    number(5),
                    Vec::new(),
                    format!("OK\r\n\r\n+QMTPUBEX: 0,{id},0"),
                ));
                self.out.extend_from_slice(b"\r\n> ");
                return;
            }
            _ if line.contains("REG?") => {
                let reads = line
                    .trim_start_matches("AT")
                    .split(';')
                    .map(|read| read.trim_end_matches('?'));
                reads
                    .filter(|read| read.contains("REG"))
                    .map(|read| format!("{read}: 0,1"))
                    .collect::<Vec<_>>()
                    .join("\r\n\r\n")
            }
            _ => String::new(),
        };
        if !answer.is_empty() {
            self.say(&answer);
        }
        self.say("OK");
        match name {
            "ATE0" => self.echo_off = true,
            "AT+QMTOPEN" => self.say("+QMTOPEN: 0,0"),
            "AT+QMTCONN" => self.say("+QMTCONN: 0,0,0"),
            "AT+QMTSUB" => self.say(&format!("+QMTSUB: 0,{},0,1", number(1))),
            "AT+QMTDISC" => self.say("+QMTDISC: 0,0"),
            "AT+QMTCLOSE" => self.say("+QMTCLOSE: 0,0"),
            _ => {}
        }
    }
}

type Both = Arc<(Mutex<Module>, AtomicU64)>;

fn module(change: impl FnOnce(&mut Module)) -> Both {
    let mut module = Module::default();
    change(&mut module);
    Arc::new((Mutex::new(module), AtomicU64::new(0)))
}

/// A port to the module: reading waits in time that passes by hand.
fn port(both: &Both) -> MockPort {
    let mut port = MockPort::new();
    port.expect_name().return_const("mock".to_owned());
    port.expect_clear().returning(|| Ok(()));
    let shared = both.clone();
    port.expect_write().returning(move |bytes, _| {
        assert!(bytes.len() <= CHUNK, "{} bytes at once", bytes.len());
        shared.0.lock().unwrap().hear(bytes);
        Ok(bytes.len())
    });
    let shared = both.clone();
    port.expect_read()
        .returning(move |buf, timeout| Ok(read(&shared, buf, timeout)));
    port
}

fn read(both: &Both, buf: &mut [u8], timeout: Duration) -> usize {
    let mut module = both.0.lock().unwrap();
    let n = module.out.len().min(buf.len());
    buf[..n].copy_from_slice(&module.out[..n]);
    module.out.drain(..n);
    if n == 0 {
        both.1.fetch_add(ms(timeout).max(1), Ordering::Relaxed);
    }
    n
}

fn settings() -> Settings {
    let text = format!("HostName=contoso.azure-devices.net;DeviceId=dev-1;SharedAccessKey={KEY}");
    let mut settings = Settings::from_connection_string(&text).unwrap();
    settings.apn = "iot.example".into();
    settings
}

fn driver<'b>(
    port: MockPort,
    both: &Both,
    settings: &'b Settings,
    storage: &'b mut Storage,
) -> Driver<'b> {
    let mut driver = Driver::new(port, settings.config(), storage).unwrap();
    let time = both.clone();
    driver.clock.by_hand = Some(Box::new(move || time.1.load(Ordering::Relaxed)));
    driver
}

/// A driver can work in a thread of its own.
const _: () = {
    const fn send<T: Send>() {}
    send::<Driver<'static>>();
};

#[test]
fn the_whole_way_with_a_message_each_way() {
    let (both, settings, mut storage) = (module(|_| {}), settings(), Storage::default());
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen = steps.clone();
    let mut driver = driver(port(&both), &both, &settings, &mut storage).observe(move |notice| {
        if let Notice::Event {
            event: Event::Step(step),
            ..
        } = notice
        {
            seen.lock().unwrap().push(*step);
        }
    });
    driver.connect().unwrap();
    assert!(driver.is_connected());
    assert_eq!(driver.module().model, "EC25");
    driver.publish(&Message::new(b"hello")).unwrap();
    assert_eq!(driver.receive(Duration::from_secs(1)).unwrap(), None);
    let topic = "devices/dev-1/messages/devicebound/%24.mid=7&a%20b=c%2Fd&null";
    both.0
        .lock()
        .unwrap()
        .say(&format!("+QMTRECV: 0,0,\"{topic}\",2,\"on\""));
    let received = driver.receive(Duration::from_secs(1)).unwrap().unwrap();
    assert_eq!(
        (received.topic.as_str(), received.payload.as_slice()),
        (topic, b"on".as_slice())
    );
    let expected = [("$.mid", Some("7")), ("a b", Some("c/d")), ("null", None)];
    assert!(
        received
            .properties
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_deref()))
            .eq(expected)
    );
    driver.disconnect().unwrap();
    assert!(!driver.is_connected());
    driver.disconnect().unwrap();
    drop(driver);
    let module = both.0.lock().unwrap();
    assert_eq!(module.published, [b"hello".to_vec()]);
    let steps = steps.lock().unwrap();
    assert_eq!(steps.first(), Some(&Step::Identify));
    assert_eq!(steps.last(), Some(&Step::Disconnect));
}

#[test]
fn a_silent_module_is_a_failure_with_its_step() {
    let (both, settings, mut storage) = (
        module(|m| m.silent_on = Some("AT")),
        settings(),
        Storage::default(),
    );
    let mut driver = driver(port(&both), &both, &settings, &mut storage);
    let error = driver.connect().unwrap_err();
    assert_eq!(
        (error.name(), error.step()),
        (Reason::ModuleSilent.name(), Some(Step::Identify))
    );
    assert!(both.1.load(Ordering::Relaxed) < 60_000);
}

#[test]
fn a_failure_has_the_modules_own_words_and_the_next_run_works() {
    let both = module(|m| m.special = vec![("AT+QMTOPEN", "OK\r\n\r\n+QMTOPEN: 0,-1")]);
    let (settings, mut storage) = (settings(), Storage::default());
    let mut driver = driver(port(&both), &both, &settings, &mut storage);
    let error = driver.connect().unwrap_err();
    assert_eq!(
        (error.name(), error.step()),
        (Reason::OpenFailed.name(), Some(Step::Open))
    );
    assert_eq!(error.line(), Some("+QMTOPEN: 0,-1"));
    assert_eq!(error.remedy(), Reason::OpenFailed.remedy());
    assert!(matches!(
        driver.receive(Duration::ZERO),
        Err(Error::Misuse(Misuse::NotConnected))
    ));
    both.0.lock().unwrap().special.clear();
    driver.connect().unwrap();
}

#[test]
fn a_refused_message_has_the_modules_own_words() {
    let both = module(|m| m.special = vec![("AT+QMTPUBEX", "+CME ERROR: 58")]);
    let (settings, mut storage) = (settings(), Storage::default());
    let mut driver = driver(port(&both), &both, &settings, &mut storage);
    driver.connect().unwrap();
    let error = driver.publish(&Message::new(b"x")).unwrap_err();
    assert_eq!(
        (error.step(), error.line()),
        (Some(Step::Session), Some("+CME ERROR: 58"))
    );
    assert!(driver.is_connected());
}

#[test]
fn a_port_that_is_gone_is_an_error_at_once() {
    let gone = || Err(io::Error::from(io::ErrorKind::UnexpectedEof));
    for fails_on_write in [false, true] {
        let (both, settings, mut storage) = (module(|_| {}), settings(), Storage::default());
        let mut port = MockPort::new();
        port.expect_name().return_const("mock".to_owned());
        port.expect_write().returning(move |bytes, _| {
            if fails_on_write {
                gone()
            } else {
                Ok(bytes.len())
            }
        });
        port.expect_read().returning(move |_, _| gone());
        let mut driver = driver(port, &both, &settings, &mut storage);
        let error = driver.connect().unwrap_err();
        assert_eq!(
            (error.name(), error.step()),
            ("port-failed", Some(Step::Identify)),
            "{error}"
        );
        assert!(error.to_string().contains("mock"));
    }
}

#[test]
fn a_port_that_takes_nothing_is_given_up() {
    let (both, settings, mut storage) = (module(|_| {}), settings(), Storage::default());
    let mut port = MockPort::new();
    port.expect_name().return_const("mock".to_owned());
    port.expect_clear().times(1).returning(|| Ok(()));
    let shared = both.clone();
    port.expect_write().returning(move |_, timeout| {
        shared.1.fetch_add(ms(timeout), Ordering::Relaxed);
        Ok(0)
    });
    let shared = both.clone();
    port.expect_read()
        .returning(move |buf, timeout| Ok(read(&shared, buf, timeout)));
    let mut driver = driver(port, &both, &settings, &mut storage);
    let error = driver.connect().unwrap_err();
    assert_eq!(error.name(), "port-stalled");
    assert!((STALL_MS..STALL_MS * 4).contains(&both.1.load(Ordering::Relaxed)));
}

#[test]
fn bytes_are_sent_once_whatever_the_port_takes_at_a_time() {
    for most in [1, 7, 63] {
        let (both, settings, mut storage) = (module(|_| {}), settings(), Storage::default());
        let mut port = MockPort::new();
        port.expect_name().return_const("mock".to_owned());
        let (shared, mut turn) = (both.clone(), 0);
        port.expect_write().returning(move |bytes, _| {
            turn += 1;
            // Now and then the port takes nothing.
            let n = if turn % 5 == 0 {
                0
            } else {
                bytes.len().min(most)
            };
            shared.0.lock().unwrap().hear(&bytes[..n]);
            Ok(n)
        });
        let shared = both.clone();
        port.expect_read()
            .returning(move |buf, timeout| Ok(read(&shared, buf, timeout)));
        let mut driver = driver(port, &both, &settings, &mut storage);
        driver.connect().unwrap();
        driver.publish(&Message::new(b"once")).unwrap();
        assert_eq!(both.0.lock().unwrap().published, [b"once".to_vec()]);
    }
}

/// Cancels when the module hears a command that begins so; returns the error and how long it took to return.
fn cancelled_at(start: &'static str) -> (Error, u64, Both) {
    let (both, settings, mut storage) = (
        module(|m| m.silent_on = Some(start)),
        settings(),
        Storage::default(),
    );
    let cancel = CancelToken::default();
    let mut port = MockPort::new();
    port.expect_name().return_const("mock".to_owned());
    port.expect_clear().returning(|| Ok(()));
    let shared = both.clone();
    port.expect_write().returning(move |bytes, _| {
        shared.0.lock().unwrap().hear(bytes);
        Ok(bytes.len())
    });
    let (shared, token, mut at) = (both.clone(), cancel.clone(), None);
    let cancelled = Arc::new(AtomicU64::new(0));
    let moment = cancelled.clone();
    port.expect_read().returning(move |buf, timeout| {
        let heard = shared
            .0
            .lock()
            .unwrap()
            .commands
            .iter()
            .any(|line| line.starts_with(start));
        if heard && at.is_none() {
            at = Some(());
            moment.store(shared.1.load(Ordering::Relaxed), Ordering::Relaxed);
            token.cancel();
        }
        Ok(read(&shared, buf, timeout))
    });
    let mut driver = driver(port, &both, &settings, &mut storage).cancel(cancel);
    let error = driver
        .connect()
        .and_then(|()| driver.publish(&Message::new(b"x")).map(drop))
        .unwrap_err();
    drop(driver);
    let spent = both.1.load(Ordering::Relaxed) - cancelled.load(Ordering::Relaxed);
    (error, spent, both)
}

#[test]
fn cancelling_frees_the_module_soon_and_the_next_run_works() {
    let cases = [
        ("AT+CPIN?", Step::Sim),
        ("AT+QMTCFG", Step::Mqtt),
        ("AT+QMTOPEN", Step::Open),
        ("AT+QMTCONN=", Step::Connect),
        ("AT+QMTPUBEX", Step::Session),
    ];
    for (start, step) in cases {
        let (error, spent, both) = cancelled_at(start);
        assert!(
            matches!(error, Error::Cancelled { step: at, freed: true } if at == step),
            "{start}: {error:?}"
        );
        assert!(spent <= WIND_DOWN_MS, "{start}: {spent} ms");
        let freed =
            |line: &String| line.starts_with("AT+QMTCLOSE") || line.starts_with("AT+QMTDISC");
        let heard = both.0.lock().unwrap().commands.clone();
        let after = heard
            .iter()
            .rposition(|line| line.starts_with(start))
            .unwrap();
        assert!(heard[after..].iter().any(freed), "{start}: {heard:?}");
        both.0.lock().unwrap().silent_on = None;
        let (settings, mut storage) = (settings(), Storage::default());
        driver(port(&both), &both, &settings, &mut storage)
            .connect()
            .unwrap();
    }
}

#[test]
fn a_module_that_does_not_confirm_is_not_called_disconnected() {
    for answer in ["+QMTDISC: 0,-1", "+QMTCLOSE: 1,0", "+CME ERROR: 4", "ERROR"] {
        let (both, settings, mut storage) = (module(|_| {}), settings(), Storage::default());
        let cancel = CancelToken::default();
        let told = Arc::new(Mutex::new(Vec::new()));
        let seen = told.clone();
        let mut driver = driver(port(&both), &both, &settings, &mut storage)
            .cancel(cancel.clone())
            .observe(move |notice| {
                if let Notice::Ended { error, .. } = notice {
                    seen.lock().unwrap().push(error.name());
                }
            });
        driver.connect().unwrap();
        both.0.lock().unwrap().special = vec![("AT+QMTDISC", answer), ("AT+QMTCLOSE", answer)];
        cancel.cancel();
        let error = driver.receive(Duration::from_secs(9)).unwrap_err();
        assert!(
            matches!(error, Error::Cancelled { freed: false, .. }),
            "{answer}: {error:?}"
        );
        assert!(error.remedy().contains("it frees the module first"));
        assert_eq!(*told.lock().unwrap(), ["cancelled"]);
    }
}

#[test]
fn a_second_cancellation_ends_at_once() {
    let (both, settings, mut storage) = (
        module(|m| m.silent_on = Some("AT")),
        settings(),
        Storage::default(),
    );
    let cancel = CancelToken::default();
    cancel.cancel();
    cancel.cancel();
    let mut driver = driver(port(&both), &both, &settings, &mut storage).cancel(cancel);
    let result = driver.connect();
    assert!(
        matches!(result, Err(Error::Cancelled { freed: false, .. })),
        "{result:?}"
    );
    assert!(both.1.load(Ordering::Relaxed) <= ms(SLICE));
}

#[test]
fn the_time_limit_holds_for_all_that_follows() {
    let (both, settings, mut storage) = (
        module(|m| m.silent_on = Some("AT+CPIN?")),
        settings(),
        Storage::default(),
    );
    let mut driver = driver(port(&both), &both, &settings, &mut storage);
    driver.time_limit(Some(Duration::from_millis(3_000)));
    assert!(matches!(
        driver.connect(),
        Err(Error::TimeLimit { step: Step::Sim })
    ));
    assert!(both.1.load(Ordering::Relaxed) < 3_000 + WIND_DOWN_MS + 200);
}

#[test]
fn a_key_held_elsewhere_signs() {
    let both = module(|_| {});
    let settings = Settings {
        proof: Proof::ExternalKey,
        ..settings()
    };
    let mut storage = Storage::default();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let mut with = driver(port(&both), &both, &settings, &mut storage).signer(move |text| {
        seen.lock().unwrap().extend_from_slice(text);
        [0x55; 32]
    });
    with.connect().unwrap();
    drop(with);
    assert!(
        asked
            .lock()
            .unwrap()
            .starts_with(b"contoso.azure-devices.net%2Fdevices%2Fdev-1\n")
    );
    let mut without = driver(port(&both), &both, &settings, &mut storage);
    assert!(matches!(without.connect(), Err(Error::NoSigner)));
}

#[test]
fn nothing_secret_is_recorded() {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let secret_line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ";
    let body = format!("{secret_line}\n").repeat(6);
    let key = format!("-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n");
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n".to_owned();
    let by_key = settings();
    let by_certificate = Settings {
        proof: Proof::X509 {
            certificate,
            key: Secret::new(key.as_str()),
        },
        ..settings()
    };
    for (settings, form) in [
        (&by_key, TraceForm::Exact),
        (&by_certificate, TraceForm::Exact),
        (&by_certificate, TraceForm::Readable),
    ] {
        // The module cannot be kept from echoing here.
        let both = module(|m| m.special = vec![("ATE0", "OK")]);
        let (log, mut storage) = (Log::default(), Storage::default());
        let mut driver = driver(port(&both), &both, settings, &mut storage)
            .trace(Trace::default().record(form, log.clone()));
        driver.connect().unwrap();
        drop(driver);
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let heard = both.0.lock().unwrap().commands.join("\n");
        assert!(text.contains("<- AT+QMTCONN="), "{text}");
        if let Some(start) = heard.find("sig=") {
            let sig: String = heard[start + 4..]
                .chars()
                .take_while(|c| *c != '&')
                .collect();
            assert!(
                sig.len() > 40 && !text.contains(&sig) && !text.contains(&sig[..12]),
                "{text}"
            );
        } else {
            assert!(
                text.contains(&format!("-> <{} secret bytes>", key.len())),
                "{text}"
            );
            assert!(!text.contains(&secret_line[..8]), "{text}");
        }
        if form == TraceForm::Readable {
            assert!(
                text.contains(" -> <59 bytes>") && text.contains(" <- +QFUPL: 59,"),
                "{text}"
            );
        }
    }
}

#[test]
fn over_tcp() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("tcp:{}", listener.local_addr().unwrap());
    let port = crate::open(&name, crate::PortSettings::default()).unwrap();
    let (peer, _) = listener.accept().unwrap();
    serve_and_connect(port, peer.try_clone().unwrap(), peer);
}

#[cfg(unix)]
#[test]
fn over_a_pseudo_terminal() {
    let pair = nix::pty::openpty(None, None).unwrap();
    let path = nix::unistd::ttyname(&pair.slave).unwrap();
    let port = crate::open(path.to_str().unwrap(), crate::PortSettings::default()).unwrap();
    drop(pair.slave);
    let module = std::fs::File::from(pair.master);
    serve_and_connect(port, module.try_clone().unwrap(), module);
}

/// Connects over a real port to a module in a thread, which ends when the port is closed.
fn serve_and_connect(
    port: Box<dyn Port>,
    mut from: impl io::Read + Send + 'static,
    mut to: impl io::Write + Send + 'static,
) {
    let serving = std::thread::spawn(move || {
        let (mut module, mut buf) = (Module::default(), [0; 256]);
        while let Ok(n) = from.read(&mut buf) {
            if n == 0 {
                break;
            }
            module.hear(&buf[..n]);
            let out = core::mem::take(&mut module.out);
            if to.write_all(&out).is_err() {
                break;
            }
        }
        module.published
    });
    let (settings, mut storage) = (settings(), Storage::default());
    let mut driver = Driver::new(port, settings.config(), &mut storage).unwrap();
    driver.time_limit(Some(Duration::from_secs(60)));
    driver.connect().unwrap();
    driver.publish(&Message::new(b"over the wire")).unwrap();
    driver.disconnect().unwrap();
    drop(driver);
    assert_eq!(serving.join().unwrap(), [b"over the wire".to_vec()]);
}
