//! What a fault does to the module.

use super::{FaultAction, Place};
use crate::module::{Module, MqttState, Registration};

impl Module {
    /// Carries out the rules that wait for this place, and lets chaos have its turn.
    pub(crate) fn faults_at(&mut self, place: Place<'_>) {
        if self.faults.acting {
            return;
        }
        self.faults.acting = true;
        for action in self.faults.due(place) {
            self.break_down(action);
        }
        if self.faults.chaos > 0 && matches!(place, Place::Command(_) | Place::Line(_)) {
            let strikes = self.rng.below(1000) < u64::from(self.faults.chaos);
            if strikes {
                let action = self.random_action();
                self.break_down(action);
            }
        }
        self.faults.acting = false;
    }

    /// One of the things that happen in the field.
    fn random_action(&mut self) -> FaultAction {
        let few = usize::try_from(1 + self.rng.below(4)).unwrap_or(1);
        let pause_ms = 50 + self.rng.below(3_000);
        match self.rng.below(16) {
            0 => FaultAction::Drop(few),
            1 => FaultAction::Duplicate(few),
            2 => FaultAction::Flip(few),
            3 => FaultAction::Noise(few),
            4 | 5 => FaultAction::Stall(pause_ms),
            6 => FaultAction::Split(few),
            7 | 8 => FaultAction::Urc("+QIND: SMS DONE".to_owned()),
            9 => FaultAction::Swallow,
            10 => FaultAction::LosePdp(1),
            11 => FaultAction::LoseNetwork(pause_ms * 10),
            12 => FaultAction::ServerCloses(0),
            13 => FaultAction::LosePubacks(1),
            14 => FaultAction::NoPrompt,
            _ => FaultAction::Reboot,
        }
    }

    /// Breaks something now.
    pub fn break_down(&mut self, action: FaultAction) {
        self.remark(&format!("fault: {action:?}"));
        match action {
            FaultAction::Nothing => {}
            FaultAction::Drop(count) => self.faults.next.drop += count,
            FaultAction::Duplicate(count) => self.faults.next.duplicate += count,
            FaultAction::Flip(count) => self.faults.next.flip += count,
            FaultAction::Noise(count) => self.faults.next.noise += count,
            FaultAction::Stall(ms) => self.stall_output(ms),
            FaultAction::Split(size) => self.faults.next.split = size.max(1),
            FaultAction::Urc(text) => self.urc_here(text.as_bytes()),
            FaultAction::Hang => self.faults.hung = true,
            FaultAction::Swallow => self.faults.swallow_lines += 1,
            FaultAction::Reboot => self.soon(Self::reset),
            FaultAction::BrownOut(ms) => self.soon(move |module| module.brown_out(ms)),
            FaultAction::Sleep(ms) => {
                if self.cfg_is_on("psm/urc") {
                    // K: the values that AT+QPSMS? shows.
                    self.urc("+QPSMTIMER: 86400,10");
                }
                self.urc("PSM POWER DOWN");
                // The line still goes out.
                self.after_exactly(100, move |module| module.brown_out(ms));
            }
            FaultAction::LosePdp(context) => self.lose_context(context),
            FaultAction::LoseNetwork(ms) => self.lose_network_for(ms),
            FaultAction::Wedge => self.faults.wedged = true,
            FaultAction::OccupyMqtt(client) => {
                if let Some(occupied) = self.faults.mqtt_occupied.get_mut(usize::from(client)) {
                    *occupied = true;
                }
            }
            FaultAction::NoPrompt => self.faults.prompts_lost += 1,
            FaultAction::StatStorm(client, count) => {
                for _ in 0..count.min(1000) {
                    self.urc(format!("+QMTSTAT: {client},1"));
                }
            }
            FaultAction::NoUrcPort => self.faults.no_urcs = true,
            FaultAction::LateOk(ms) => self.faults.late_ok_ms = ms,
            FaultAction::LosePubacks(count) => self.faults.pubacks_lost += count,
            FaultAction::ServerCloses(client) => {
                if !matches!(
                    self.mqtt_state(client),
                    MqttState::Closed | MqttState::Opening
                ) {
                    self.soon(move |module| module.end_client(client, 1));
                }
            }
            FaultAction::RefuseConnect(code) => self.faults.refuse_connect = Some(code),
            FaultAction::NoDns => self.faults.dns_fails = true,
            FaultAction::NoPdp => self.faults.pdp_refused = true,
            FaultAction::ShortUpload(count) => self.faults.upload_loses = count,
            FaultAction::UploadGaps(count) => self.faults.upload_gap = count,
        }
    }

    /// Whether a fault keeps this MQTT client occupied.
    pub(crate) fn mqtt_is_occupied(&self, client: u8) -> bool {
        self.faults
            .mqtt_occupied
            .get(usize::from(client))
            .copied()
            .unwrap_or(false)
    }

    /// Ends that; false when it was free.
    pub(crate) fn free_mqtt(&mut self, client: u8) -> bool {
        self.faults
            .mqtt_occupied
            .get_mut(usize::from(client))
            .is_some_and(core::mem::take)
    }

    /// Not in the middle of what goes on now.
    fn soon(&mut self, action: impl FnOnce(&mut Self) + Send + 'static) {
        self.after_exactly(0, action);
    }

    fn brown_out(&mut self, ms: u64) {
        self.power_off();
        self.after_exactly(ms, Self::power_on);
    }

    fn lose_network_for(&mut self, ms: u64) {
        if !self.radio.registration.registered() {
            return;
        }
        self.set_registration(Registration::Searching);
        self.after_exactly(ms, |module| {
            if module.radio.registration == Registration::Searching && module.may_register() {
                module.register(Registration::Home);
            }
        });
    }
}
