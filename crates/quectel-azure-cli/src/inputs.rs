//! Turns what the user gave into settings and a message, with one clear complaint for each fault.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use quectel_serial::quectel_azure::azure_auth::SasToken;
use quectel_serial::quectel_azure::profile::PROFILES;
use quectel_serial::quectel_azure::{self, ApnAuth, Profile, Slots, UrcPort};
use quectel_serial::{FlowControl, PortSettings, Proof, Secret, Settings, urc_port_of};

use crate::args::{
    APN_PASSWORD, CONNECTION_STRING, DeviceArgs, Flow, MessageArgs, ModuleArgs, NetworkArgs,
    PublishArgs, SIM_PIN, UrcPortArg,
};
use crate::complaint::Complaint;
use crate::console::Console;

/// No input of this command is longer; a hub takes 256 KiB.
const LONGEST: u64 = 1024 * 1024;

/// What stands for standard input where a file is expected.
const STANDARD_INPUT: &str = "-";

type Result<T> = core::result::Result<T, Complaint>;

pub(crate) fn port_settings(args: &PublishArgs) -> PortSettings {
    let flow_control = match args.flow_control {
        Flow::None => FlowControl::None,
        Flow::RtsCts => FlowControl::RtsCts,
    };
    PortSettings::default()
        .baud(args.baud)
        .flow_control(flow_control)
}

pub(crate) fn settings(args: &PublishArgs, console: &mut Console<'_>) -> Result<Settings> {
    one_standard_input(args)?;
    let mut settings = identity(&args.device, console)?;
    network(&mut settings, &args.network, console)?;
    module(&mut settings, &args.module)?;
    settings.receive = args.wait_for_message.is_some();
    settings.urc_port = match args.urc_port {
        UrcPortArg::Auto => urc_port_of(&args.port),
        UrcPortArg::Keep => UrcPort::Keep,
        UrcPortArg::Uart1 => UrcPort::Uart1,
        UrcPortArg::Usbat => UrcPort::UsbAt,
        UrcPortArg::Usbmodem => UrcPort::UsbModem,
        UrcPortArg::All => UrcPort::All,
    };
    settings.flow_control = match args.flow_control {
        Flow::None => quectel_azure::FlowControl::Keep,
        Flow::RtsCts => quectel_azure::FlowControl::RtsCts,
    };
    // Shorter than the limit of the whole, so that a step that hangs says why.
    let longest = u16::try_from(args.timeout.saturating_sub(1).max(1)).unwrap_or(u16::MAX);
    let limits = &mut settings.timeouts;
    for limit in [
        &mut limits.sync_s,
        &mut limits.sim_s,
        &mut limits.register_s,
        &mut limits.open_s,
        &mut limits.connect_s,
        &mut limits.acknowledge_s,
    ] {
        *limit = longest.min(*limit);
    }
    settings.check().map_err(quectel_serial::Error::from)?;
    token_is_valid(&settings.proof)?;
    Ok(settings)
}

/// A token that is over by this computer's clock is refused before the module is touched.
fn token_is_valid(proof: &Proof) -> Result<()> {
    let Proof::SasToken(text) = proof else {
        return Ok(());
    };
    let (Ok(token), Ok(now)) = (
        SasToken::parse(text.reveal()),
        SystemTime::now().duration_since(UNIX_EPOCH),
    ) else {
        return Ok(());
    };
    let (expiry, now) = (token.expiry_unix_s(), now.as_secs());
    if expiry > now {
        return Ok(());
    }
    Err(Complaint::usage(format!(
        "the SAS token expired at {expiry} (unix time), {} s ago by this computer's clock",
        now - expiry
    ))
    .remedy("make a new token, or give the connection string with the device's key; check this computer's clock"))
}

pub(crate) fn identity(args: &DeviceArgs, console: &mut Console<'_>) -> Result<Settings> {
    let text = match (&args.connection_string, &args.connection_string_file) {
        (Some(text), _) => Secret::new(text),
        (None, Some(file)) => Secret::new(text_file("connection string", file, console)?),
        (None, None) => Secret::new((console.variable)(CONNECTION_STRING).ok_or_else(|| {
            Complaint::usage("no connection string").remedy(format!(
                "give --connection-string-file FILE or set {CONNECTION_STRING}; the portal shows it at the device as \
                 \"primary connection string\""
            ))
        })?),
    };
    let mut settings = Settings::from_connection_string(text.reveal())
        .map_err(|error| Complaint::usage(error.to_string()))?;
    let by_certificate = matches!(settings.proof, Proof::X509 { .. });
    match (&args.cert, &args.key) {
        (Some(_), _) | (_, Some(_)) if !by_certificate => {
            return Err(Complaint::usage(
                "the connection string has a key, and a certificate is given, too",
            )
            .remedy("leave out --cert and --key, or use the connection string with x509=true"));
        }
        (Some(cert), Some(key)) => {
            let certificate = text_file("certificate", cert, console)?;
            let key = Secret::new(text_file("key", key, console)?);
            settings.proof = Proof::X509 { certificate, key };
        }
        _ if by_certificate => {
            return Err(Complaint::usage(
                "the connection string says x509=true, and no certificate is given",
            )
            .remedy("give --cert FILE and --key FILE"));
        }
        _ => {}
    }
    if let Some(file) = &args.ca {
        settings.ca = Some(text_file("root certificate", file, console)?);
    }
    settings.port = args.hub_port;
    Ok(settings)
}

pub(crate) fn network(
    settings: &mut Settings,
    args: &NetworkArgs,
    console: &mut Console<'_>,
) -> Result<()> {
    settings.apn = args.apn.clone().unwrap_or_default();
    if let Some(user) = &args.apn_user {
        settings.apn_user = user.clone();
        settings.apn_auth = ApnAuth::PapOrChap;
        let password = match (&args.apn_password, &args.apn_password_file) {
            (Some(text), _) => text.clone(),
            (None, Some(file)) => first_line(&text_file("password", file, console)?),
            (None, None) => (console.variable)(APN_PASSWORD).unwrap_or_default(),
        };
        settings.apn_password = Secret::new(password);
    }
    let pin = match &args.pin_file {
        Some(file) => Some(first_line(&text_file("PIN", file, console)?)),
        None => (console.variable)(SIM_PIN),
    };
    if let Some(pin) = &pin
        && !(pin.len() >= 4 && pin.len() <= 8 && pin.bytes().all(|b| b.is_ascii_digit()))
    {
        return Err(Complaint::usage("the PIN of a SIM has 4 to 8 digits")
            .remedy(format!("correct the file of --pin-file or the variable {SIM_PIN}; nothing was tried on the SIM")));
    }
    settings.sim_pin = pin.map(Secret::new);
    Ok(())
}

fn module(settings: &mut Settings, args: &ModuleArgs) -> Result<()> {
    settings.slots = Slots {
        pdp: args.pdp_context,
        ssl: args.ssl_context,
        mqtt: args.mqtt_client,
    };
    if let Some(name) = &args.profile {
        let found = Profile::named(name).ok_or_else(|| unknown_profile(name))?;
        settings.profile = Some(found);
    }
    Ok(())
}

/// A profile that is not in the table.
pub(crate) fn unknown_profile(name: &str) -> Complaint {
    let names: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
    Complaint::usage(format!("there is no profile {name:?}"))
        .remedy(format!("the profiles are {}", names.join(", ")))
}

/// Standard input has one end only.
fn one_standard_input(args: &PublishArgs) -> Result<()> {
    let (device, network) = (&args.device, &args.network);
    let is = |file: &Option<PathBuf>| file.as_deref() == Some(Path::new(STANDARD_INPUT));
    let message = args.message.message.is_none()
        && (args.message.message_file.is_none() || is(&args.message.message_file));
    let inputs = [
        (is(&device.connection_string_file), "the connection string"),
        (is(&device.cert), "the certificate"),
        (is(&device.key), "the key"),
        (is(&device.ca), "the root certificate"),
        (is(&network.apn_password_file), "the password"),
        (is(&network.pin_file), "the PIN"),
        (message, "the message"),
    ];
    let names: Vec<&str> = inputs
        .iter()
        .filter_map(|(used, name)| used.then_some(*name))
        .collect();
    if names.len() < 2 {
        return Ok(());
    }
    Err(Complaint::usage(format!(
        "{} cannot all come from standard input",
        names.join(" and ")
    ))
    .remedy("give all but one of them in files"))
}

/// The message's body.
pub(crate) fn payload(args: &PublishArgs, console: &mut Console<'_>) -> Result<Vec<u8>> {
    let MessageArgs {
        message,
        message_file,
        ..
    } = &args.message;
    match (message, message_file) {
        (Some(text), _) => return Ok(text.clone().into_bytes()),
        (None, Some(file)) if file.as_os_str() != STANDARD_INPUT => {
            return file_bytes("message", file, console);
        }
        (None, _) => {}
    }
    if console.interactive {
        let _ = writeln!(
            console.err,
            "Type the message and end it with Ctrl-D (or give --message)."
        );
    }
    let bytes = standard_input("message", console)?;
    if bytes.is_empty() {
        return Err(Complaint::usage("standard input has no message")
            .remedy("give --message TEXT or --message-file FILE"));
    }
    Ok(bytes)
}

fn file_bytes(what: &str, path: &Path, console: &mut Console<'_>) -> Result<Vec<u8>> {
    if path.as_os_str() == STANDARD_INPUT {
        return standard_input(what, console);
    }
    let file = std::fs::File::open(path).map_err(|e| unreadable(what, &path.display(), &e))?;
    limited(what, &path.display(), file)
}

fn standard_input(what: &str, console: &mut Console<'_>) -> Result<Vec<u8>> {
    limited(what, &"standard input", &mut *console.input).map_err(|complaint| {
        if console.cancel.is_cancelled() {
            Complaint::failure(format!(
                "cancelled while the {what} was read; nothing was sent"
            ))
        } else {
            complaint
        }
    })
}

fn limited(what: &str, from: &dyn core::fmt::Display, reader: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| unreadable(what, from, &e))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Complaint::usage(format!(
            "the {what} in {from} has more than {LONGEST} bytes"
        )));
    }
    Ok(bytes)
}

fn unreadable(what: &str, from: &dyn core::fmt::Display, error: &std::io::Error) -> Complaint {
    Complaint::usage(format!("cannot read the {what} from {from}: {error}"))
}

fn text_file(what: &str, path: &Path, console: &mut Console<'_>) -> Result<String> {
    let bytes = file_bytes(what, path, console)?;
    // Editors of some systems begin a text with a byte order mark.
    let bytes = match bytes.strip_prefix(b"\xEF\xBB\xBF") {
        Some(text) => text.to_vec(),
        None => bytes,
    };
    String::from_utf8(bytes).map_err(|_| {
        let complaint = Complaint::usage(format!("the {what} in {} is not text", path.display()));
        match what {
            "certificate" | "key" | "root certificate" => complaint
                .remedy("give PEM; for DER use `openssl x509 -inform der -in FILE -out FILE.pem` or `openssl pkey` likewise"),
            _ => complaint.remedy("save it as UTF-8"),
        }
    })
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}
