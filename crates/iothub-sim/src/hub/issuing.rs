//! Device certificates from signing requests (preview): at registration, and renewed over the hub.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use mqtt311::{Packet, Publish};
use serde_json::{Value, json};

use super::Hub;
use crate::{
    csr::SigningRequest,
    identity::Identity,
    pki::IssuingAuthority,
    reason::Reason,
    time::{Now, Utc},
    topic::Feature,
    warning::Warning,
};

impl Hub {
    /// Issues a certificate and makes the hubs accept its authority; the chain as base64, leaf first.
    pub(super) fn issue(
        &mut self,
        now: Now,
        issuer: Option<Arc<IssuingAuthority>>,
        id: &str,
        csr: &str,
    ) -> Result<Value, String> {
        let issuer = issuer.ok_or("this service issues no certificates")?;
        let request = SigningRequest::parse(csr)?;
        if request.common_name != id {
            let common_name = request.common_name;
            return Err(format!(
                "its common name is `{common_name}`, it must be `{id}`"
            ));
        }
        let chain = issuer
            .issue(&request, now.unix_s)
            .map_err(|error| error.to_string())?;
        for hub in &mut self.hubs {
            hub.accept_authority(issuer.certificate_der());
        }
        Ok(chain
            .iter()
            .map(|der| Value::from(STANDARD.encode(der)))
            .collect())
    }

    /// Renews the certificate of a connected device.
    ///
    /// # Reference
    ///
    /// Azure documentation, IoT Hub certificate renewal (preview).
    pub(super) fn renew_certificate(
        &mut self,
        now: Now,
        identity: &Identity,
        rid: &str,
        topic: &str,
        body: &[u8],
    ) -> Result<(), Reason> {
        if !self.rules.certificate_renewal {
            return Err(Reason::Topic {
                topic: topic.to_owned(),
                hint: "certificate renewal is not switched on in this hub".to_owned(),
            });
        }
        let issuer = self
            .provisioning
            .iter()
            .find_map(|service| service.issuer.clone());
        let body: Option<Value> = serde_json::from_slice(body).ok();
        let text = |name: &str| body.as_ref()?.get(name)?.as_str().map(str::to_owned);
        // Requests are answered at once, so there is never one to be replaced.
        if let Some(replaced) = text("replace").filter(|replaced| replaced != "*") {
            let message = format!("no request `{replaced}` is open that could be replaced");
            self.refuse_renewal(now, identity, rid, 412, 412_001, message);
            return Ok(());
        }
        let issued = match (text("id"), text("csr")) {
            (Some(id), Some(csr)) if id == identity.client_id() => {
                self.issue(now, issuer, &id, &csr)
            }
            (Some(_), Some(_)) => Err("its id is not that of the connected device".to_owned()),
            _ => Err("the body is not a JSON object with id and csr".to_owned()),
        };
        match issued {
            Ok(certificates) => {
                self.answer_renewal(now, identity, rid, 202, &json!({}));
                let answer = json!({ "certificates": certificates });
                self.answer_renewal(now, identity, rid, 200, &answer);
            }
            Err(message) => self.refuse_renewal(now, identity, rid, 400, 400_040, message),
        }
        Ok(())
    }

    fn refuse_renewal(
        &mut self,
        now: Now,
        identity: &Identity,
        rid: &str,
        status: u16,
        code: u32,
        message: String,
    ) {
        let answer = json!({
            "errorCode": code,
            "trackingId": format!("{:032x}", now.monotonic_ms),
            "message": message,
            "timestampUtc": Utc(now.unix_s).to_string(),
        });
        let warning = Warning::SigningRequestRefused { status, message };
        self.warn(now, identity, warning);
        self.answer_renewal(now, identity, rid, status, &answer);
    }

    fn answer_renewal(
        &mut self,
        now: Now,
        identity: &Identity,
        rid: &str,
        status: u16,
        body: &Value,
    ) {
        let connection = self.attached.get(identity).copied();
        if let Some(connection) = connection
            && self.listens(identity, Feature::Credentials)
        {
            let publish = Publish {
                topic: format!("$iothub/credentials/res/{status}/?$rid={rid}"),
                payload: body.to_string().into_bytes(),
                ..Publish::default()
            };
            self.send(now, connection, &Packet::Publish(publish));
        }
    }
}
