//! `publish`: one message over a real module.

use core::time::Duration;
use std::path::Path;

use quectel_serial::quectel_azure::Delivery;
use quectel_serial::{Driver, Message, Received, Storage, Trace, TraceForm, open};

use crate::args::PublishArgs;
use crate::complaint::Complaint;
use crate::console::Console;
use crate::doctor::failed::Recording;
use crate::inputs;
use crate::view::{Outcome, Shared, View, Wire, body, lock};

pub(crate) fn run(args: &PublishArgs, console: &mut Console<'_>) -> Result<(), Complaint> {
    // All input is checked before the module is touched.
    let settings = inputs::settings(args, console)?;
    let payload = inputs::payload(args, console)?;
    let properties: Vec<(&str, &str)> = args
        .message
        .properties
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let mut message = Message::new(&payload).properties(&properties);
    if args.message.json {
        message = message.json();
    }
    if args.message.qos == 0 {
        message = message.delivery(Delivery::AtMostOnce);
    }
    let recording = Recording::with_own_root(settings.ca.is_some());
    let trace = trace(args.trace.as_deref())?.record(TraceForm::Readable, recording.clone());
    let port = open(&args.port, inputs::port_settings(args))?;

    let wire = match args.verbose {
        0 => Wire::Hidden,
        1 => Wire::Readable,
        _ => Wire::Exact,
    };
    let view: Shared<'_> = View::new(console.err, console.err_colour, wire).into();
    let mut storage = Storage::default();
    let mut driver = Driver::new(port, settings.config(), &mut storage)?
        .cancel(console.cancel.clone())
        .trace(trace)
        .observe(|notice| {
            recording.notice(&notice);
            lock(&view).notice(notice);
        });
    driver.time_limit(Some(args.time_limit()));
    let out = &mut *console.out;
    let mut acknowledged = || {
        let how = if args.message.qos == 0 {
            "sent without acknowledgement"
        } else {
            "acknowledged by the hub"
        };
        let _ = writeln!(out, "published {} bytes, {how}", payload.len());
        let _ = out.flush();
    };
    let received = exchange(&mut driver, &message, args, &view, &mut acknowledged);
    let at = driver.elapsed();
    if let Some(fault) = driver.trace_fault() {
        lock(&view).line(&format!("  the trace is not complete: {fault}"));
    }
    let last = received.as_ref().map_or(Outcome::Failed, |_| Outcome::Done);
    lock(&view).end_step(at, last);
    drop(driver);
    drop(view);
    if let Some(message) = received.map_err(|complaint| complaint.diagnosed(&recording))? {
        write_message(&message, console);
    }
    Ok(())
}

fn exchange(
    driver: &mut Driver<'_>,
    message: &Message<'_>,
    args: &PublishArgs,
    view: &Shared<'_>,
    acknowledged: &mut dyn FnMut(),
) -> Result<Option<Received>, Complaint> {
    driver.connect()?;
    let result = publish(driver, message, args, acknowledged);
    if result.is_err() {
        lock(view).spoil(Outcome::Failed);
    }
    // The module is to be left ready, whatever happened; a cancelled or failed driver is disconnected already.
    if let Err(error) = driver.disconnect()
        && result.is_ok()
    {
        // The message is at the hub: this run did what it is for.
        lock(view).warn(&format!(
            "the message was published, but disconnecting failed: {error}"
        ));
    }
    result
}

fn publish(
    driver: &mut Driver<'_>,
    message: &Message<'_>,
    args: &PublishArgs,
    acknowledged: &mut dyn FnMut(),
) -> Result<Option<Received>, Complaint> {
    driver.publish(message)?;
    acknowledged();
    let Some(seconds) = args.wait_for_message else {
        return Ok(None);
    };
    let received = driver.receive(Duration::from_secs(seconds))?;
    let none = || {
        Complaint::failure(format!(
            "no cloud-to-device message came in {seconds} s; the device's message was published"
        ))
        .remedy("send one to the device while the command waits")
    };
    received.map(Some).ok_or_else(none)
}

/// The recorder that `--trace` asks for.
pub(crate) fn trace(file: Option<&Path>) -> Result<Trace<'static>, Complaint> {
    let trace = Trace::default();
    let Some(path) = file else { return Ok(trace) };
    trace
        .record_file(TraceForm::Exact, path)
        .map_err(|e| Complaint::usage(format!("cannot write the trace to {}: {e}", path.display())))
}

fn write_message(message: &Received, console: &mut Console<'_>) {
    let _ = writeln!(console.out, "received {}", body(&message.payload));
    for (name, value) in &message.properties {
        let _ = writeln!(
            console.out,
            "  {name}={}",
            value.as_deref().unwrap_or_default()
        );
    }
}
