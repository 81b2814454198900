//! Configures the MQTT client and frees it if an earlier run left it open.

use quectel_mqtt::{
    Connection, ConnectionState, ItemName, MqttConfig, QmtClose, QmtConnRead, QmtDisc, Urc,
};

use super::{Note, Outcome, State, Turn, open::Open};
use crate::client::expect_ok;
use crate::context::Context;
use crate::{Reason, Session, Step, Warning};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Doing {
    #[default]
    ReadState,
    Disconnect,
    Close,
    /// The n-th setting.
    Set(usize),
}

/// Makes the MQTT client ready for `AT+QMTOPEN`.
///
/// A module that stayed on while its host restarted still has the client open; opening it again would give
/// `+QMTOPEN: <idx>,2`.
#[derive(Debug, Default)]
pub(crate) struct Mqtt {
    doing: Doing,
    state: Option<ConnectionState>,
    closed: bool,
}

impl Mqtt {
    pub(crate) fn note(&mut self, note: Note<'_>, cx: &Context<'_>) {
        let client = cx.config.slots.mqtt;
        match note {
            Note::Answer(line) => {
                if let Ok(answer) = Connection::parse(line)
                    && answer.client == client
                {
                    self.state = Some(answer.state);
                }
            }
            Note::Urc(line) => match Urc::parse(line) {
                Some(Urc::Close { client: idx, .. } | Urc::Disc { client: idx, .. }) => {
                    self.closed |= idx == client
                }
                Some(Urc::Stat(stat)) => self.closed |= stat.client == client,
                _ => {}
            },
        }
    }

    pub(crate) fn advance(
        mut self,
        outcome: Outcome,
        turn: &mut Turn<'_, '_>,
    ) -> Result<State, Reason> {
        let client = turn.cx.config.slots.mqtt;
        match (self.doing, outcome) {
            (_, Outcome::Enter) => turn.send(&QmtConnRead)?,
            (Doing::ReadState, Outcome::Noted) => {}
            (Doing::ReadState, _) => match self.state {
                None => return self.set(0, turn),
                Some(ConnectionState::Connected) => {
                    self.doing = Doing::Disconnect;
                    turn.send(&QmtDisc { client })?;
                }
                Some(_) => self.close(turn)?,
            },
            (Doing::Disconnect | Doing::Close, Outcome::Noted) if self.closed => {
                return self.set(0, turn);
            }
            (Doing::Disconnect | Doing::Close, Outcome::Noted) => {}
            // Some families send no URC for a client that is closed already.
            (Doing::Disconnect | Doing::Close, Outcome::Done(result))
                if result.is_ok() && !self.closed =>
            {
                turn.wait(u32::from(turn.cx.profile.close_s) * 1_000);
            }
            (Doing::Disconnect, Outcome::Timer | Outcome::Done(_)) if !self.closed => {
                self.close(turn)?
            }
            (Doing::Disconnect | Doing::Close, _) => return self.set(0, turn),
            (Doing::Set(_), Outcome::Noted | Outcome::Timer) => {}
            (Doing::Set(n), _) => {
                self.check(n, outcome, turn)?;
                return self.set(n + 1, turn);
            }
        }
        Ok(State::Mqtt(self))
    }

    fn close(&mut self, turn: &mut Turn<'_, '_>) -> Result<(), Reason> {
        self.doing = Doing::Close;
        turn.send(&QmtClose {
            client: turn.cx.config.slots.mqtt,
        })
    }

    /// Some settings may be refused by a firmware that lacks them.
    fn check(&self, n: usize, outcome: Outcome, turn: &mut Turn<'_, '_>) -> Result<(), Reason> {
        let config = config(turn.cx);
        let Some(setting) = config.step(n, turn.cx.profile.mqtt_items) else {
            return Ok(());
        };
        let name = setting.item.name();
        match expect_ok(outcome) {
            // Payloads then come without their length.
            Err(Reason::CommandRefused) if name == ItemName::RecvMode => {
                turn.cx.warn(Warning::UncountedPayload)
            }
            Err(Reason::CommandRefused) if !config.requires(name) => {}
            result => return result,
        }
        Ok(())
    }

    fn set(mut self, n: usize, turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
        let items = turn.cx.profile.mqtt_items;
        let Some(setting) = config(turn.cx).step(n, items) else {
            if !items.contains(ItemName::RecvMode) {
                turn.cx.warn(Warning::UncountedPayload);
            }
            return Ok(turn.enter(Step::Open, State::Open(Open::default())));
        };
        self.doing = Doing::Set(n);
        turn.send(&setting)?;
        Ok(State::Mqtt(self))
    }
}

fn config(cx: &Context<'_>) -> MqttConfig<'static> {
    let slots = cx.config.slots;
    let config = MqttConfig::new(slots.mqtt, slots.pdp, Some(slots.ssl));
    let clean_session = cx.config.session == Session::Clean;
    MqttConfig {
        keep_alive_s: cx.config.keep_alive_s,
        clean_session,
        ..config
    }
}
