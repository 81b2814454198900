//! Sends the MQTT CONNECT with the device's credentials.

use azure_auth::{Identity, SasRequest, SasToken};
use quectel_mqtt::{ConnectResult, QmtConn, ReturnCode, Secret, Urc};

use super::{Note, Outcome, State, Turn, subscribe::Subscribe};
use crate::context::{Context, Notice};
use crate::{ConfigError, Credential, Reason, Step, Warning};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Doing {
    #[default]
    Sign,
    Command,
    Await,
}

/// `AT+QMTCONN` and the hub's CONNACK.
#[derive(Debug, Default)]
pub(crate) struct Connect {
    doing: Doing,
    result: Option<ConnectResult>,
}

/// A token that ends sooner than this many seconds is worth a warning.
const SOON_S: u64 = 600;

impl Connect {
    pub(crate) fn waits_for_signature(&self) -> bool {
        self.doing == Doing::Sign
    }

    pub(crate) fn note(&mut self, note: Note<'_>, cx: &mut Context<'_>) {
        let Note::Urc(line) = note else { return };
        if let Some(Urc::Conn { client, result }) = Urc::parse(line)
            && client == cx.config.slots.mqtt
        {
            cx.evidence.set(line.bytes());
            // With retransmission notices the final result comes later.
            if !result.is_interim() {
                self.result = Some(result);
            }
        }
    }

    pub(crate) fn advance(
        mut self,
        outcome: Outcome,
        turn: &mut Turn<'_, '_>,
    ) -> Result<State, Reason> {
        match (self.doing, outcome) {
            (_, Outcome::Enter) => self.begin(turn)?,
            (Doing::Sign, Outcome::Noted) if turn.cx.signature.is_some() => self.connect(turn)?,
            (Doing::Sign, _) => {}
            (Doing::Command | Doing::Await, _) if self.result.is_some() => return self.judge(turn),
            (Doing::Command, Outcome::Done(result)) if result.is_ok() => {
                self.doing = Doing::Await;
                turn.wait(u32::from(turn.cx.config.timeouts.connect_s) * 1_000);
            }
            // The module says ERROR when the server has closed the connection meanwhile.
            (Doing::Command, Outcome::Done(_)) => return Err(Reason::ConnectFailed),
            (Doing::Command, Outcome::TimedOut) => return Err(Reason::CommandTimeout),
            (Doing::Await, Outcome::Timer) => return Err(Reason::ConnectFailed),
            (Doing::Command | Doing::Await, _) => {}
        }
        Ok(State::Connect(self))
    }

    fn begin(&mut self, turn: &mut Turn<'_, '_>) -> Result<(), Reason> {
        let cx = &mut *turn.cx;
        cx.expiry_unix_s = token_expiry(cx)?;
        if matches!(cx.config.credential, Credential::SasToken(_))
            && cx
                .unix_time_s()
                .is_some_and(|now| now.saturating_add(SOON_S) > cx.expiry_unix_s)
        {
            cx.warn(Warning::TokenExpiresSoon);
        }
        if matches!(cx.config.credential, Credential::ExternalKey) {
            cx.prepare_signature()?;
            cx.tell(Notice::SignatureNeeded);
            return Ok(());
        }
        self.connect(turn)
    }

    fn connect(&mut self, turn: &mut Turn<'_, '_>) -> Result<(), Reason> {
        self.doing = Doing::Command;
        turn.cx.timer = None;
        let signature = turn.cx.signature.take();
        let written = write_credentials(turn.cx, signature);
        let sent = match &written {
            Ok(lengths) => send(turn, *lengths),
            Err(_) => Err(Reason::CommandTooLong),
        };
        turn.cx.wipe_scratch();
        sent
    }

    fn judge(self, turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
        match self.result {
            Some(ConnectResult::Accepted) => {
                Ok(turn.enter(Step::Subscribe, State::Subscribe(Subscribe::default())))
            }
            Some(ConnectResult::Refused(ReturnCode::ServerUnavailable)) => {
                Err(Reason::ConnectFailed)
            }
            Some(ConnectResult::Refused(_)) => Err(Reason::ConnectRefused),
            _ => Err(Reason::ConnectFailed),
        }
    }
}

/// When the token ends that this connection will use, in unix seconds; 0 with X.509.
///
/// Asked as soon as the time is known, so that nothing is uploaded or opened in vain.
pub(crate) fn token_expiry(cx: &mut Context<'_>) -> Result<u64, Reason> {
    let now = cx.unix_time_s();
    let result = match cx.config.credential {
        Credential::SharedAccessKey(_) | Credential::ExternalKey => now
            .map(|now| now.saturating_add(u64::from(cx.config.token_lifetime_s)))
            .ok_or(Reason::ClockUnknown),
        Credential::SasToken(text) => {
            let expiry = SasToken::parse(text).map_or(0, |token| token.expiry_unix_s());
            if now.is_some_and(|now| now >= expiry) {
                Err(Reason::TokenExpired)
            } else {
                Ok(expiry)
            }
        }
        Credential::X509 { .. } => Ok(0),
    };
    if result.is_err() {
        // What the module said last has nothing to do with it.
        cx.evidence = crate::text::Text::EMPTY;
    }
    result
}

/// Lengths of client id, user name and password in the scratch buffer, one behind the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lengths {
    client_id: usize,
    user_name: usize,
    password: usize,
}

impl Lengths {
    /// Bytes of the whole command line.
    pub(crate) const fn line(self) -> usize {
        self.client_id + self.user_name + self.password + "AT+QMTCONN=0,\"\",\"\",\"\"\r".len()
    }
}

/// Writes client id, user name and password into the scratch buffer.
pub(crate) fn write_credentials(
    cx: &mut Context<'_>,
    signature: Option<[u8; 32]>,
) -> Result<Lengths, ConfigError> {
    let small = |_| ConfigError::ScratchBuffer;
    let identity: Identity<'_> = cx.identity;
    let client_id = identity.client_id(cx.scratch).map_err(small)?.len();
    let rest = cx.scratch.get_mut(client_id..).unwrap_or_default();
    let user_name = identity.user_name(rest).map_err(small)?.len();
    let rest = rest.get_mut(user_name..).unwrap_or_default();
    let request = SasRequest::for_identity(&identity, cx.expiry_unix_s);
    let password = match (cx.config.credential, &cx.key, signature) {
        (Credential::X509 { .. }, ..) => 0,
        (Credential::SasToken(text), ..) => {
            let text = SasToken::parse(text)
                .map_err(ConfigError::Token)?
                .expose()
                .as_bytes();
            rest.get_mut(..text.len())
                .ok_or(ConfigError::ScratchBuffer)?
                .copy_from_slice(text);
            text.len()
        }
        (_, Some(key), _) => request.token(key, rest).map_err(small)?.len(),
        (_, None, signature) => request
            .finish(&signature.unwrap_or([0; 32]), rest)
            .map_err(small)?
            .len(),
    };
    Ok(Lengths {
        client_id,
        user_name,
        password,
    })
}

fn send(turn: &mut Turn<'_, '_>, lengths: Lengths) -> Result<(), Reason> {
    let scratch = &*turn.cx.scratch;
    let text = |from: usize, len: usize| {
        scratch
            .get(from..from + len)
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or("")
    };
    let user_at = lengths.client_id;
    let command = QmtConn {
        client: turn.cx.config.slots.mqtt,
        client_id: text(0, lengths.client_id),
        user: Some(text(user_at, lengths.user_name)),
        password: Some(Secret::new(text(
            user_at + lengths.user_name,
            lengths.password,
        ))),
    };
    turn.cx.timer = None;
    turn.link
        .send(turn.cx.now, &command)
        .map_err(|_| Reason::CommandTooLong)
}
