//! `--preflight`: what would fail before a byte is sent.

use std::fs::File;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use quectel_doctor::{Confidence, Severity};
use quectel_serial::quectel_azure::azure_auth::SasToken;
use quectel_serial::quectel_azure::{ConfigError, Profile};
use quectel_serial::{Proof, Settings};
use serde_json::{Value, json};

use super::{DoctorArgs, catalogue, certificates, status};
use crate::Status;
use crate::complaint::{Complaint, wrapped};
use crate::console::{Console, Ink, inked};
use crate::inputs;

/// Hosts of IoT Hub in the global cloud and the sovereign ones.
const HUBS: &[&str] = &[
    ".azure-devices.net",
    ".azure-devices.cn",
    ".azure-devices.us",
];

/// The shared endpoint of the Device Provisioning Service.
const DPS: &str = "azure-devices-provisioning";

/// A token that ends sooner may end while the module connects.
const SOON_S: u64 = 600;

/// Something that will fail, or may.
#[derive(Debug)]
pub(super) struct Problem {
    /// Name in the catalogue, or `config.…` for what no log can show.
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) fix: String,
}

impl Problem {
    pub(super) fn error(
        id: &'static str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            id,
            severity: Severity::Error,
            message: message.into(),
            fix: fix.into(),
        }
    }

    pub(super) fn warning(self) -> Self {
        Self {
            severity: Severity::Warning,
            ..self
        }
    }
}

pub(super) fn run(args: &DoctorArgs, console: &mut Console<'_>) -> Result<Status, Complaint> {
    readable(args)?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let profile = profile(args)?;
    let mut problems = Vec::new();
    match inputs::identity(&args.device, console) {
        Ok(mut settings) => {
            network(args, &mut settings, &mut problems, console);
            problems.extend(host(&settings));
            problems.extend(checked(&settings));
            problems.extend(token(&settings, now));
            problems.extend(certificates::problems(&settings, now));
            problems.extend(name_is_sent(&settings, profile));
        }
        // There is nothing to check.
        Err(complaint) if complaint.what() == "no connection string" => return Err(complaint),
        Err(complaint) => problems.push(Problem::error(
            input_id(&complaint),
            complaint.what(),
            complaint.todo(),
        )),
    }
    problems.extend(payload(args, profile)?);
    problems.sort_by_key(|problem| core::cmp::Reverse(problem.severity));
    let text = if args.json {
        catalogue::pretty(&object(&problems))
    } else {
        text(&problems, console.out_colour)
    };
    catalogue::put(&text, console)?;
    Ok(status(
        problems.iter().any(|p| p.severity == Severity::Error),
    ))
}

/// Files that cannot be opened are no finding.
fn readable(args: &DoctorArgs) -> Result<(), Complaint> {
    let (device, network) = (&args.device, &args.network);
    let files: [&Option<PathBuf>; 7] = [
        &device.connection_string_file,
        &device.cert,
        &device.key,
        &device.ca,
        &network.apn_password_file,
        &network.pin_file,
        &args.message_file,
    ];
    for file in files.into_iter().flatten() {
        if file.as_os_str() == "-" {
            continue;
        }
        let open = File::open(file).and_then(|file| file.metadata());
        match open {
            Ok(about) if about.is_dir() => {
                return Err(Complaint::usage(format!("{} is a folder", file.display()))
                    .remedy("name the file in it"));
            }
            Err(e) => {
                return Err(
                    Complaint::usage(format!("cannot read {}: {e}", file.display()))
                        .remedy("check the path"),
                );
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

/// The row of the module, if it was named.
fn profile(args: &DoctorArgs) -> Result<Option<&'static Profile>, Complaint> {
    if let Some(name) = &args.module.profile {
        let found = Profile::named(name);
        return found.map(Some).ok_or_else(|| inputs::unknown_profile(name));
    }
    let Some(model) = &args.model else {
        return Ok(None);
    };
    let found = Profile::find(model, args.firmware.as_deref().unwrap_or_default());
    if found.is_known() {
        return Ok(Some(found));
    }
    Err(
        Complaint::usage(format!("the model {model:?} is not known"))
            .remedy("give it as ATI says it, such as BG96 or EC25; or leave it out"),
    )
}

fn input_id(complaint: &Complaint) -> &'static str {
    let what = complaint.what();
    if what.contains("host name") {
        "az.host-malformed"
    } else if what.contains("SharedAccessKey") || what.contains("shared access key") {
        "config.key"
    } else if what.contains("certificate") {
        "config.certificate"
    } else {
        "config.connection-string"
    }
}

fn network(
    args: &DoctorArgs,
    settings: &mut Settings,
    problems: &mut Vec<Problem>,
    console: &mut Console<'_>,
) {
    if let Err(complaint) = inputs::network(settings, &args.network, console) {
        problems.push(Problem::error(
            "net.sim-not-ready",
            complaint.what(),
            complaint.todo(),
        ));
    }
    if settings.apn.is_empty() {
        problems.push(
            Problem::error(
                "net.apn-missing-or-wrong",
                "No access point name is given: the module's own setting is used, which is empty in a new module.",
                "give --apn NAME if the operator names one",
            )
            .warning(),
        );
    }
}

fn host(settings: &Settings) -> Option<Problem> {
    let host = settings.gateway.as_deref().unwrap_or(&settings.hub);
    let lower = host.to_ascii_lowercase();
    if settings.gateway.is_some()
        || lower.contains(DPS)
        || HUBS
            .iter()
            .any(|hub| lower.strip_suffix(hub).is_some_and(|name| !name.is_empty()))
    {
        return None;
    }
    let fix = "copy the connection string from the portal again: HostName=<hub>.azure-devices.net";
    if !lower.contains('.') || lower.contains("azure") || lower.contains("devices") {
        return Some(Problem::error(
            "az.host-malformed",
            format!(
                "The host {host} is no name of an IoT Hub, whose names end in .azure-devices.net."
            ),
            fix,
        ));
    }
    let message = format!(
        "The host {host} is not one of Azure; that is right for a server of your own only."
    );
    Some(Problem::error("az.host-malformed", message, fix).warning())
}

/// What the driver itself would refuse.
fn checked(settings: &Settings) -> Option<Problem> {
    let error = settings.check().err()?;
    let id = match error {
        ConfigError::TokenScope => "az.sas-sr-mismatch",
        ConfigError::Token(_) => "az.sas-truncated",
        ConfigError::Key(_) => "config.key",
        ConfigError::CaNotPem | ConfigError::CertificateNotPem | ConfigError::KeyNotPem => {
            "file.pem-armor-missing"
        }
        ConfigError::KeyEncrypted => "file.key-format",
        ConfigError::Identity(_) => "config.identity",
        _ => "config.setting",
    };
    Some(Problem::error(
        id,
        format!("The settings are refused: {error}."),
        "correct it; publish would end with this before it opens the port",
    ))
}

fn token(settings: &Settings, now: u64) -> Option<Problem> {
    let Proof::SasToken(text) = &settings.proof else {
        return None;
    };
    let expiry = SasToken::parse(text.reveal()).ok()?.expiry_unix_s();
    let fix = "make a new token, or give the connection string with the device's key";
    if expiry <= now {
        let message = format!(
            "The SAS token expired at {expiry} (unix time), {} s ago by this computer's clock.",
            now - expiry
        );
        return Some(Problem::error("az.sas-expired", message, fix));
    }
    (expiry - now < SOON_S).then(|| {
        let message = format!("The SAS token expires in {} s.", expiry - now);
        Problem::error("az.sas-expired-midsession", message, fix).warning()
    })
}

fn name_is_sent(settings: &Settings, profile: Option<&'static Profile>) -> Option<Problem> {
    let profile = profile.filter(|profile| !profile.has_sni())?;
    let host = settings.gateway.as_deref().unwrap_or(&settings.hub);
    let problem = Problem::error(
        "tls.sni-unsupported-fw",
        format!(
            "Firmware of the profile {} cannot send the server's name, and {host} may stand behind a shared address.",
            profile.name
        ),
        "update the module's firmware",
    );
    Some(if host.contains(DPS) {
        problem
    } else {
        problem.warning()
    })
}

fn payload(
    args: &DoctorArgs,
    profile: Option<&'static Profile>,
) -> Result<Option<Problem>, Complaint> {
    let bytes = match (&args.message, &args.message_file) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(file)) => std::fs::read(file).map_err(|e| {
            Complaint::usage(format!(
                "cannot read the message from {}: {e}",
                file.display()
            ))
        })?,
        (None, None) => return Ok(None),
    };
    let Some(profile) = profile else {
        return Ok(None);
    };
    let most = usize::from(profile.max_payload);
    Ok((bytes.len() > most).then(|| {
        let message = format!(
            "The message has {} bytes; a module of the profile {} takes {most} in one message.",
            bytes.len(),
            profile.name
        );
        Problem::error(
            "mqtt.pub-length",
            message,
            "shorten the message, or split it into several",
        )
    }))
}

fn title(problem: &Problem) -> &'static str {
    quectel_doctor::catalogue()
        .find(|cause| cause.id == problem.id)
        .map_or("The configuration cannot work", |cause| cause.title)
}

fn text(problems: &[Problem], colour: bool) -> String {
    let mut text = String::new();
    for problem in problems {
        let (word, ink) = match problem.severity {
            Severity::Error => ("error", Ink::Bad),
            _ => ("warning", Ink::Warn),
        };
        let head = inked(format!("{word}[{}]:", problem.id), ink, colour);
        let title = inked(title(problem), Ink::Strong, colour);
        text.push_str(&format!("{head} {title}\n"));
        for (n, line) in wrapped(&problem.message).iter().enumerate() {
            text.push_str(&format!("  {} {line}\n", if n == 0 { "=" } else { " " }));
        }
        text.push_str(&format!("  fix: {}\n\n", problem.fix));
    }
    let count = |severity| problems.iter().filter(|p| p.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    if problems.is_empty() {
        text.push_str(
            "nothing wrong found; what only the module and the hub know is not checked\n",
        );
    }
    text.push_str(&format!(
        "{errors} error{}, {warnings} warning{}, nothing was sent\n",
        plural(errors),
        plural(warnings)
    ));
    text
}

/// The same fields as for a log.
fn object(problems: &[Problem]) -> Value {
    let findings: Vec<Value> = problems
        .iter()
        .map(|problem| {
            json!({
                "id": problem.id, "title": title(problem), "severity": problem.severity,
                "confidence": Confidence::Certain, "lines": [], "message": problem.message,
                "fix": [problem.fix], "session": 0,
            })
        })
        .collect();
    let errors = problems.iter().any(|p| p.severity == Severity::Error);
    json!({
        "log": Value::Null,
        "findings": findings,
        "module": {"model": null, "firmware": null, "family": null},
        "outcome": if errors { "would fail" } else { "nothing wrong found" },
        "ruled_out": [], "notes": [], "sessions": [], "lines_read": 0,
    })
}
