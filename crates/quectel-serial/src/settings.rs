//! The client's settings with their own memory.

use core::fmt;

use quectel_azure::azure_auth::{ConnectionString, ConnectionStringError, roots};
use quectel_azure::{
    Apn, ApnAuth, Buffers, CaFile, Client, Config, ConfigError, Credential, Profile, Session,
    Slots, Timeouts, UrcPort,
};
use zeroize::Zeroizing;

/// A text that is never shown and is wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How the device proves its identity; see [`Credential`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {
    /// The device's symmetric key in base64; SAS tokens are made from it.
    SharedAccessKey(Secret),
    /// A SAS token made elsewhere.
    SasToken(Secret),
    /// A symmetric key held elsewhere; see [`crate::Driver::signer`].
    ExternalKey,
    /// A client certificate and its key.
    X509 {
        /// The certificate, PEM; intermediates may follow.
        certificate: String,
        /// Its private key, PEM.
        key: Secret,
    },
}

/// Everything that a connection needs to know; see [`Config`], of which this is the form with its own memory.
///
/// ```
/// use quectel_serial::Settings;
/// let settings = Settings::from_connection_string(
///     "HostName=contoso.azure-devices.net;DeviceId=dev-1;SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
/// )?;
/// assert_eq!((settings.hub.as_str(), settings.device_id.as_str()), ("contoso.azure-devices.net", "dev-1"));
/// assert!(!format!("{settings:?}").contains("AAECAw"));
/// # Ok::<(), quectel_azure::azure_auth::ConnectionStringError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Host name of the hub.
    pub hub: String,
    /// Device id.
    pub device_id: String,
    /// Module id, for a module identity.
    pub module_id: Option<String>,
    /// How the device proves its identity.
    pub proof: Proof,
    /// Host to connect to, if it is not the hub.
    pub gateway: Option<String>,
    /// TCP port, 8883 by default.
    pub port: u16,
    /// Access point of the mobile network; empty keeps what the module has stored.
    pub apn: String,
    /// User name at the access point, or empty.
    pub apn_user: String,
    /// Password at the access point, or empty.
    pub apn_password: Secret,
    /// How user name and password are sent.
    pub apn_auth: ApnAuth,
    /// PIN of the SIM, if it asks for one.
    pub sim_pin: Option<Secret>,
    /// Root certificate that the module trusts, PEM; `None` is DigiCert Global Root G2.
    pub ca: Option<String>,
    /// Name of the root certificate's file on the module; `None` derives one from the content.
    pub ca_name: Option<String>,
    /// Numbered resources of the module.
    pub slots: Slots,
    /// Keep alive in seconds, 1 to 1177.
    pub keep_alive_s: u16,
    /// What the hub keeps while the device is away.
    pub session: Session,
    /// Whether to subscribe to cloud-to-device messages.
    pub receive: bool,
    /// Life of a SAS token in seconds.
    pub token_lifetime_s: u32,
    /// Server that is asked for the time if nobody else knows it; empty asks nobody.
    pub ntp_server: String,
    /// Port on which the module is to send URCs.
    pub urc_port: UrcPort,
    /// Whether the module is told to use flow control (`AT+IFC=2,2`).
    pub flow_control: quectel_azure::FlowControl,
    /// The module's profile, if it must not be chosen from what the module says.
    pub profile: Option<&'static Profile>,
    /// Limits of the slow steps.
    pub timeouts: Timeouts,
}

impl Settings {
    /// A device of a hub, with everything else at its default.
    pub fn new(hub: impl Into<String>, device_id: impl Into<String>, proof: Proof) -> Self {
        let base = Config::new("", "", Credential::ExternalKey);
        Self {
            hub: hub.into(),
            device_id: device_id.into(),
            module_id: None,
            proof,
            gateway: None,
            port: base.port,
            apn: String::new(),
            apn_user: String::new(),
            apn_password: Secret::new(""),
            apn_auth: base.apn.auth,
            sim_pin: None,
            ca: None,
            ca_name: None,
            slots: base.slots,
            keep_alive_s: base.keep_alive_s,
            session: base.session,
            receive: base.receive,
            token_lifetime_s: base.token_lifetime_s,
            ntp_server: base.ntp_server.to_owned(),
            urc_port: base.urc_port,
            flow_control: base.flow_control,
            profile: None,
            timeouts: base.timeouts,
        }
    }

    /// The device that a connection string names. For one with `x509=true`, certificate and key are still empty;
    /// set [`Settings::proof`].
    ///
    /// # Errors
    /// [`ConnectionStringError`] names the field.
    pub fn from_connection_string(text: &str) -> Result<Self, ConnectionStringError> {
        let parsed = ConnectionString::parse(text)?;
        let proof = match (parsed.shared_access_key(), parsed.shared_access_signature()) {
            (Some(key), _) => Proof::SharedAccessKey(Secret::new(key)),
            (None, Some(token)) => Proof::SasToken(Secret::new(token)),
            (None, None) => Proof::X509 {
                certificate: String::new(),
                key: Secret::new(""),
            },
        };
        let mut settings = Self::new(parsed.host_name(), parsed.device_id(), proof);
        settings.module_id = parsed.module_id().map(str::to_owned);
        settings.gateway = parsed.gateway_host_name().map(str::to_owned);
        Ok(settings)
    }

    /// What can be checked without a module.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting and what it must be.
    pub fn check(&self) -> Result<(), ConfigError> {
        Client::new(self.config(), Storage::default().buffers()).map(drop)
    }

    /// The same, borrowed, as the client takes it.
    pub fn config(&self) -> Config<'_> {
        let credential = match &self.proof {
            Proof::SharedAccessKey(key) => Credential::SharedAccessKey(key.reveal()),
            Proof::SasToken(token) => Credential::SasToken(token.reveal()),
            Proof::ExternalKey => Credential::ExternalKey,
            Proof::X509 { certificate, key } => Credential::X509 {
                certificate: certificate.as_bytes(),
                key: key.reveal().as_bytes(),
            },
        };
        let mut config = Config::new(&self.hub, &self.device_id, credential);
        config.module_id = self.module_id.as_deref();
        config.gateway = self.gateway.as_deref();
        config.port = self.port;
        config.apn = Apn {
            name: &self.apn,
            user: &self.apn_user,
            password: self.apn_password.reveal(),
            auth: self.apn_auth,
        };
        config.sim_pin = self.sim_pin.as_ref().map(Secret::reveal);
        config.ca = CaFile {
            pem: self
                .ca
                .as_deref()
                .map_or(roots::DIGICERT_GLOBAL_ROOT_G2_PEM, str::as_bytes),
            name: self.ca_name.as_deref(),
            ..CaFile::default()
        };
        config.slots = self.slots;
        config.keep_alive_s = self.keep_alive_s;
        config.session = self.session;
        config.receive = self.receive;
        config.token_lifetime_s = self.token_lifetime_s;
        config.ntp_server = &self.ntp_server;
        config.urc_port = self.urc_port;
        config.flow_control = self.flow_control;
        config.profile = self.profile;
        config.timeouts = self.timeouts;
        config
    }
}

/// The memory that a client works in, sized for a computer: messages of the hub may have 64 KiB.
#[derive(Debug)]
pub struct Storage {
    rx: Box<[u8]>,
    tx: Box<[u8]>,
    scratch: Box<[u8]>,
}

impl Default for Storage {
    fn default() -> Self {
        let zeroed = |len| vec![0; len].into_boxed_slice();
        Self {
            rx: zeroed(72 * 1024),
            tx: zeroed(16 * 1024),
            scratch: zeroed(8 * 1024),
        }
    }
}

impl Storage {
    pub(crate) fn buffers(&mut self) -> Buffers<'_> {
        Buffers {
            rx: &mut self.rx,
            tx: &mut self.tx,
            scratch: &mut self.scratch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn a_connection_string_becomes_settings_and_config() {
        let text = format!(
            "HostName=h.example;DeviceId=d;ModuleId=m;GatewayHostName=edge.local;SharedAccessKey={KEY}"
        );
        let settings = Settings::from_connection_string(&text).unwrap();
        let config = settings.config();
        assert_eq!(
            (config.hub, config.device_id, config.module_id),
            ("h.example", "d", Some("m"))
        );
        assert_eq!((config.gateway, config.port), (Some("edge.local"), 8883));
        assert!(matches!(
            config.credential,
            Credential::SharedAccessKey(KEY)
        ));
        let x509 =
            Settings::from_connection_string("HostName=h.example;DeviceId=d;x509=true").unwrap();
        assert!(matches!(x509.proof, Proof::X509 { .. }));
    }

    #[test]
    fn defaults_are_those_of_the_client() {
        let expected = Config::new("h", "d", Credential::ExternalKey);
        let settings = Settings::new("h", "d", Proof::ExternalKey);
        assert_eq!(format!("{:?}", settings.config()), format!("{expected:?}"));
    }

    #[test]
    fn wrong_settings_are_found_without_a_module() {
        let text = format!("HostName=h.example;DeviceId=d;SharedAccessKey={KEY}");
        let mut settings = Settings::from_connection_string(&text).unwrap();
        assert_eq!(settings.check(), Ok(()));
        settings.keep_alive_s = 0;
        assert_eq!(settings.check(), Err(ConfigError::KeepAlive));
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut settings = Settings::new(
            "h",
            "d",
            Proof::X509 {
                certificate: "C".into(),
                key: Secret::new("hidden-1"),
            },
        );
        settings.sim_pin = Some(Secret::new("hidden-2"));
        settings.apn_password = Secret::new("hidden-3");
        assert!(!format!("{settings:?}").contains("hidden"));
    }
}
