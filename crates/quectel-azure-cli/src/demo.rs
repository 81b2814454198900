//! `demo`: a simulated module, a local hub, and everything between them.

use core::time::Duration;

use iothub_sim::{
    CloudToDeviceMessage, Config, Device, DeviceCertificate, KeyKind, LocalHub, Pki, PkiOptions,
    ServerOptions, Telemetry, Validity,
};
use quectel_serial::{Driver, Message, Proof, Received, Secret, Settings, Storage, TraceForm};

use crate::args::{Auth, DemoArgs};
use crate::complaint::Complaint;
use crate::console::{Console, Ink, inked};
use crate::doctor::failed::Recording;
use crate::publish::trace;
use crate::sim::{self, Modem};
use crate::view::{Outcome, Shared, View, Wire, body, lock, span};

const HUB: &str = "demo-hub.azure-devices.net";
const HUB_PORT: u16 = 8883;
const DEVICE: &str = "demo-device";
const TELEMETRY: &str = r#"{"temperature":21.5,"humidity":48}"#;
const PROPERTIES: &[(&str, &str)] = &[("unit", "°C"), ("place", "cold store 7")];
const COMMAND: &str = "report every 60 s";
const COMMAND_PROPERTY: (&str, &str) = ("command", "interval");

/// Far more than a run takes; a demonstration that hangs is worse than one that fails.
const TIME_LIMIT: Duration = Duration::from_secs(120);
const ARRIVAL: Duration = Duration::from_secs(10);

pub(crate) fn run(args: &DemoArgs, console: &mut Console<'_>) -> Result<(), Complaint> {
    let profile = sim::profile(&args.model, args.firmware.as_deref())?;
    let recording = Recording::default();
    let trace = trace(args.trace.as_deref())?.record(TraceForm::Readable, recording.clone());
    let wire = if args.verbose {
        Wire::Exact
    } else {
        Wire::Readable
    };
    let colour = console.out_colour;
    let view: Shared<'_> = View::new(console.out, colour, wire).into();

    let (hub, settings) = hub(args.auth)?;
    let modem = Modem::new(profile)
        .real_time(args.real_time)
        .host(HUB, HUB_PORT, hub.addr());
    introduce(&view, &hub, &modem, args.auth);
    let port = modem.start()?;

    let mut storage = Storage::default();
    let mut driver = Driver::new(port, settings.config(), &mut storage)?
        .cancel(console.cancel.clone())
        .trace(trace)
        .observe(|notice| {
            recording.notice(&notice);
            lock(&view).notice(notice);
        });
    driver.time_limit(Some(TIME_LIMIT));
    let result = talk(&mut driver, &hub, &view);
    let at = driver.elapsed();
    drop(driver);
    let last = result.as_ref().map_or(Outcome::Failed, |()| Outcome::Done);
    lock(&view).end_step(at, last);
    if result.is_err() {
        for refusal in hub.refused() {
            lock(&view).line(&format!("  the hub says: {refusal}"));
        }
    }
    result.map_err(|complaint| complaint.diagnosed(&recording))?;
    let done = inked("done", Ink::Good, colour);
    lock(&view).line(&format!(
        "\n{done} in {}: telemetry arrived at the hub, and a message of the hub at the device",
        span(at)
    ));
    Ok(())
}

/// A hub that knows one device, and the device's settings.
fn hub(auth: Auth) -> Result<(LocalHub, Settings), Complaint> {
    let failed = |error: &dyn core::fmt::Display| {
        Complaint::failure(format!("the local hub did not start: {error}"))
    };
    let (device, proof) = match auth {
        Auth::Sas => (Device::with_generated_keys(DEVICE), None),
        Auth::X509 => {
            let made =
                DeviceCertificate::self_signed(DEVICE, KeyKind::default(), Validity::default());
            let made = made.map_err(|e| failed(&e))?;
            let device = Device::with_thumbprint(DEVICE, made.sha256_thumbprint());
            let key = Secret::new(made.key_pem);
            (
                device,
                Some(Proof::X509 {
                    certificate: made.certificate_pem,
                    key,
                }),
            )
        }
    };
    let config = Config::single_device(HUB, device);
    let pki = Pki::new(&PkiOptions::for_hosts([HUB])).map_err(|e| failed(&e))?;
    let mut options = ServerOptions::default();
    // Hubs with a classic name take clients without SNI, and old firmware cannot send it.
    options.tls.require_sni = false;
    let hub = LocalHub::start_with(&config, &pki, &options).map_err(|e| failed(&e))?;
    let text = Secret::new(hub.connection_string(DEVICE).unwrap_or_default());
    let mut settings = Settings::from_connection_string(text.reveal()).map_err(|e| failed(&e))?;
    if let Some(proof) = proof {
        settings.proof = proof;
    }
    settings.apn = sim::APN.to_owned();
    settings.ca = Some(hub.ca_pem().to_owned());
    settings.port = HUB_PORT;
    Ok((hub, settings))
}

fn introduce(view: &Shared<'_>, hub: &LocalHub, modem: &Modem, auth: Auth) {
    let mut view = lock(view);
    view.row(
        "hub",
        &format!("{HUB}:{HUB_PORT}, in this process on {}", hub.addr()),
    );
    view.row(
        "module",
        &format!("{}, simulated in this process", modem.describe()),
    );
    let credential = match auth {
        Auth::Sas => "SAS token, made from the device's key",
        Auth::X509 => "client certificate, registered by its thumbprint",
    };
    view.row("device", &format!("{DEVICE}, {credential}"));
}

fn talk(driver: &mut Driver<'_>, hub: &LocalHub, view: &Shared<'_>) -> Result<(), Complaint> {
    driver.connect()?;
    let message = Message::new(TELEMETRY.as_bytes())
        .properties(PROPERTIES)
        .json();
    driver.publish(&message)?;
    let arrived = hub.wait_for(ARRIVAL, |record| match &record.event {
        iothub_sim::Event::Telemetry(telemetry) => Some(telemetry.clone()),
        _ => None,
    });
    let telemetry =
        arrived.ok_or_else(|| Complaint::failure("the telemetry did not arrive at the hub"))?;
    show_telemetry(&telemetry, view);
    check_telemetry(&telemetry)?;

    let (name, value) = COMMAND_PROPERTY;
    hub.send_to_device(
        DEVICE,
        CloudToDeviceMessage::new(COMMAND).with_property(name, value),
    )
    .map_err(|e| {
        Complaint::failure(format!(
            "the hub did not take the cloud-to-device message: {e}"
        ))
    })?;
    let received = driver.receive(ARRIVAL)?;
    let received = received.ok_or_else(|| {
        Complaint::failure("the cloud-to-device message did not arrive at the device")
    })?;
    show_received(&received, view);
    if received.payload != COMMAND.as_bytes() {
        return Err(Complaint::failure(
            "the cloud-to-device message arrived damaged",
        ));
    }
    driver.disconnect()?;
    Ok(())
}

fn show_telemetry(telemetry: &Telemetry, view: &Shared<'_>) {
    let mut view = lock(view);
    view.title("the hub received");
    view.row("device", &telemetry.identity.client_id());
    view.row("body", &body(&telemetry.payload));
    for (name, value) in &telemetry.properties.system {
        view.row("system", &format!("{name} = {value}"));
    }
    for (name, value) in &telemetry.properties.application {
        view.row(
            "property",
            &format!("{name} = {}", value.as_deref().unwrap_or_default()),
        );
    }
}

fn check_telemetry(telemetry: &Telemetry) -> Result<(), Complaint> {
    let properties = PROPERTIES
        .iter()
        .all(|(name, value)| telemetry.properties.value(name) == Some(value));
    if telemetry.payload == TELEMETRY.as_bytes()
        && telemetry.identity.client_id() == DEVICE
        && properties
    {
        return Ok(());
    }
    Err(Complaint::failure("the telemetry arrived damaged"))
}

fn show_received(received: &Received, view: &Shared<'_>) {
    let mut view = lock(view);
    view.title("the device received");
    view.row("body", &body(&received.payload));
    for (name, value) in &received.properties {
        view.row(
            "property",
            &format!("{name} = {}", value.as_deref().unwrap_or_default()),
        );
    }
}
