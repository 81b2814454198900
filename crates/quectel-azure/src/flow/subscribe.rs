//! Subscribes to cloud-to-device messages.

use azure_auth::topics;
use quectel_mqtt::{PacketId, QmtSub, Qos, TopicFilter, Urc};

use super::{Note, Outcome, Session, State, Turn};
use crate::context::{Context, Notice};
use crate::{Reason, Step};

/// `AT+QMTSUB` and the hub's SUBACK.
#[derive(Debug, Default)]
pub(crate) struct Subscribe {
    commanded: bool,
    result: Option<bool>,
}

impl Subscribe {
    pub(crate) fn note(&mut self, note: Note<'_>, cx: &mut Context<'_>) {
        let Note::Urc(line) = note else { return };
        if let Some(Urc::Sub {
            client,
            msg_id,
            result,
        }) = Urc::parse(line)
            && client == cx.config.slots.mqtt
            && msg_id == PacketId::FIRST.get()
        {
            cx.evidence.set(line.bytes());
            if !result.is_interim() {
                self.result = Some(result.is_ok());
            }
        }
    }

    pub(crate) fn advance(
        mut self,
        outcome: Outcome,
        turn: &mut Turn<'_, '_>,
    ) -> Result<State, Reason> {
        match (outcome, self.result) {
            (Outcome::Enter, _) if !turn.cx.config.receive => return Ok(connected(turn)),
            (Outcome::Enter, _) => {
                let cx = &mut *turn.cx;
                let filter = topics::write_c2d_filter(&cx.identity, cx.scratch)
                    .map_err(|_| Reason::CommandTooLong)?;
                let filters = [TopicFilter {
                    filter,
                    qos: Qos::AtLeastOnce,
                }];
                let command = QmtSub::new(cx.config.slots.mqtt, PacketId::FIRST, &filters)
                    .map_err(|_| Reason::SubscribeRefused)?;
                turn.link
                    .send(cx.now, &command)
                    .map_err(|_| Reason::CommandTooLong)?;
            }
            (_, Some(true)) => return Ok(connected(turn)),
            (_, Some(false)) => return Err(Reason::SubscribeRefused),
            (Outcome::Done(result), None) if result.is_ok() && !self.commanded => {
                self.commanded = true;
                turn.wait(u32::from(turn.cx.config.timeouts.acknowledge_s) * 1_000);
            }
            (Outcome::Done(_), None) => return Err(Reason::SubscribeRefused),
            (Outcome::TimedOut | Outcome::Timer, None) => return Err(Reason::CommandTimeout),
            (Outcome::Noted, None) => {}
        }
        Ok(State::Subscribe(self))
    }
}

fn connected(turn: &mut Turn<'_, '_>) -> State {
    let state = turn.enter(Step::Session, State::Session(Session::default()));
    turn.cx.tell(Notice::Connected);
    state
}
