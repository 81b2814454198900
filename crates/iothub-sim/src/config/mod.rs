//! What the simulated cloud knows before the first device connects.

mod error;
mod file;
mod provisioning;
mod rules;

use std::collections::BTreeSet;

pub use self::{
    error::ConfigError,
    file::{ConfigFile, ConfigFileError},
    provisioning::{
        Attestation, Enrollment, EnrollmentGroup, EnrollmentSettings, GroupAttestation,
        ProvisioningService, RegistrationFailure, Reprovisioning,
    },
    rules::{Rules, Throttle},
};

use crate::{
    hub::connection_string,
    identity::{Identity, check_id},
    key::SharedAccessKey,
    thumbprint::Thumbprint,
};

/// The hubs, their devices and the rules they are judged by.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Config {
    /// IoT Hubs; several may share one address, told apart by SNI and user name.
    pub hubs: Vec<IotHub>,
    /// Instances of the Device Provisioning Service, told apart by their id scope.
    pub provisioning: Vec<ProvisioningService>,
    /// Rules where the real service is undocumented, or tests need something else.
    pub rules: Rules,
}

impl Config {
    /// A cloud of these hubs with the default rules.
    #[must_use]
    pub fn new(hubs: impl IntoIterator<Item = IotHub>) -> Self {
        Self {
            hubs: hubs.into_iter().collect(),
            provisioning: Vec::new(),
            rules: Rules::default(),
        }
    }

    /// One hub with one device.
    #[must_use]
    pub fn single_device(hub_host: &str, device: Device) -> Self {
        Self::new([IotHub::new(hub_host).with_device(device)])
    }

    /// Adds an instance of the Device Provisioning Service.
    #[must_use]
    pub fn with_provisioning(mut self, service: ProvisioningService) -> Self {
        self.provisioning.push(service);
        self
    }

    /// The identity of a device of the first hub that has it.
    #[must_use]
    pub fn identity(&self, device_id: &str) -> Option<Identity> {
        self.hubs
            .iter()
            .find(|hub| hub.devices.iter().any(|device| device.id == device_id))
            .map(|hub| Identity::device(&hub.host, device_id))
    }

    /// The connection string of a device of the first hub that has it.
    ///
    /// `None` when there is no such device.
    ///
    /// # Reference
    ///
    /// Azure IoT Hub documentation, device connection strings.
    #[must_use]
    pub fn connection_string(&self, device_id: &str) -> Option<String> {
        self.hubs
            .iter()
            .find_map(|hub| hub.connection_string(device_id))
    }

    /// Checks what the types cannot: names, duplicates.
    ///
    /// # Errors
    ///
    /// The first fault found, with the value that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.hubs.is_empty() {
            return Err(ConfigError::NoHub);
        }
        let mut hosts = BTreeSet::new();
        for hub in &self.hubs {
            for host in hub.host_names() {
                check_host(host)?;
                if !hosts.insert(host.to_ascii_lowercase()) {
                    return Err(ConfigError::DuplicateHost(host.to_owned()));
                }
            }
            hub.check()?;
        }
        let mut scopes = BTreeSet::new();
        for service in &self.provisioning {
            if !scopes.insert(&service.id_scope) {
                return Err(ConfigError::DuplicateScope(service.id_scope.clone()));
            }
            service.check(&hosts)?;
        }
        Ok(())
    }
}

/// One IoT Hub.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct IotHub {
    /// Full host name such as `contoso.azure-devices.net`; case does not matter.
    pub host: String,
    /// Further names it answers to, such as `contoso.device.azure-devices.net`.
    pub other_hosts: Vec<String>,
    /// Shared access policies.
    pub policies: Vec<Policy>,
    /// Certificates of authorities that may sign device certificates, as DER.
    pub authorities: Vec<Vec<u8>>,
    /// Device identities.
    pub devices: Vec<Device>,
}

impl IotHub {
    /// A hub without devices, with the five policies a new hub has and random keys for them.
    #[must_use]
    pub fn new(host: &str) -> Self {
        use Permission::{DeviceConnect, RegistryRead, RegistryWrite, ServiceConnect};
        let policy = |name, permissions: &[Permission]| Policy {
            name: String::from(name),
            primary_key: SharedAccessKey::generate(),
            secondary_key: SharedAccessKey::generate(),
            permissions: permissions.to_vec(),
        };
        Self {
            host: host.to_owned(),
            other_hosts: Vec::new(),
            policies: vec![
                policy(
                    "iothubowner",
                    &[RegistryRead, RegistryWrite, ServiceConnect, DeviceConnect],
                ),
                policy("service", &[ServiceConnect]),
                policy("device", &[DeviceConnect]),
                policy("registryRead", &[RegistryRead]),
                policy("registryReadWrite", &[RegistryRead, RegistryWrite]),
            ],
            authorities: Vec::new(),
            devices: Vec::new(),
        }
    }

    /// Adds a device.
    #[must_use]
    pub fn with_device(mut self, device: Device) -> Self {
        self.devices.push(device);
        self
    }

    /// Adds the certificate (DER) of an authority that may sign device certificates.
    #[must_use]
    pub fn with_authority(mut self, certificate: Vec<u8>) -> Self {
        self.authorities.push(certificate);
        self
    }

    /// Every host name of the hub, the principal one first.
    pub fn host_names(&self) -> impl Iterator<Item = &str> {
        core::iter::once(&self.host)
            .chain(&self.other_hosts)
            .map(String::as_str)
    }

    /// The connection string of one of its devices.
    ///
    /// `None` when there is no such device.
    ///
    /// # Reference
    ///
    /// Azure IoT Hub documentation, device connection strings.
    #[must_use]
    pub fn connection_string(&self, device_id: &str) -> Option<String> {
        let device = self.devices.iter().find(|device| device.id == device_id)?;
        let identity = Identity::device(&self.host, device_id);
        Some(connection_string(&identity, &device.credentials))
    }

    fn check(&self) -> Result<(), ConfigError> {
        let mut devices = BTreeSet::new();
        for device in &self.devices {
            check_named_id(&device.id)?;
            if !devices.insert(&device.id) {
                return Err(ConfigError::DuplicateDevice(device.id.clone()));
            }
            let mut modules = BTreeSet::new();
            for module in &device.modules {
                check_named_id(&module.id)?;
                if !modules.insert(&module.id) {
                    let name = format!("{}/{}", device.id, module.id);
                    return Err(ConfigError::DuplicateDevice(name));
                }
            }
        }
        let mut policies = BTreeSet::new();
        for policy in &self.policies {
            if !policies.insert(&policy.name) {
                return Err(ConfigError::DuplicatePolicy(policy.name.clone()));
            }
        }
        Ok(())
    }
}

/// A device identity.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Device {
    /// Device id: 1 to 128 ASCII characters, case matters.
    pub id: String,
    /// How the device proves that it is this one.
    pub credentials: Credentials,
    /// A disabled device is refused.
    pub enabled: bool,
    /// Module identities of the device.
    pub modules: Vec<Module>,
}

impl Device {
    /// An enabled device with these credentials.
    #[must_use]
    pub fn new(id: &str, credentials: Credentials) -> Self {
        Self {
            id: id.to_owned(),
            credentials,
            enabled: true,
            modules: Vec::new(),
        }
    }

    /// A device with two random keys.
    #[must_use]
    pub fn with_generated_keys(id: &str) -> Self {
        Self::new(id, Credentials::generated_keys())
    }

    /// A device with this primary key and a random secondary one.
    #[must_use]
    pub fn with_key(id: &str, primary: SharedAccessKey) -> Self {
        let credentials = Credentials::SharedAccessKeys {
            primary,
            secondary: SharedAccessKey::generate(),
        };
        Self::new(id, credentials)
    }

    /// A device with a self-signed certificate of this thumbprint.
    #[must_use]
    pub fn with_thumbprint(id: &str, primary: Thumbprint) -> Self {
        let credentials = Credentials::SelfSigned {
            primary,
            secondary: None,
        };
        Self::new(id, credentials)
    }

    /// Adds a module.
    #[must_use]
    pub fn with_module(mut self, module: Module) -> Self {
        self.modules.push(module);
        self
    }
}

/// A module identity below a device.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Module {
    /// Module id: 1 to 128 ASCII characters, case matters.
    pub id: String,
    /// How the module proves that it is this one.
    pub credentials: Credentials,
}

impl Module {
    /// A module with these credentials.
    #[must_use]
    pub fn new(id: &str, credentials: Credentials) -> Self {
        Self {
            id: id.to_owned(),
            credentials,
        }
    }
}

/// How an identity proves itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Credentials {
    /// A SAS token signed with either key.
    SharedAccessKeys {
        /// Valid at any time.
        primary: SharedAccessKey,
        /// Valid at any time, too.
        secondary: SharedAccessKey,
    },
    /// A client certificate with either thumbprint; nobody needs to have signed it.
    SelfSigned {
        /// Valid at any time.
        primary: Thumbprint,
        /// Valid at any time, too.
        secondary: Option<Thumbprint>,
    },
    /// A client certificate that one of the hub's authorities signed, with the id as common name.
    CertificateAuthority,
}

impl Credentials {
    /// Two random keys.
    #[must_use]
    pub fn generated_keys() -> Self {
        Self::SharedAccessKeys {
            primary: SharedAccessKey::generate(),
            secondary: SharedAccessKey::generate(),
        }
    }
}

/// A shared access policy of a hub.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Policy {
    /// Name, as in `skn`.
    pub name: String,
    /// Valid at any time.
    pub primary_key: SharedAccessKey,
    /// Valid at any time, too.
    pub secondary_key: SharedAccessKey,
    /// What its tokens permit.
    pub permissions: Vec<Permission>,
}

impl Policy {
    /// A policy with random keys.
    #[must_use]
    pub fn new(name: &str, permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self {
            name: name.to_owned(),
            primary_key: SharedAccessKey::generate(),
            secondary_key: SharedAccessKey::generate(),
            permissions: permissions.into_iter().collect(),
        }
    }
}

/// What a shared access policy permits.
///
/// # Reference
///
/// Azure IoT Hub documentation, "Control access to IoT Hub with shared access signatures".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Permission {
    /// Read the identity registry.
    RegistryRead,
    /// Change the identity registry.
    RegistryWrite,
    /// Act as back end: send to devices, call methods, read telemetry.
    ServiceConnect,
    /// Act as device.
    DeviceConnect,
}

fn check_named_id(id: &str) -> Result<(), ConfigError> {
    check_id(id).map_err(|error| ConfigError::Id {
        id: id.to_owned(),
        error,
    })
}

fn check_host(host: &str) -> Result<(), ConfigError> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if host.len() <= 253 && host.split('.').all(label) {
        Ok(())
    } else {
        Err(ConfigError::Host(host.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "contoso.azure-devices.net";

    #[test]
    fn faults() {
        let device = || Device::with_generated_keys("dev1");
        let hub = || IotHub::new(HOST);
        let mut two_policies = hub();
        two_policies.policies.push(Policy::new("device", []));
        let mut same_other = hub();
        same_other
            .other_hosts
            .push("CONTOSO.azure-devices.net".to_owned());
        let rows = [
            (
                Config::default(),
                "no hub is configured; name at least one host such as `contoso.azure-devices.net`",
            ),
            (
                Config::new([IotHub::new("a b")]),
                "`a b` is not a host name",
            ),
            (
                Config::new([hub(), hub()]),
                "host name `contoso.azure-devices.net` is configured twice",
            ),
            (
                Config::new([same_other]),
                "host name `CONTOSO.azure-devices.net` is configured twice",
            ),
            (
                Config::new([two_policies]),
                "shared access policy `device` is configured twice",
            ),
            (
                Config::new([hub().with_device(device()).with_device(device())]),
                "device or module `dev1` is configured twice",
            ),
            (
                Config::single_device(HOST, Device::with_generated_keys("")),
                "``: id must have 1 to 128 characters",
            ),
        ];
        for (config, text) in rows {
            assert_eq!(config.check().unwrap_err().to_string(), text);
        }
        assert_eq!(Config::single_device(HOST, device()).check(), Ok(()));
    }
}
