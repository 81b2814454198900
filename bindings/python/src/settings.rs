//! The settings that `quectel_azure.client` hands over.

use core::time::Duration;

use pyo3::prelude::*;
use quectel_serial::quectel_azure::profile::PROFILES;
use quectel_serial::quectel_azure::{
    ApnAuth, Buffers, Client, ConfigError, Profile, Session, Slots, Timeouts, UrcPort,
};
use quectel_serial::{
    FlowControl, PortSettings, Proof, Secret, Settings, quectel_azure, urc_port_of,
};

use crate::fault::Fault;

/// `quectel_azure._settings.Settings`, attribute by attribute. Has secrets, so no `Debug`.
#[derive(FromPyObject)]
pub(crate) struct PySettings {
    connection_string: String,
    certificate: Option<Vec<u8>>,
    private_key: Option<Vec<u8>>,
    ca: Option<Vec<u8>>,
    hub_port: u16,
    apn: String,
    apn_user: String,
    apn_password: String,
    apn_auth: String,
    sim_pin: Option<String>,
    pdp_context: u8,
    ssl_context: u8,
    mqtt_client: u8,
    keep_alive_s: f64,
    clean_session: bool,
    receive: bool,
    token_lifetime_s: f64,
    ntp_server: String,
    urc_port: String,
    profile: Option<String>,
    baud: u32,
    rts_cts: bool,
    timeouts: PyTimeouts,
}

/// `quectel_azure.Timeouts`.
#[derive(FromPyObject)]
struct PyTimeouts {
    sync_s: f64,
    sim_s: f64,
    register_s: f64,
    open_s: f64,
    connect_s: f64,
    acknowledge_s: f64,
}

impl PySettings {
    /// How a serial port is opened.
    pub(crate) fn port_settings(&self) -> PortSettings {
        let flow_control = if self.rts_cts {
            FlowControl::RtsCts
        } else {
            FlowControl::None
        };
        PortSettings::default()
            .baud(self.baud)
            .flow_control(flow_control)
    }

    /// The driver's settings, checked as far as that goes without a module.
    /// `port` is the serial port, if it is one: by it the module's own name of the port is found.
    pub(crate) fn checked(self, port: Option<&str>) -> Result<Settings, Fault> {
        let mut settings = Settings::from_connection_string(&self.connection_string)?;
        settings.proof = proof(settings.proof, self.certificate, self.private_key)?;
        settings.ca = self
            .ca
            .map(|pem| text(pem, ConfigError::CaNotPem))
            .transpose()?;
        settings.port = self.hub_port;
        settings.apn = self.apn;
        settings.apn_user = self.apn_user;
        settings.apn_password = Secret::new(self.apn_password);
        settings.apn_auth = choice("apn_auth", &self.apn_auth, &APN_AUTH)?;
        settings.sim_pin = self.sim_pin.map(Secret::new);
        settings.slots = Slots {
            pdp: self.pdp_context,
            ssl: self.ssl_context,
            mqtt: self.mqtt_client,
        };
        settings.keep_alive_s = whole("keep_alive_s", self.keep_alive_s)?;
        settings.session = if self.clean_session {
            Session::Clean
        } else {
            Session::Persistent
        };
        settings.receive = self.receive;
        settings.token_lifetime_s = whole("token_lifetime_s", self.token_lifetime_s)?;
        settings.ntp_server = self.ntp_server;
        settings.urc_port = choice("urc_port", &self.urc_port, &URC_PORTS)?
            .unwrap_or_else(|| port.map_or(UrcPort::Uart1, urc_port_of));
        settings.flow_control = if self.rts_cts {
            quectel_azure::FlowControl::RtsCts
        } else {
            quectel_azure::FlowControl::Keep
        };
        settings.profile = self.profile.as_deref().map(profile).transpose()?;
        settings.timeouts = self.timeouts.checked()?;
        check(&settings)?;
        Ok(settings)
    }
}

impl PyTimeouts {
    fn checked(&self) -> Result<Timeouts, Fault> {
        Ok(Timeouts {
            sync_s: whole("sync_s", self.sync_s)?,
            sim_s: whole("sim_s", self.sim_s)?,
            register_s: whole("register_s", self.register_s)?,
            open_s: whole("open_s", self.open_s)?,
            connect_s: whole("connect_s", self.connect_s)?,
            acknowledge_s: whole("acknowledge_s", self.acknowledge_s)?,
        })
    }
}

const APN_AUTH: [(&str, ApnAuth); 4] = [
    ("none", ApnAuth::None),
    ("pap", ApnAuth::Pap),
    ("chap", ApnAuth::Chap),
    ("pap-or-chap", ApnAuth::PapOrChap),
];

const URC_PORTS: [(&str, Option<UrcPort>); 6] = [
    ("auto", None),
    ("keep", Some(UrcPort::Keep)),
    ("uart1", Some(UrcPort::Uart1)),
    ("usbat", Some(UrcPort::UsbAt)),
    ("usbmodem", Some(UrcPort::UsbModem)),
    ("all", Some(UrcPort::All)),
];

/// The value that a name stands for.
pub(crate) fn choice<T: Copy>(
    setting: &str,
    name: &str,
    choices: &[(&str, T)],
) -> Result<T, Fault> {
    choices
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| *value)
        .ok_or_else(|| {
            let known: Vec<_> = choices.iter().map(|(known, _)| *known).collect();
            Fault::misuse(
                "invalid-value",
                format!(
                    "{setting} must be one of {}, not {name:?}",
                    known.join(", ")
                ),
            )
        })
}

fn profile(name: &str) -> Result<&'static Profile, Fault> {
    let known: Vec<_> = PROFILES
        .iter()
        .map(|profile| (profile.name, profile))
        .collect();
    choice("profile", name, &known)
}

/// Whole seconds; the module counts no others.
fn whole<T: TryFrom<u64>>(setting: &str, seconds: f64) -> Result<T, Fault> {
    let duration = duration(setting, seconds)?;
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    T::try_from(whole).map_err(|_| {
        Fault::misuse(
            "invalid-value",
            format!("{setting} is too long: {seconds} s"),
        )
    })
}

/// A span that is given in seconds.
pub(crate) fn duration(setting: &str, seconds: f64) -> Result<Duration, Fault> {
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        Fault::misuse(
            "invalid-value",
            format!("{setting} must be a number of seconds from 0, not {seconds}"),
        )
    })
}

fn text(pem: Vec<u8>, error: ConfigError) -> Result<String, Fault> {
    String::from_utf8(pem).map_err(|_| error.into())
}

fn proof(given: Proof, certificate: Option<Vec<u8>>, key: Option<Vec<u8>>) -> Result<Proof, Fault> {
    let misuse = |text: &str| Fault::misuse("credential", text);
    match (given, certificate, key) {
        (Proof::X509 { .. }, Some(certificate), Some(key)) => Ok(Proof::X509 {
            certificate: text(certificate, ConfigError::CertificateNotPem)?,
            key: Secret::new(text(key, ConfigError::KeyNotPem)?),
        }),
        (Proof::X509 { .. }, ..) => Err(misuse(
            "the connection string says x509=true: give certificate and private_key",
        )),
        (given, None, None) => Ok(given),
        _ => Err(misuse(
            "the connection string has a key or token already: take certificate and private_key away, or use one with x509=true",
        )),
    }
}

/// What the client itself has against the settings.
fn check(settings: &Settings) -> Result<(), Fault> {
    let (mut rx, mut tx, mut scratch) = (vec![0; 4096], vec![0; 16 * 1024], vec![0; 8 * 1024]);
    Client::new(
        settings.config(),
        Buffers {
            rx: &mut rx,
            tx: &mut tx,
            scratch: &mut scratch,
        },
    )?;
    Ok(())
}
