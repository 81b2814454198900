//! Requests to answers: authorization, paths, bodies.

use http_body_util::{BodyExt, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, HOST, IF_MATCH},
};
use serde_json::{Value, json};

use super::{
    Service,
    answer::{Body, Failure, empty, full, json_response, ok, response, with_header},
    bulk, documents,
    registry::{self, TwinChange},
};
use crate::{
    config::Permission,
    identity::Identity,
    method::{MethodCall, MethodOutcome},
    percent,
};

const MAX_BODY: usize = 256 * 1024;
const PAGE: &str = include_str!("page.html");

/// A request that has been read and authorized.
pub(super) struct Call<'a> {
    pub(super) service: &'a Service,
    pub(super) method: Method,
    /// Path segments, decoded.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Host of the hub that is meant.
    pub(super) hub: String,
    pub(super) permissions: Vec<Permission>,
}

pub(super) type Outcome = Result<Response<Body>, Failure>;

pub(super) async fn respond(service: &Service, request: Request<Incoming>) -> Response<Body> {
    let answered = match read(service, request).await {
        Ok(Some(call)) => call.answer().await,
        Ok(None) => Ok(page()),
        Err(failure) => Err(failure),
    };
    // Also a refused request may show what another one has just changed.
    service.shared.saved().await;
    answered.unwrap_or_else(Failure::into_response)
}

/// The page itself holds nothing secret; what it shows needs the key.
fn page() -> Response<Body> {
    let page = response(StatusCode::OK, "text/html; charset=utf-8", full(PAGE));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    with_header(page, "content-security-policy", policy)
}

/// `None` for the page.
async fn read(service: &Service, request: Request<Incoming>) -> Result<Option<Call<'_>>, Failure> {
    let (parts, body) = request.into_parts();
    let path: Vec<String> = parts
        .uri
        .path()
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(percent::decode_lossy)
        .collect();
    if path.is_empty() {
        return match parts.method {
            Method::GET | Method::HEAD => Ok(None),
            _ => Err(Failure::method_not_allowed()),
        };
    }
    let query = pairs(parts.uri.query().unwrap_or_default());
    let (hub, permissions) = authorize(service, &parts.headers, &query)?;
    let body = Limited::new(body, MAX_BODY)
        .collect()
        .await
        .map_err(|_| Failure::too_large())?
        .to_bytes();
    Ok(Some(Call {
        service,
        method: parts.method,
        path,
        query,
        headers: parts.headers,
        body,
        hub,
        permissions,
    }))
}

fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent::decode_lossy(name), percent::decode_lossy(value))
        })
        .collect()
}

/// Which hub is meant, and what the caller may do there.
fn authorize(
    service: &Service,
    headers: &HeaderMap,
    query: &[(String, String)],
) -> Result<(String, Vec<Permission>), Failure> {
    let authorization = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| {
            Failure::unauthorized("the Authorization header with a SAS token or the key is missing")
        })?;
    let Some(key) = authorization.strip_prefix("Bearer ") else {
        let judged = service
            .shared
            .with_hub(|hub, now| hub.authorize(now, authorization));
        return Ok(judged?);
    };
    if aws_lc_rs::constant_time::verify_slices_are_equal(key.as_bytes(), service.key.as_bytes())
        .is_err()
    {
        return Err(Failure::unauthorized("the key is not this hub's"));
    }
    let named = query
        .iter()
        .find(|(name, _)| name == "hub")
        .map(|(_, value)| value.to_ascii_lowercase());
    let dialed = headers
        .get(HOST)
        .and_then(|value| value.to_str().ok())
        .and_then(|host| host.split(':').next())
        .map(str::to_ascii_lowercase);
    let hub = service.shared.with_hub(|hub, _| {
        let known = |host: &String| hub.hosts().any(|known| known == host);
        named
            .filter(known)
            .or_else(|| dialed.filter(known))
            .or_else(|| hub.hosts().next().map(str::to_owned))
    });
    let permissions = vec![
        Permission::RegistryRead,
        Permission::RegistryWrite,
        Permission::ServiceConnect,
    ];
    Ok((hub.unwrap_or_default(), permissions))
}

impl Call<'_> {
    async fn answer(&self) -> Outcome {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        if let ["sim", rest @ ..] = path.as_slice() {
            return self.extension(rest);
        }
        if self.parameter("api-version").is_none() {
            return Err(Failure::bad_request(
                "the query parameter api-version is missing",
            ));
        }
        match path.as_slice() {
            ["devices", "query"] => self.query_twins(),
            ["devices"] => self.list(),
            ["devices", device] => self.identity(&self.device(device)),
            ["devices", device, "modules"] => self.modules(&self.device(device)),
            ["devices", device, "modules", module] => self.identity(&self.module(device, module)),
            ["devices", device, "commands"] => self.purge(&self.device(device)),
            ["twins", device] => self.twin(&self.device(device)),
            ["twins", device, "modules", module] => self.twin(&self.module(device, module)),
            ["twins", device, "methods"] => self.invoke(&self.device(device)).await,
            ["twins", device, "modules", module, "methods"] => {
                self.invoke(&self.module(device, module)).await
            }
            ["statistics", what] => self.statistics(what),
            ["messages", "serviceBound", "feedback"] => self.receive_feedback(),
            ["messages", "serviceBound", "feedback", token] => self.settle_feedback(token),
            ["messages", "serviceBound", "feedback", _, "abandon"] => Ok(empty()),
            _ => Err(Failure::no_such_path()),
        }
    }

    pub(super) fn device(&self, id: &str) -> Identity {
        Identity::device(&self.hub, id)
    }

    fn module(&self, device: &str, module: &str) -> Identity {
        Identity::module(&self.hub, device, module)
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn need(&self, permission: Permission) -> Result<(), Failure> {
        if self.permissions.contains(&permission) {
            return Ok(());
        }
        Err(Failure::unauthorized(format!(
            "the token's policy lacks the permission {permission:?}"
        )))
    }

    fn json(&self) -> Result<Value, Failure> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Failure::bad_request(format!("the body is not JSON: {error}")))
    }

    /// The `If-Match` header without quotes.
    fn if_match(&self) -> Option<&str> {
        let value = self.headers.get(IF_MATCH)?.to_str().ok()?;
        Some(value.trim_matches('"'))
    }

    fn list(&self) -> Outcome {
        self.need(Permission::RegistryRead)?;
        match self.method {
            Method::POST => {
                self.need(Permission::RegistryWrite)?;
                registry::check_numbers(&self.body)?;
                bulk::update(self.service, &self.hub, &self.json()?)
            }
            Method::GET => {
                let top = self.parameter("top").and_then(|top| top.parse().ok());
                Ok(ok(&registry::list(
                    self.service,
                    &self.hub,
                    top.unwrap_or(1000),
                )))
            }
            _ => Err(Failure::method_not_allowed()),
        }
    }

    fn modules(&self, device: &Identity) -> Outcome {
        self.need(Permission::RegistryRead)?;
        match self.method {
            Method::GET => registry::modules(self.service, device),
            _ => Err(Failure::method_not_allowed()),
        }
    }

    fn identity(&self, identity: &Identity) -> Outcome {
        match self.method {
            Method::GET => {
                self.need(Permission::RegistryRead)?;
                registry::show(self.service, identity)
            }
            Method::PUT => {
                self.need(Permission::RegistryWrite)?;
                registry::put(self.service, identity, &self.json()?, self.if_match())
            }
            Method::DELETE => {
                self.need(Permission::RegistryWrite)?;
                registry::delete(self.service, identity, self.if_match())
            }
            _ => Err(Failure::method_not_allowed()),
        }
    }

    fn purge(&self, device: &Identity) -> Outcome {
        self.need(Permission::ServiceConnect)?;
        if self.method != Method::DELETE {
            return Err(Failure::method_not_allowed());
        }
        let shared = &self.service.shared;
        let purged = shared.with_hub(|hub, now| hub.purge_messages(now, device))?;
        Ok(ok(&json!({
            "deviceId": device.device_id,
            "totalMessagesPurged": purged,
            "moduleId": null,
        })))
    }

    fn twin(&self, identity: &Identity) -> Outcome {
        let change = match self.method {
            Method::GET => {
                self.need(Permission::ServiceConnect)?;
                return registry::twin(self.service, identity);
            }
            Method::PATCH => TwinChange::Merge,
            Method::PUT => TwinChange::Replace,
            _ => return Err(Failure::method_not_allowed()),
        };
        self.need(Permission::ServiceConnect)?;
        let body = self.json()?;
        registry::check_twin(&body, &self.body)?;
        registry::change_twin(self.service, identity, &body, self.if_match(), change)
    }

    async fn invoke(&self, identity: &Identity) -> Outcome {
        self.need(Permission::ServiceConnect)?;
        if self.method != Method::POST {
            return Err(Failure::method_not_allowed());
        }
        let body = self.json()?;
        let name = body
            .get("methodName")
            .and_then(Value::as_str)
            .ok_or_else(|| Failure::bad_request("methodName is missing"))?;
        let seconds = |name: &str, default: u64| match body.get(name) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => value
                .as_u64()
                .ok_or_else(|| Failure::bad_request(format!("{name} is not a number of seconds"))),
        };
        let mut call = MethodCall::new(name);
        call.payload = match body.get("payload") {
            None | Some(Value::Null) => b"null".to_vec(),
            Some(payload) => payload.to_string().into_bytes(),
        };
        call.response_timeout_s = seconds("responseTimeoutInSeconds", call.response_timeout_s)?;
        call.connect_timeout_s = seconds("connectTimeoutInSeconds", call.connect_timeout_s)?;
        let outcome = self.service.shared.call(identity, call)?;
        match outcome.await {
            Ok(MethodOutcome::Response { status, payload }) => {
                let payload = serde_json::from_slice(&payload).unwrap_or(Value::Null);
                Ok(ok(&json!({ "status": status, "payload": payload })))
            }
            Ok(MethodOutcome::NeverOnline) => {
                let text = format!("`{}` did not connect in time", identity.client_id());
                Err(Failure::not_online(text))
            }
            // The hub stops, and with it every call.
            Ok(MethodOutcome::TimedOut) | Err(_) => Err(Failure::timed_out()),
        }
    }

    fn query_twins(&self) -> Outcome {
        self.need(Permission::ServiceConnect)?;
        if self.method != Method::POST {
            return Err(Failure::method_not_allowed());
        }
        let header = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok());
        let most = header("x-ms-max-item-count").and_then(|count| count.parse().ok());
        let from = header("x-ms-continuation").and_then(|token| token.parse().ok());
        registry::query(
            self.service,
            &self.hub,
            &self.json()?,
            from.unwrap_or(0),
            most.unwrap_or(1000),
        )
    }

    fn statistics(&self, what: &str) -> Outcome {
        self.need(Permission::RegistryRead)?;
        match (&self.method, what) {
            (&Method::GET, "devices") => {
                Ok(ok(&registry::device_statistics(self.service, &self.hub)))
            }
            (&Method::GET, "service") => {
                Ok(ok(&registry::service_statistics(self.service, &self.hub)))
            }
            (_, "devices" | "service") => Err(Failure::method_not_allowed()),
            _ => Err(Failure::no_such_path()),
        }
    }

    fn receive_feedback(&self) -> Outcome {
        self.need(Permission::ServiceConnect)?;
        let feedback = self.service.shared.feedback();
        let oldest = feedback
            .oldest()
            .and_then(|(token, record)| Some((token, documents::feedback(record)?)));
        Ok(match oldest {
            None => empty(),
            Some((token, feedback)) => {
                let answer = json_response(StatusCode::OK, &json!([feedback]));
                with_header(answer, "etag", &format!("\"{token}\""))
            }
        })
    }

    fn settle_feedback(&self, token: &str) -> Outcome {
        self.need(Permission::ServiceConnect)?;
        if self.method != Method::DELETE {
            return Err(Failure::method_not_allowed());
        }
        let mut feedback = self.service.shared.feedback();
        let held = feedback
            .oldest()
            .is_some_and(|(current, _)| current.to_string() == token);
        if !held {
            return Err(Failure::precondition(
                "the lock token is not the current one",
            ));
        }
        feedback.remove_oldest();
        drop(feedback);
        Ok(empty())
    }
}
