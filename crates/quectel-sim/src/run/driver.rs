//! The loop that gives a module time, bytes and network events.

use core::time::Duration;
use std::sync::Arc;

use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, sleep_until},
};

use super::{HostTable, Shared, network::Network};
use crate::net::NetEvent;

/// Takes what the module writes.
pub(super) trait UartSink: Send + 'static {
    /// Passes bytes on without waiting; what nobody reads is lost, as on a real UART.
    fn put(&mut self, bytes: &[u8]);

    /// The module is not run any more.
    fn close(&mut self) {}
}

/// With no timer of the module pending, it is looked at so often.
const IDLE: Duration = Duration::from_secs(3600);

enum Wakeup {
    Host(Option<Vec<u8>>),
    Net(NetEvent),
    Time,
    Stop,
}

/// Runs a module until it is stopped or its host is gone.
pub(super) async fn run(
    shared: Arc<Shared>,
    hosts: HostTable,
    mut from_host: Receiver<Vec<u8>>,
    mut to_host: impl UartSink,
) {
    let (mut network, mut events) = Network::new(hosts);
    let mut saved = shared.lock().storage_version();
    let mut out = Vec::new();
    while !shared.has_stopped() {
        let (requests, timeout) = {
            let mut module = shared.lock();
            module.uart_tx(shared.now_ms(), &mut out);
            let requests: Vec<_> = core::iter::from_fn(|| module.poll_net()).collect();
            (requests, module.poll_timeout())
        };
        if !out.is_empty() {
            to_host.put(&out);
            out.clear();
        }
        for request in requests {
            network.request(request);
        }
        save(&shared, &mut saved);
        let wakeup = wait(&shared, &mut network, &mut events, &mut from_host, timeout).await;
        let now = shared.now_ms();
        match wakeup {
            Wakeup::Host(Some(bytes)) => shared.lock().uart_rx(now, &bytes),
            Wakeup::Net(event) => shared.lock().net_event(now, event),
            Wakeup::Time => shared.lock().tick(now),
            Wakeup::Host(None) | Wakeup::Stop => break,
        }
    }
    shared
        .stopped
        .store(true, core::sync::atomic::Ordering::Release);
    save(&shared, &mut saved);
    to_host.close();
}

async fn wait(
    shared: &Shared,
    network: &mut Network,
    events: &mut Receiver<NetEvent>,
    from_host: &mut Receiver<Vec<u8>>,
    timeout: Option<u64>,
) -> Wakeup {
    let now = shared.now_ms();
    let pause = timeout.map_or(IDLE, |at| Duration::from_millis(at.saturating_sub(now)));
    tokio::select! {
        () = shared.stop.notified() => Wakeup::Stop,
        () = shared.wake.notified() => Wakeup::Time,
        bytes = from_host.recv() => Wakeup::Host(bytes),
        Some(event) = events.recv() => Wakeup::Net(event),
        Some(event) = network.next_accepted() => Wakeup::Net(event),
        () = sleep_until(Instant::now() + pause) => Wakeup::Time,
    }
}

/// Writes the non-volatile memory to its folder when it has changed.
fn save(shared: &Shared, saved: &mut u64) {
    let Some(folder) = &shared.folder else { return };
    let module = shared.lock();
    let version = module.storage_version();
    if version == *saved {
        return;
    }
    let (files, settings) = (module.stored_files(), module.nonvolatile());
    drop(module);
    // A full disk must not stop the module; the next change tries again.
    if folder.save(&files, &settings).is_ok() {
        *saved = version;
    }
}
