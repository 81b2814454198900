//! Settings.

use quectel_azure::azure_auth::ConnectionString;
use quectel_azure::{Apn, ApnAuth, CaFile, Config, Credential, Session, Slots, UrcPort};

use crate::guard::guarded;
use crate::pointers::{bytes, object_mut, optional_text, text};
use crate::{
    QUECTEL_AZURE_ERROR_ABI_MISMATCH, QUECTEL_AZURE_ERROR_INVALID_VALUE,
    QUECTEL_AZURE_ERROR_NULL_POINTER, QUECTEL_AZURE_OK, quectel_azure_bytes, quectel_azure_result,
};

/// `credential` is the device's symmetric key in base64; SAS tokens are made from it.
pub const QUECTEL_AZURE_CREDENTIAL_SHARED_ACCESS_KEY: u8 = 0;
/// `credential` is a SAS token made elsewhere, beginning with `SharedAccessSignature sr=`.
pub const QUECTEL_AZURE_CREDENTIAL_SAS_TOKEN: u8 = 1;
/// The key is held elsewhere, such as in a secure element: `QUECTEL_AZURE_EVENT_SIGNATURE_NEEDED` asks for signatures.
pub const QUECTEL_AZURE_CREDENTIAL_EXTERNAL_KEY: u8 = 2;
/// `certificate` and `private_key` are PEM text; both are uploaded to the module.
pub const QUECTEL_AZURE_CREDENTIAL_X509: u8 = 3;

/// The access point asks for no user name.
pub const QUECTEL_AZURE_APN_AUTH_NONE: u8 = 0;
/// User name and password are sent with PAP.
pub const QUECTEL_AZURE_APN_AUTH_PAP: u8 = 1;
/// User name and password are sent with CHAP.
pub const QUECTEL_AZURE_APN_AUTH_CHAP: u8 = 2;
/// User name and password are sent with PAP or CHAP.
pub const QUECTEL_AZURE_APN_AUTH_PAP_OR_CHAP: u8 = 3;

/// Leave the module's setting of the URC port as it is.
pub const QUECTEL_AZURE_URC_PORT_KEEP: u8 = 0;
/// URCs come on the main UART.
pub const QUECTEL_AZURE_URC_PORT_UART1: u8 = 1;
/// URCs come on the AT port on USB.
pub const QUECTEL_AZURE_URC_PORT_USB_AT: u8 = 2;
/// URCs come on the modem port on USB.
pub const QUECTEL_AZURE_URC_PORT_USB_MODEM: u8 = 3;
/// URCs come on all ports; not on BG9x.
pub const QUECTEL_AZURE_URC_PORT_ALL: u8 = 4;

/// Settings. Fill them with `quectel_azure_config_init`, then set hub, device id and credential, or all three with
/// `quectel_azure_config_set_connection_string`. All that the settings point to must live as long as the client.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct quectel_azure_config {
    /// Host name of the hub, such as `contoso.azure-devices.net`. Required.
    pub hub: quectel_azure_bytes,
    /// Device id. Required.
    pub device_id: quectel_azure_bytes,
    /// Module id for a module identity, or empty.
    pub module_id: quectel_azure_bytes,
    /// Key or token, see `credential_kind`.
    pub credential: quectel_azure_bytes,
    /// Client certificate, PEM; intermediates may follow. Only for X.509.
    pub certificate: quectel_azure_bytes,
    /// Its private key, PEM. Only for X.509.
    pub private_key: quectel_azure_bytes,
    /// Host to connect to if it is not the hub (`GatewayHostName`), or empty.
    pub gateway: quectel_azure_bytes,
    /// Access point name; empty keeps what the module has stored.
    pub apn: quectel_azure_bytes,
    /// User name at the access point, or empty.
    pub apn_user: quectel_azure_bytes,
    /// Password at the access point, or empty.
    pub apn_password: quectel_azure_bytes,
    /// PIN of the SIM, or empty.
    pub sim_pin: quectel_azure_bytes,
    /// Root certificate that the module trusts, PEM; empty is DigiCert Global Root G2.
    pub ca_pem: quectel_azure_bytes,
    /// Server that is asked for the time if nobody else knows it; empty asks nobody.
    pub ntp_server: quectel_azure_bytes,
    /// Life of a SAS token in seconds, 86,400 by default.
    pub token_lifetime_s: u32,
    /// TCP port, 8883 by default.
    pub port: u16,
    /// Keep alive in seconds, 1 to 1177, 240 by default.
    pub keep_alive_s: u16,
    /// One of `QUECTEL_AZURE_CREDENTIAL_*`.
    pub credential_kind: u8,
    /// One of `QUECTEL_AZURE_APN_AUTH_*`.
    pub apn_auth: u8,
    /// One of `QUECTEL_AZURE_URC_PORT_*`: the port that the client drives, or nothing asynchronous ever arrives.
    pub urc_port: u8,
    /// PDP context, 1 to 16 (EC200 class: 1 to 15).
    pub pdp_context: u8,
    /// SSL context, 0 to 5.
    pub ssl_context: u8,
    /// MQTT client, 0 to 5.
    pub mqtt_client: u8,
    /// 1: the hub forgets subscriptions and waiting messages while the device is away (CleanSession). 0: it keeps them.
    pub clean_session: u8,
    /// 1: subscribe to cloud-to-device messages. 0: do not.
    pub receive: u8,
}

fn defaults() -> quectel_azure_config {
    const NONE: quectel_azure_bytes = quectel_azure_bytes::NONE;
    let config = Config::new("", "", Credential::ExternalKey);
    quectel_azure_config {
        hub: NONE,
        device_id: NONE,
        module_id: NONE,
        credential: NONE,
        certificate: NONE,
        private_key: NONE,
        gateway: NONE,
        apn: NONE,
        apn_user: NONE,
        apn_password: NONE,
        sim_pin: NONE,
        ca_pem: NONE,
        ntp_server: config.ntp_server.into(),
        token_lifetime_s: config.token_lifetime_s,
        port: config.port,
        keep_alive_s: config.keep_alive_s,
        credential_kind: QUECTEL_AZURE_CREDENTIAL_SHARED_ACCESS_KEY,
        apn_auth: QUECTEL_AZURE_APN_AUTH_NONE,
        urc_port: QUECTEL_AZURE_URC_PORT_UART1,
        pdp_context: config.slots.pdp,
        ssl_context: config.slots.ssl,
        mqtt_client: config.slots.mqtt,
        clean_session: 0,
        receive: 1,
    }
}

/// Fills settings with their defaults; hub, device id and credential remain to be set.
///
/// `size` is `sizeof *config`.
///
/// # Safety
/// `config` points to writable settings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_config_init(
    config: *mut quectel_azure_config,
    size: usize,
) -> quectel_azure_result {
    guarded(|| {
        if size != size_of::<quectel_azure_config>() {
            return QUECTEL_AZURE_ERROR_ABI_MISMATCH;
        }
        if config.is_null() {
            return QUECTEL_AZURE_ERROR_NULL_POINTER;
        }
        // SAFETY: not NULL, and the caller promises that it is writable.
        unsafe { config.write(defaults()) };
        QUECTEL_AZURE_OK
    })
}

/// Sets hub, device id, module id, gateway and credential from the connection string that the portal shows for a
/// device. With `x509=true` in it, certificate and key remain to be set.
///
/// The settings point into `text`, which must live as long as the client.
///
/// # Safety
/// `config` points to initialised settings, `text` to readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_config_set_connection_string(
    config: *mut quectel_azure_config,
    connection_string: quectel_azure_bytes,
) -> quectel_azure_result {
    let set = || {
        // SAFETY: the caller's promise.
        let (config, given) = unsafe { (object_mut(config)?, text(connection_string)?) };
        let given = ConnectionString::parse(given)?;
        let (kind, credential) = match (given.shared_access_key(), given.shared_access_signature())
        {
            (Some(key), _) => (QUECTEL_AZURE_CREDENTIAL_SHARED_ACCESS_KEY, key),
            (None, Some(token)) => (QUECTEL_AZURE_CREDENTIAL_SAS_TOKEN, token),
            (None, None) => (QUECTEL_AZURE_CREDENTIAL_X509, ""),
        };
        let optional = |text: Option<&str>| text.map_or(quectel_azure_bytes::NONE, Into::into);
        config.hub = given.host_name().into();
        config.device_id = given.device_id().into();
        config.module_id = optional(given.module_id());
        config.gateway = optional(given.gateway_host_name());
        config.credential_kind = kind;
        config.credential = credential.into();
        Ok(())
    };
    guarded(|| set().err().unwrap_or(QUECTEL_AZURE_OK))
}

impl quectel_azure_config {
    /// The settings as the client takes them.
    ///
    /// # Safety
    /// All that they point to is readable and lives for `'a`.
    pub(crate) unsafe fn read<'a>(&self) -> Result<Config<'a>, quectel_azure_result> {
        // SAFETY: the caller's promise, here and below.
        let (hub, device_id) = unsafe { (text(self.hub)?, text(self.device_id)?) };
        // SAFETY: as above.
        let mut config = Config::new(hub, device_id, unsafe { self.read_credential() }?);
        // SAFETY: as above.
        unsafe {
            config.module_id = optional_text(self.module_id)?;
            config.gateway = optional_text(self.gateway)?;
            config.sim_pin = optional_text(self.sim_pin)?;
            config.ntp_server = text(self.ntp_server)?;
            config.apn = self.read_apn()?;
            if self.ca_pem.len > 0 {
                config.ca = CaFile {
                    pem: bytes(self.ca_pem)?,
                    ..CaFile::default()
                };
            }
        }
        config.urc_port = match self.urc_port {
            QUECTEL_AZURE_URC_PORT_KEEP => UrcPort::Keep,
            QUECTEL_AZURE_URC_PORT_UART1 => UrcPort::Uart1,
            QUECTEL_AZURE_URC_PORT_USB_AT => UrcPort::UsbAt,
            QUECTEL_AZURE_URC_PORT_USB_MODEM => UrcPort::UsbModem,
            QUECTEL_AZURE_URC_PORT_ALL => UrcPort::All,
            _ => return Err(QUECTEL_AZURE_ERROR_INVALID_VALUE),
        };
        config.slots = Slots {
            pdp: self.pdp_context,
            ssl: self.ssl_context,
            mqtt: self.mqtt_client,
        };
        config.port = self.port;
        config.keep_alive_s = self.keep_alive_s;
        config.token_lifetime_s = self.token_lifetime_s;
        config.session = match self.clean_session {
            0 => Session::Persistent,
            1 => Session::Clean,
            _ => return Err(QUECTEL_AZURE_ERROR_INVALID_VALUE),
        };
        config.receive = match self.receive {
            0 => false,
            1 => true,
            _ => return Err(QUECTEL_AZURE_ERROR_INVALID_VALUE),
        };
        Ok(config)
    }

    /// # Safety
    /// As [`Self::read`].
    unsafe fn read_credential<'a>(&self) -> Result<Credential<'a>, quectel_azure_result> {
        // SAFETY: the caller's promise.
        unsafe {
            Ok(match self.credential_kind {
                QUECTEL_AZURE_CREDENTIAL_SHARED_ACCESS_KEY => {
                    Credential::SharedAccessKey(text(self.credential)?)
                }
                QUECTEL_AZURE_CREDENTIAL_SAS_TOKEN => Credential::SasToken(text(self.credential)?),
                QUECTEL_AZURE_CREDENTIAL_EXTERNAL_KEY => Credential::ExternalKey,
                QUECTEL_AZURE_CREDENTIAL_X509 => Credential::X509 {
                    certificate: bytes(self.certificate)?,
                    key: bytes(self.private_key)?,
                },
                _ => return Err(QUECTEL_AZURE_ERROR_INVALID_VALUE),
            })
        }
    }

    /// # Safety
    /// As [`Self::read`].
    unsafe fn read_apn<'a>(&self) -> Result<Apn<'a>, quectel_azure_result> {
        let auth = match self.apn_auth {
            QUECTEL_AZURE_APN_AUTH_NONE => ApnAuth::None,
            QUECTEL_AZURE_APN_AUTH_PAP => ApnAuth::Pap,
            QUECTEL_AZURE_APN_AUTH_CHAP => ApnAuth::Chap,
            QUECTEL_AZURE_APN_AUTH_PAP_OR_CHAP => ApnAuth::PapOrChap,
            _ => return Err(QUECTEL_AZURE_ERROR_INVALID_VALUE),
        };
        // SAFETY: the caller's promise.
        unsafe {
            Ok(Apn {
                name: text(self.apn)?,
                user: text(self.apn_user)?,
                password: text(self.apn_password)?,
                auth,
            })
        }
    }
}
