//! Shared access signatures, as `azure-auth` makes them.

use pyo3::prelude::*;
use quectel_serial::quectel_azure::azure_auth::{KEY_MAX, KeyError, SasRequest, SharedAccessKey};

use crate::fault::Fault;

/// A SAS token for a resource such as `contoso.azure-devices.net/devices/dev-1`, valid until `expires_at_s` (unix).
#[pyfunction]
#[pyo3(signature = (resource, key, expires_at_s, policy=None))]
pub(crate) fn sas_token(
    resource: &str,
    key: &str,
    expires_at_s: u64,
    policy: Option<&str>,
) -> Result<String, Fault> {
    let key = SharedAccessKey::from_base64(key)?;
    let request = SasRequest::for_resource(resource, expires_at_s);
    let request = match policy {
        Some(name) => request.policy(name),
        None => request.without_policy(),
    };
    let mut out = vec![0; request.token_max_len()];
    Ok(request.token(&key, &mut out)?.to_owned())
}

/// The key of one device of an enrollment group, in base64.
#[pyfunction]
pub(crate) fn derive_key(group_key: &str, registration_id: &str) -> Result<String, Fault> {
    let key = SharedAccessKey::from_base64(group_key)?.derive(registration_id);
    // Base64 has four letters for three bytes.
    let mut out = [0; KEY_MAX.div_ceil(3) * 4];
    Ok(key.expose_base64(&mut out)?.to_owned())
}

/// The HMAC-SHA256 of a text under a base64 key.
#[pyfunction]
pub(crate) fn sign(key: &str, text: &[u8]) -> Result<[u8; 32], Fault> {
    Ok(SharedAccessKey::from_base64(key)?.sign(text))
}

impl From<KeyError> for Fault {
    fn from(error: KeyError) -> Self {
        Self::misuse(error.name(), error.to_string())
    }
}
