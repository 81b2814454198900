//! Ends the connection, or frees what a failed flow left in the module.

use quectel_mqtt::{QmtClose, QmtDisc, Stat, Urc};

use super::{Note, Outcome, State, Turn};
use crate::context::{Context, Notice};
use crate::{Reason, Step};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Doing {
    /// ESC leaves a prompt that was open.
    Escape,
    #[default]
    Disconnect,
    Close,
}

/// `AT+QMTDISC`, or after a failure `AT+QMTCLOSE`.
#[derive(Debug, Default)]
pub(crate) struct Disconnect {
    doing: Doing,
    closed: bool,
    after: Option<(Step, Reason)>,
}

/// Milliseconds for the module to leave a prompt.
const ESCAPE_MS: u32 = 300;
/// Milliseconds for the module to close after a failure; the next run can do it too.
const CLOSE_MS: u32 = 3_000;

impl Disconnect {
    pub(crate) fn after(step: Step, reason: Reason, escape: bool) -> Self {
        let doing = if escape { Doing::Escape } else { Doing::Close };
        Self {
            doing,
            closed: false,
            after: Some((step, reason)),
        }
    }

    pub(crate) fn note(&mut self, note: Note<'_>, cx: &Context<'_>) {
        let Note::Urc(line) = note else { return };
        self.closed |= match Urc::parse(line) {
            Some(
                Urc::Close { client, .. }
                | Urc::Disc { client, .. }
                | Urc::Stat(Stat { client, .. }),
            ) => client == cx.config.slots.mqtt,
            _ => false,
        };
    }

    pub(crate) fn advance(
        mut self,
        outcome: Outcome,
        turn: &mut Turn<'_, '_>,
    ) -> Result<State, Reason> {
        let client = turn.cx.config.slots.mqtt;
        match (self.doing, outcome) {
            (Doing::Escape, Outcome::Enter) => {
                // Nothing is being sent: the command was given up.
                let _ = turn.link.send_raw(b"\x1B");
                turn.wait(ESCAPE_MS);
            }
            (Doing::Escape, Outcome::Timer) | (Doing::Close, Outcome::Enter) => {
                self.doing = Doing::Close;
                turn.send(&QmtClose { client })?;
            }
            (Doing::Disconnect, Outcome::Enter) => turn.send(&QmtDisc { client })?,
            (Doing::Escape, _) => {}
            (_, _) if self.closed => return Ok(self.end(None, turn)),
            (Doing::Disconnect, Outcome::Done(result)) if result.is_ok() => {
                turn.wait(u32::from(turn.cx.profile.close_s) * 1_000);
            }
            (Doing::Disconnect, Outcome::Noted) | (Doing::Close, Outcome::Noted) => {}
            (Doing::Disconnect, _) => {
                self.doing = Doing::Close;
                turn.send(&QmtClose { client })?;
            }
            (Doing::Close, Outcome::Done(result)) if result.is_ok() => turn.wait(CLOSE_MS),
            (Doing::Close, Outcome::TimedOut) => {
                return Ok(self.end(Some(Reason::CommandTimeout), turn));
            }
            (Doing::Close, _) => return Ok(self.end(None, turn)),
        }
        Ok(State::Disconnect(self))
    }

    /// `unconfirmed`: why the module did not say that its client is closed.
    fn end(self, unconfirmed: Option<Reason>, turn: &mut Turn<'_, '_>) -> State {
        turn.cx.timer = None;
        match (self.after, unconfirmed) {
            (Some((_, Reason::Cancelled)) | None, None) => turn.cx.tell(Notice::Disconnected),
            (Some((_, Reason::Cancelled)) | None, Some(reason)) => {
                turn.cx.tell(Notice::Failed(Step::Disconnect, reason));
            }
            (Some((step, reason)), _) => {
                turn.cx.step = step;
                turn.cx.tell(Notice::Failed(step, reason));
            }
        }
        State::Idle
    }
}
