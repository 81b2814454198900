//! A driver that dies in the middle leaves the module in whatever state it is in; the next run copes with it.

#![allow(clippy::unwrap_used, reason = "helpers of one test")]

mod support;

use core::time::Duration;
use std::io;
use std::sync::Mutex;

use quectel_serial::{
    Driver, Error, Message, Port, PortSettings, Proof, Secret, Settings, Storage, open,
};
use quectel_sim::run::TcpPort;
use support::{Bench, ready};

/// A port that is torn off after so many bytes to the module.
struct TornOff {
    port: Box<dyn Port>,
    left: usize,
    sent: usize,
}

impl TornOff {
    fn after(bytes: usize, port: &str) -> Self {
        Self {
            port: open(port, PortSettings::default()).unwrap(),
            left: bytes,
            sent: 0,
        }
    }
}

impl Port for &mut TornOff {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.port.read(buf, timeout)
    }

    fn write(&mut self, bytes: &[u8], timeout: Duration) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let n = self
            .port
            .write(&bytes[..bytes.len().min(self.left)], timeout)?;
        self.left -= n;
        self.sent += n;
        Ok(n)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.port.clear()
    }

    fn name(&self) -> &str {
        "torn off"
    }
}

fn settings(bench: &Bench) -> Settings {
    let mut settings = Settings::from_connection_string(&bench.read("device")).unwrap();
    settings.proof = Proof::X509 {
        certificate: bench.read("cert"),
        key: Secret::new(bench.read("key")),
    };
    settings.ca = Some(bench.read("root"));
    settings.apn = "iot.example".into();
    settings
}

/// Connects and publishes; returns how many bytes went to the module.
fn run(settings: &Settings, mut port: TornOff) -> (usize, Result<(), Error>) {
    let mut storage = Storage::default();
    let mut driver = Driver::new(&mut port, settings.config(), &mut storage).unwrap();
    driver.time_limit(Some(Duration::from_secs(60)));
    let result = driver
        .connect()
        .and_then(|()| driver.publish(&Message::new(b"hello")))
        .map(drop);
    drop(driver);
    (port.sent, result)
}

/// Kills at these parts of the way, counted in bytes to the module, and runs again; one device for each thread, since a
/// hub lets a device connect once.
fn kill(model: &str, parts: &Mutex<Vec<usize>>) {
    let bench = Bench::with_certificate();
    let settings = settings(&bench);
    let port_of = |module: &TcpPort| format!("tcp:{}", module.address());
    let first = bench.module(ready(model));
    let (all, result) = run(&settings, TornOff::after(usize::MAX, &port_of(&first)));
    result.unwrap();
    while let Some(part) = { parts.lock().unwrap().pop() } {
        let module = bench.module(ready(model));
        let at = 1 + part * (all - 2) / PARTS;
        let (sent, result) = run(&settings, TornOff::after(at, &port_of(&module)));
        assert!(
            sent == at && matches!(result, Err(Error::Port { .. })),
            "{model}, after {at} of {all}: {result:?}"
        );
        let (_, result) = run(&settings, TornOff::after(usize::MAX, &port_of(&module)));
        assert!(
            result.is_ok(),
            "{model}, after {at} of {all} bytes: {result:?}"
        );
    }
}

/// In the middle of commands, of the three uploads, of prompt and payload.
const PARTS: usize = 24;

#[test]
fn wherever_the_driver_dies_the_next_run_works() {
    for model in ["bg96", "ec25"] {
        let parts = Mutex::new((0..=PARTS).collect());
        std::thread::scope(|scope| {
            for _ in 0..10 {
                scope.spawn(|| kill(model, &parts));
            }
        });
    }
}
