//! Direct methods: calls to devices and their answers.

use mqtt311::{Packet, Publish};

use super::{Hub, timers::Timer};
use crate::{
    identity::Identity,
    method::{MAX_METHOD_PAYLOAD, MethodCall, MethodError, MethodOutcome},
    reason::Reason,
    record::{Event, MethodId},
    time::Now,
    topic::Feature,
    warning::Warning,
};

/// A call that has not ended.
#[derive(Debug)]
pub(super) struct PendingCall {
    identity: Identity,
    call: MethodCall,
    /// The request has gone out.
    sent: bool,
    /// The device must have come, or have answered, by this time.
    ends_ms: u64,
}

impl Hub {
    /// Calls a direct method.
    ///
    /// The answer, or its absence, comes as a [`MethodEnded`](Event::MethodEnded) record.
    ///
    /// # Errors
    ///
    /// The call cannot be made: unknown device, device not online, bad name or payload.
    ///
    /// # Reference
    ///
    /// Azure IoT Hub documentation, "Understand and invoke direct methods from IoT Hub".
    pub fn invoke_method(
        &mut self,
        now: Now,
        identity: &Identity,
        call: MethodCall,
    ) -> Result<MethodId, MethodError> {
        call.check()?;
        if !self.endpoints.contains_key(identity) {
            return Err(MethodError::NotFound(identity.client_id()));
        }
        let online = self.listens(identity, Feature::Methods);
        if !online && call.connect_timeout_s == 0 {
            return Err(MethodError::NotOnline(identity.client_id()));
        }
        self.last_method += 1;
        let id = MethodId(self.last_method);
        let ends_ms = now
            .monotonic_ms
            .saturating_add(call.connect_timeout_s * 1000);
        let pending = PendingCall {
            identity: identity.clone(),
            call,
            sent: false,
            ends_ms,
        };
        self.calls.insert(id, pending);
        if online {
            self.send_call(now, id);
        } else {
            self.timers.insert((ends_ms, Timer::Method(id)));
        }
        Ok(id)
    }

    /// Sends the calls that wait for this identity, if it listens now.
    pub(super) fn send_waiting_calls(&mut self, now: Now, identity: &Identity) {
        if !self.listens(identity, Feature::Methods) {
            return;
        }
        let waiting: Vec<MethodId> = self
            .calls
            .iter()
            .filter(|(_, pending)| !pending.sent && pending.identity == *identity)
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            self.send_call(now, id);
        }
    }

    fn send_call(&mut self, now: Now, id: MethodId) {
        let Some(pending) = self.calls.get_mut(&id) else {
            return;
        };
        self.timers.remove(&(pending.ends_ms, Timer::Method(id)));
        let timeout_ms = pending.call.response_timeout_s * 1000;
        pending.ends_ms = now.monotonic_ms.saturating_add(timeout_ms);
        pending.sent = true;
        self.timers.insert((pending.ends_ms, Timer::Method(id)));
        let publish = Publish {
            topic: format!(
                "$iothub/methods/POST/{}/?$rid={}",
                pending.call.name,
                id.rid()
            ),
            payload: pending.call.payload.clone(),
            ..Publish::default()
        };
        let connection = self.attached.get(&pending.identity).copied();
        if let Some(connection) = connection {
            self.send(now, connection, &Packet::Publish(publish));
        }
    }

    pub(super) fn method_response(
        &mut self,
        now: Now,
        identity: &Identity,
        status: i64,
        rid: &str,
        payload: Vec<u8>,
    ) -> Result<(), Reason> {
        if payload.len() > MAX_METHOD_PAYLOAD {
            return Err(Reason::MessageSize {
                size: payload.len(),
                limit: MAX_METHOD_PAYLOAD,
            });
        }
        let id = self
            .calls
            .iter()
            .find(|(id, call)| call.sent && call.identity == *identity && id.rid() == rid)
            .map(|(id, _)| *id);
        let Some(id) = id else {
            let warning = Warning::UnknownMethodResponse {
                rid: rid.to_owned(),
            };
            self.warn(now, identity, warning);
            return Ok(());
        };
        let json =
            payload.is_empty() || serde_json::from_slice::<serde::de::IgnoredAny>(&payload).is_ok();
        if !json {
            self.warn(now, identity, Warning::MethodResponseNotJson);
        }
        self.end_call(now, id, MethodOutcome::Response { status, payload });
        Ok(())
    }

    pub(super) fn method_timer(&mut self, now: Now, id: MethodId) {
        let Some(pending) = self.calls.get(&id) else {
            return;
        };
        let outcome = if pending.sent {
            MethodOutcome::TimedOut
        } else {
            MethodOutcome::NeverOnline
        };
        self.end_call(now, id, outcome);
    }

    fn end_call(&mut self, now: Now, id: MethodId, outcome: MethodOutcome) {
        if let Some(pending) = self.calls.remove(&id) {
            self.timers.remove(&(pending.ends_ms, Timer::Method(id)));
            self.record(
                now,
                Event::MethodEnded {
                    identity: pending.identity,
                    id,
                    name: pending.call.name,
                    outcome,
                },
            );
        }
    }

    /// Whether an identity is connected and subscribed for this.
    pub(super) fn listens(&self, identity: &Identity, feature: Feature) -> bool {
        self.attached.contains_key(identity)
            && self
                .endpoints
                .get(identity)
                .is_some_and(|endpoint| endpoint.subscribed(feature).is_some())
    }

    pub(super) fn warn(&mut self, now: Now, identity: &Identity, warning: Warning) {
        let identity = identity.clone();
        self.record(now, Event::Warned { identity, warning });
    }
}
