//! Serves a hub from a configuration file until standard input ends.
//!
//! `cargo run -p iothub-sim --example serve -- FOLDER [CONFIG]` prints one line of JSON with the address,
//! the path of the root certificate and the devices' connection strings, then the hub's records. Each line
//! on standard input is an order such as `drop device1` for tests written in other languages.

use std::{io::BufRead, path::Path, process::ExitCode, sync::mpsc::Receiver, thread};

use iothub_sim::{
    CloudToDeviceMessage, ConfigFile, Fault, LocalHub, MethodCall, Record, ServerOptions,
    ServiceOptions, StateFolder,
};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        eprintln!("usage: serve FOLDER [CONFIG]");
        return ExitCode::from(2);
    };
    match serve(Path::new(&folder), arguments.next().as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "what the program is for")]
fn serve(folder: &Path, config: Option<&str>) -> Result<(), Box<dyn core::error::Error>> {
    let mut folder = StateFolder::open(folder)?;
    let file = match config {
        Some(path) => ConfigFile::read(Path::new(path), folder.seed())?,
        None => folder.configuration()?,
    };
    let root = folder.root_certificate();
    let mut options = ServerOptions::default();
    let key = folder.seed().derive("service");
    options.service = Some(ServiceOptions::new(key.clone()));
    let hub = LocalHub::start_in(folder, &file, &options)?;
    let policies = file.config.hubs.iter().flat_map(|hub| {
        let policies = hub.policies.iter();
        policies.map(|policy| {
            let key = policy.primary_key.to_base64();
            let name = &policy.name;
            let string = format!(
                "HostName={};SharedAccessKeyName={name};SharedAccessKey={key}",
                hub.host
            );
            (name.clone(), string.into())
        })
    });
    let policies: serde_json::Map<_, _> = policies.collect();
    let devices = file.config.hubs.iter().flat_map(|hub| &hub.devices);
    let strings: serde_json::Map<_, _> = devices
        .filter_map(|device| {
            let string = hub.connection_string(&device.id)?;
            Some((device.id.clone(), string.into()))
        })
        .collect();
    let description = serde_json::json!({
        "address": hub.addr().to_string(),
        "port": hub.addr().port(),
        "root_certificate": root,
        "connection_strings": strings,
        "policies": policies,
        "service_port": hub.service_addr().map(|addr| addr.port()),
        "service_key": key.to_base64(),
    });
    println!("{description}");
    eprintln!("{}", hub.introduction(&root));
    let records = hub.records();
    thread::spawn(move || print(&records));
    for line in std::io::stdin().lock().lines() {
        match obey(&hub, line?.trim()) {
            Ok(answer) => println!("> {answer}"),
            Err(error) => println!("> error: {error}"),
        }
    }
    hub.stop();
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the program is for")]
fn print(records: &Receiver<Record>) {
    for record in records {
        println!("{record}");
    }
}

fn obey(hub: &LocalHub, line: &str) -> Result<String, Box<dyn core::error::Error>> {
    let mut words = line.splitn(3, ' ');
    let order = words.next().unwrap_or_default();
    let device = words.next().unwrap_or_default();
    let rest = words.next().unwrap_or_default();
    match order {
        "message" => {
            let message = CloudToDeviceMessage::new(rest)
                .with_property("$.mid", "id/1")
                .with_property("colour", "light blue");
            hub.send_to_device(device, message)?;
            Ok("sent".to_owned())
        }
        "method" => {
            let mut call = MethodCall::new("blink");
            call.payload = rest.as_bytes().to_vec();
            Ok(format!("{:?}", hub.invoke_method(device, call)?))
        }
        "desired" => Ok(hub.update_desired(device, rest)?.to_string()),
        "twin" => match hub.twin(device) {
            Some(twin) => Ok(twin.properties_for_service().to_string()),
            None => Err("no such device".into()),
        },
        "drop" => {
            hub.inject(device, Fault::Drop)?;
            Ok("dropped".to_owned())
        }
        "restart" => {
            hub.with_hub(|hub, now| hub.restart(now));
            Ok("restarted".to_owned())
        }
        other => Err(format!("unknown order `{other}`").into()),
    }
}
