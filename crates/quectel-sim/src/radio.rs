//! Registration and signal.

use crate::{
    module::{Module, Registration},
    profile::Profile,
};

#[derive(Debug, Clone)]
pub(crate) struct Radio {
    pub(crate) registration: Registration,
    /// Whether there is a network.
    pub(crate) coverage: bool,
    /// Whether the network lets the card register.
    pub(crate) registers: bool,
    pub(crate) cfun: u8,
    pub(crate) rssi: u8,
    pub(crate) ber: u8,
    pub(crate) cops_mode: u8,
    pub(crate) cops_format: u8,
    pub(crate) attached: bool,
    /// The context that comes up by itself has done so since the start.
    boot_context_done: bool,
}

impl Radio {
    pub(crate) const fn new(profile: &Profile, coverage: bool, registers: bool) -> Self {
        Self {
            registration: Registration::Idle,
            coverage,
            registers,
            cfun: 1,
            rssi: profile.radio.rssi,
            ber: profile.radio.ber,
            cops_mode: 0,
            cops_format: 0,
            attached: true,
            boot_context_done: false,
        }
    }

    pub(crate) const fn restart(&mut self) {
        self.registration = Registration::Idle;
        self.cfun = 1;
        self.attached = true;
        self.boot_context_done = false;
        self.cops_format = 0;
    }
}

impl Module {
    pub(crate) fn may_register(&self) -> bool {
        self.sim.is_ready()
            && self.radio.cfun == 1
            && self.radio.coverage
            && self.radio.registers
            && self.radio.cops_mode != 2
    }

    /// Looks for the network.
    pub(crate) fn start_registration(&mut self) {
        if !self.sim.is_ready() || self.radio.cfun != 1 || self.radio.cops_mode == 2 {
            return;
        }
        self.register(Registration::Searching);
        self.after(self.profile.timing.registration_ms, |module| {
            if module.may_register() {
                module.register(Registration::Home);
            } else if module.sim.is_ready() && module.radio.cfun == 1 && module.radio.coverage {
                module.register(Registration::Denied);
            }
        });
    }

    /// Takes on a registration state and tells the host if it asked to be told.
    pub(crate) fn register(&mut self, registration: Registration) {
        if self.radio.registration == registration {
            return;
        }
        self.radio.registration = registration;
        if registration.registered() {
            self.take_network_time();
            let context = self.profile.pdp.active_at_boot;
            if context > 0
                && !core::mem::replace(&mut self.radio.boot_context_done, true)
                && self.network_accepts(context)
            {
                self.activate_context(context);
            }
        }
        for (at, name) in ["+CREG", "+CGREG", "+CEREG"].into_iter().enumerate() {
            let n = self.session.reg_n.get(at).copied().unwrap_or(0);
            if n > 0 {
                let text = format!("{name}: {}", self.registration_fields(at, n));
                self.urc(text);
            }
        }
    }

    /// `<stat>[,"<tac>","<ci>",<act>]` of CREG (0), CGREG (1) or CEREG (2).
    pub(crate) fn registration_fields(&self, domain: usize, n: u8) -> String {
        let radio = &self.profile.radio;
        let registered = match domain {
            0 => radio.cs_stat,
            1 => radio.ps_stat,
            _ => radio.eps_stat,
        };
        let stat = match self.radio.registration {
            Registration::Home => registered,
            Registration::Roaming if registered == 1 => 5,
            Registration::Roaming => registered,
            other => other.stat(),
        };
        if n >= 2 && matches!(stat, 1 | 5) {
            // PSM: no cause, and the timers as off (BG9x only).
            let timers = if n == 4 {
                ",,,\"00000000\",\"00000000\""
            } else {
                ""
            };
            let (tac, cell, act) = (&radio.tac, &radio.cell, radio.act);
            format!("{stat},\"{tac}\",\"{cell}\",{act}{timers}")
        } else {
            stat.to_string()
        }
    }

    /// NITZ: the network sends its time.
    fn take_network_time(&mut self) {
        if !self.config.nitz {
            return;
        }
        let (unix_s, now) = (self.world_unix_s(), self.now);
        self.clock.network = Some((unix_s, now));
        self.clock.zone_quarters = self.profile.clock.zone_quarters;
        if self.session.ctzu > 0 {
            self.clock.set(unix_s, now);
        }
        if self.session.ctzr == 1 {
            let text = format!("+CTZV: \"{:+03}\"", self.clock.zone_quarters);
            self.urc(text);
        } else if self.session.ctzr == 2 {
            let date = crate::module::Civil::from_unix(unix_s).four_digits();
            let text = format!("+CTZE: \"{:+03}\",0,\"{date}\"", self.clock.zone_quarters);
            self.urc(text);
        }
    }
}
