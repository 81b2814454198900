//! Switching on and off, the boot sequence, and what each of them loses.

use super::{Module, control::Registration};
use crate::profile::BeforeReady;

/// Whether the module runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Power {
    /// No supply, or switched off.
    Off,
    /// Starting; the UART does not listen yet.
    Starting,
    /// The UART listens, but the line that says so has not come.
    Booting,
    /// In operation.
    On,
    /// Going down after `AT+QPOWD` or `AT+CFUN=1,1`.
    GoingDown,
}

impl Module {
    /// Whether bytes from the host are lost.
    pub(super) const fn deaf(&self) -> bool {
        matches!(self.power, Power::Off | Power::Starting) || self.faults.hung
    }

    pub(super) const fn before_ready(&self) -> bool {
        matches!(self.power, Power::Booting | Power::GoingDown)
    }

    pub(super) fn mute_before_ready(&self) -> bool {
        match self.power {
            Power::Booting => self.profile.boot.before_ready == BeforeReady::Silent,
            // TinyGSM issue 157: after POWERED DOWN a command is still echoed, and never answered.
            Power::GoingDown => true,
            _ => false,
        }
    }

    /// Whether this command answers `ERROR` so soon after the start.
    pub(crate) fn refuses_early(&self, name: &str) -> bool {
        self.now < self.early_until_ms
            && self
                .profile
                .commands
                .early_errors
                .iter()
                .any(|early| early == name)
    }

    /// Starts the boot sequence.
    pub(super) fn boot(&mut self) {
        self.remark("power on");
        self.power = Power::Starting;
        self.session.load_stored();
        self.boot_step(0);
    }

    fn boot_step(&mut self, at: usize) {
        let Some(step) = self.profile.boot.steps.get(at) else {
            self.power = Power::On;
            return;
        };
        let delay = step.ms + self.faults.boot_delay_ms(&step.line);
        let line = step.line.clone();
        self.after(delay, move |module| {
            module.boot_line(&line);
            module.boot_step(at + 1);
        });
    }

    fn boot_line(&mut self, line: &str) {
        if self.power == Power::Starting {
            self.power = Power::Booting;
        }
        if line == self.profile.boot.ready {
            self.power = Power::On;
            self.early_until_ms = self.now + self.scaled(self.profile.commands.early_errors_ms);
        }
        match line {
            "sim" => self.sim_step(),
            "qusim" if self.sim.is_ready() => self.urc("+QUSIM: 1"),
            "sms-done" if self.sim.is_ready() => self.urc("+QIND: SMS DONE"),
            "pb-done" if self.sim.is_ready() => self.urc("+QIND: PB DONE"),
            "qusim" | "sms-done" | "pb-done" => {}
            "RDY" if self.profile.urc.rdy_everywhere => self.urc_here(b"RDY"),
            line => self.urc(line),
        }
    }

    /// The module has looked at its SIM card.
    fn sim_step(&mut self) {
        self.sim.seen = true;
        self.urc(format!("+CPIN: {}", self.sim.urc_word()));
        self.start_registration();
    }

    /// In operation from the first moment, with no boot URCs.
    pub(super) fn start_ready(&mut self) {
        self.power = Power::On;
        self.sim.seen = true;
        if self.may_register() {
            self.register(Registration::Home);
        }
    }

    /// Loses everything that a restart loses.
    pub(super) fn lose_volatile(&mut self) {
        self.abort_line();
        self.clear_timers();
        self.reset_input();
        self.close_all_connections();
        self.session.load_stored();
        self.items.reset();
        self.files.lose_ram();
        self.pdp.deactivate_all();
        self.radio.restart();
        self.sim.restart();
        self.ntp_running = None;
    }

    /// Cuts the power: nothing is said, and the clock is lost.
    pub fn power_off(&mut self) {
        self.remark("power off");
        self.lose_volatile();
        self.clear_output();
        self.power = Power::Off;
        self.clock.lose();
        self.unwedge();
    }

    /// Switches on; nothing happens if the module runs already.
    pub fn power_on(&mut self) {
        if self.power == Power::Off {
            self.faults.hung = false;
            self.boot();
        }
    }

    /// Cuts the power and switches on again, as a driver with a power switch does.
    pub fn power_cycle(&mut self) {
        self.power_off();
        self.power_on();
    }

    /// Presses the power key of a running module: it says so and goes down.
    pub fn press_power_key(&mut self) {
        if self.power == Power::On {
            let line = self.profile.boot.pwrkey_line.clone();
            self.urc_here(line.as_bytes());
            self.go_down();
        }
    }

    /// Restarts as after a crash: no URC says so.
    pub fn reset(&mut self) {
        self.remark("reset");
        self.lose_volatile();
        self.faults.hung = false;
        self.boot();
    }

    /// `AT+QPOWD`: the URC, then off.
    pub(crate) fn shut_down(&mut self, normal: bool) {
        let speaks = !normal || self.profile.boot.powered_down_on_normal;
        self.after(self.profile.boot.powered_down_ms, move |module| {
            if speaks {
                let line = module.profile.boot.powered_down.clone();
                module.urc_here(line.as_bytes());
            }
            module.go_down();
        });
    }

    fn go_down(&mut self) {
        self.remark("power down");
        self.lose_volatile();
        self.power = Power::Off;
        self.clock.lose();
    }

    /// `AT+CFUN=1,1`: down and up again; the clock goes on.
    pub(crate) fn restart_by_command(&mut self) {
        self.after(self.profile.boot.reset_urc_ms, |module| {
            if module.profile.boot.powered_down_on_reset {
                let line = module.profile.boot.powered_down.clone();
                module.urc_here(line.as_bytes());
            }
            let active = module.pdp.first_active();
            module.lose_volatile();
            module.power = Power::GoingDown;
            let boot = &module.profile.boot;
            let (off_ms, deact_ms) = (boot.reset_off_ms, boot.reset_pdpdeact_ms);
            if let Some(context) = active
                && deact_ms > 0
            {
                module.after(deact_ms, move |module| {
                    module.urc(format!("+QIURC: \"pdpdeact\",{context}"))
                });
            }
            module.after(off_ms, Self::boot);
        });
    }
}
