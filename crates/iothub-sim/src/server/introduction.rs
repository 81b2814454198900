//! What a person needs to know about a hub that has just been started.

use core::fmt::Write;
use std::path::Path;

use super::LocalHub;
use crate::config::{Attestation, GroupAttestation, ProvisioningService};

impl LocalHub {
    /// How to connect: address, root certificate, connection strings, provisioning, service side.
    ///
    /// Contains the keys of all devices. `root_certificate` is the file that holds
    /// [`ca_pem`](Self::ca_pem).
    #[must_use]
    pub fn introduction(&self, root_certificate: &Path) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = self.write_introduction(root_certificate, &mut text);
        text
    }

    fn write_introduction(&self, root_certificate: &Path, out: &mut String) -> core::fmt::Result {
        let addr = self.addr();
        writeln!(out, "MQTT over TLS on {addr}")?;
        writeln!(
            out,
            "Root certificate that devices must trust: {}",
            root_certificate.display()
        )?;
        let identities = self.with_hub(|hub, _| hub.identities().collect::<Vec<_>>());
        let mut hub = String::new();
        for info in identities {
            if info.identity.hub != hub {
                hub.clone_from(&info.identity.hub);
                writeln!(out, "\nHub {hub}")?;
            }
            let disabled = if info.enabled { "" } else { " (disabled)" };
            let (id, string) = (info.identity.client_id(), info.connection_string());
            writeln!(out, "  {id}{disabled}: {string}")?;
        }
        for hub in &self.config().hubs {
            writeln!(out, "\nShared access policies of {}", hub.host)?;
            for policy in &hub.policies {
                let (host, name) = (&hub.host, &policy.name);
                let key = policy.primary_key.to_base64();
                writeln!(
                    out,
                    "  HostName={host};SharedAccessKeyName={name};SharedAccessKey={key}"
                )?;
            }
        }
        for service in &self.config().provisioning {
            write_provisioning(service, out)?;
        }
        let host = self
            .config()
            .hubs
            .first()
            .map_or("", |hub| hub.host.as_str());
        writeln!(
            out,
            "\nConnect to {addr} with {host} as server name (SNI): let {host} lead to {}, or append\n;GatewayHostName=localhost to the connection string where the client knows it.",
            addr.ip()
        )?;
        if let Some((addr, key)) = self.service() {
            writeln!(
                out,
                "\nService side and page: http://{addr}/#{}",
                crate::percent::encode(&key.to_base64())
            )?;
        }
        Ok(())
    }
}

fn write_provisioning(service: &ProvisioningService, out: &mut String) -> core::fmt::Result {
    writeln!(
        out,
        "\nProvisioning service with id scope {}",
        service.id_scope
    )?;
    for enrollment in &service.enrollments {
        let id = &enrollment.registration_id;
        match &enrollment.attestation {
            Attestation::SymmetricKeys { primary, .. } => {
                writeln!(out, "  registration {id}: key {}", primary.to_base64())?;
            }
            Attestation::Certificate { primary, .. } => {
                writeln!(out, "  registration {id}: certificate {primary}")?;
            }
        }
    }
    for group in &service.groups {
        match &group.attestation {
            GroupAttestation::SymmetricKeys { primary, .. } => {
                let key = primary.to_base64();
                writeln!(
                    out,
                    "  group {}: key {key} (derive each device's from it)",
                    group.name
                )?;
            }
            GroupAttestation::Authority(_) => {
                writeln!(
                    out,
                    "  group {}: certificates below its authority",
                    group.name
                )?;
            }
        }
    }
    Ok(())
}
