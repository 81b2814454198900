//! What the steps share: settings, what is known of the module, the time, and what to tell the user.

use azure_auth::{Identity, SasRequest, SasToken, SharedAccessKey};
use quectel_at::Line;
use quectel_at::commands::{NtpResult, PowerUrc, QiUrc};
use quectel_mqtt::{Stat, StatCause, Urc};

use crate::client::{Seen, Shown};
use crate::flow::write_credentials;
use crate::text::Text;
use crate::{
    Config, ConfigError, Credential, MessageId, ModuleInfo, Profile, Reason, Step, Warning,
};

/// Something to tell the user as soon as the client is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    Step(Step),
    Identified,
    SignatureNeeded,
    Warning(Warning),
    Connected,
    Published(MessageId),
    PublishFailed(MessageId, Reason),
    Disconnected,
    Failed(Step, Reason),
}

/// A module that is still booting makes the flow begin again this often.
const MAX_RESTARTS: u8 = 2;

/// Notices wait here; more than fit cannot arise between two polls, and further ones would be dropped.
#[derive(Debug)]
struct Queue {
    items: [Option<Notice>; 8],
}

impl Queue {
    fn push(&mut self, notice: Notice) {
        if let Some(slot) = self.items.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(notice);
        }
    }

    fn is_empty(&self) -> bool {
        self.items.iter().all(Option::is_none)
    }

    fn pop(&mut self) -> Option<Notice> {
        let first = self.items.first_mut()?.take()?;
        self.items.rotate_left(1);
        Some(first)
    }
}

/// The wall clock: a unix time and the monotonic time at which it held.
#[derive(Debug, Clone, Copy, Default)]
struct WallClock {
    known: Option<(u64, u64)>,
}

pub(crate) struct Context<'b> {
    pub(crate) config: Config<'b>,
    pub(crate) identity: Identity<'b>,
    pub(crate) key: Option<SharedAccessKey>,
    pub(crate) scratch: &'b mut [u8],
    pub(crate) profile: &'static Profile,
    pub(crate) model: Text<24>,
    pub(crate) revision: Text<48>,
    pub(crate) address: Text<46>,
    pub(crate) signal_dbm: Option<i16>,
    /// Whether the module's own clock is right, so that it may check certificate dates.
    pub(crate) module_clock: bool,
    wall: WallClock,
    /// What the module said last that may explain a failure.
    pub(crate) evidence: Text<160>,
    pub(crate) step: Step,
    pub(crate) timer: Option<u64>,
    pub(crate) now: u64,
    /// A state has just been entered.
    pub(crate) entered: bool,
    /// How often the flow began again because the module was still booting.
    pub(crate) restarts: u8,
    /// Unreadable pieces that the module has sent.
    pub(crate) noise: u8,
    /// When the token that is being made ends.
    pub(crate) expiry_unix_s: u64,
    /// Length of the text in the scratch buffer that is to be signed.
    to_sign: usize,
    /// The signature of a key held elsewhere.
    pub(crate) signature: Option<[u8; 32]>,
    notices: Queue,
}

impl<'b> Context<'b> {
    pub(crate) fn new(config: Config<'b>, scratch: &'b mut [u8]) -> Result<Self, ConfigError> {
        let identity = Identity::new(config.hub, config.device_id, config.module_id)
            .map_err(ConfigError::Identity)?;
        let key = match config.credential {
            Credential::SharedAccessKey(text) => {
                Some(SharedAccessKey::from_base64(text).map_err(ConfigError::Key)?)
            }
            Credential::SasToken(text) => {
                let token = SasToken::parse(text).map_err(ConfigError::Token)?;
                if !token.covers(&identity) {
                    return Err(ConfigError::TokenScope);
                }
                None
            }
            _ => None,
        };
        Ok(Self {
            config,
            identity,
            key,
            scratch,
            profile: Profile::find("", ""),
            model: Text::EMPTY,
            revision: Text::EMPTY,
            address: Text::EMPTY,
            signal_dbm: None,
            module_clock: false,
            wall: WallClock::default(),
            evidence: Text::EMPTY,
            step: Step::Identify,
            timer: None,
            now: 0,
            entered: false,
            restarts: 0,
            noise: 0,
            expiry_unix_s: 0,
            to_sign: 0,
            signature: None,
            notices: Queue { items: [None; 8] },
        })
    }

    /// Forgets what the last run learnt, except the time.
    pub(crate) fn begin(&mut self) {
        self.evidence = Text::EMPTY;
        self.address = Text::EMPTY;
        self.signal_dbm = None;
        self.module_clock = false;
        self.timer = None;
        self.restarts = 0;
        self.noise = 0;
        self.signature = None;
        self.notices.items = [None; 8];
    }

    pub(crate) fn tell(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    pub(crate) fn warn(&mut self, warning: Warning) {
        self.tell(Notice::Warning(warning));
    }

    pub(crate) fn next_notice(&mut self) -> Option<Notice> {
        self.notices.pop()
    }

    pub(crate) fn has_notice(&self) -> bool {
        !self.notices.is_empty()
    }

    /// Whether user name, token and the command around them fit their buffers.
    pub(crate) fn check_sizes(&mut self, tx: usize) -> Result<(), ConfigError> {
        self.expiry_unix_s = u64::from(u32::MAX);
        let lengths = write_credentials(self, None);
        self.wipe_scratch();
        if lengths?.line() > tx {
            Err(ConfigError::TxBuffer)
        } else {
            Ok(())
        }
    }

    /// Puts the text that a key held elsewhere must sign into the scratch buffer.
    pub(crate) fn prepare_signature(&mut self) -> Result<(), Reason> {
        let request = SasRequest::for_identity(&self.identity, self.expiry_unix_s);
        self.to_sign = request
            .to_sign(self.scratch)
            .map_err(|_| Reason::CommandTooLong)?
            .len();
        Ok(())
    }

    pub(crate) fn to_sign(&self) -> &[u8] {
        self.scratch.get(..self.to_sign).unwrap_or_default()
    }

    /// What a URC means for the flow as a whole.
    pub(crate) fn see(&mut self, line: Line<'_>) -> Seen {
        let step = self.step;
        match PowerUrc::parse(line) {
            // The port was silent until now: the step itself waits for the module.
            Some(PowerUrc::Ready | PowerUrc::PoweredDown | PowerUrc::NormalPowerDown)
                if step == Step::Identify =>
            {
                return Seen::Note(Some(Shown::Urc));
            }
            Some(PowerUrc::Ready) if step <= Step::Register && self.restarts < MAX_RESTARTS => {
                self.restarts += 1;
                return Seen::Restart;
            }
            Some(PowerUrc::Ready | PowerUrc::PoweredDown | PowerUrc::NormalPowerDown) => {
                self.evidence.set(line.bytes());
                return Seen::Fail(Reason::ModuleReset);
            }
            Some(_) => return Seen::Note(Some(Shown::Urc)),
            None => {}
        }
        if let Some(QiUrc::PdpDeact { context }) = QiUrc::parse(line)
            && context == self.config.slots.pdp
            && step > Step::Pdp
        {
            self.evidence.set(line.bytes());
            return Seen::Fail(Reason::PdpLost);
        }
        match Urc::parse(line) {
            Some(Urc::Stat(Stat { client, cause })) if client == self.config.slots.mqtt => {
                self.see_stat(line, cause)
            }
            Some(Urc::Recv(message)) if message.client == self.config.slots.mqtt => {
                Seen::Note(Some(Shown::Message))
            }
            Some(_) => Seen::Note(None),
            None if NtpResult::parse(line).is_ok() => Seen::Note(None),
            None => Seen::Note(Some(Shown::Urc)),
        }
    }

    /// `+QMTSTAT` says that the module has closed the connection.
    fn see_stat(&mut self, line: Line<'_>, cause: StatCause) -> Seen {
        let reason = match (self.step, cause) {
            (Step::Open | Step::Connect, _) => Reason::ConnectFailed,
            (Step::Subscribe | Step::Session, StatCause::PeerClosed) => Reason::ClosedByHub,
            (Step::Subscribe | Step::Session, _) => Reason::ConnectionLost,
            _ => return Seen::Note(None),
        };
        self.evidence.set(line.bytes());
        Seen::Fail(reason)
    }

    /// Unix time in seconds, if it is known.
    pub(crate) fn unix_time_s(&self) -> Option<u64> {
        let (unix, at) = self.wall.known?;
        Some(unix.saturating_add(self.now.saturating_sub(at) / 1_000))
    }

    pub(crate) fn set_unix_time(&mut self, unix_s: u64) {
        self.wall.known = Some((unix_s, self.now));
    }

    /// The host to connect to.
    pub(crate) fn host(&self) -> &'b str {
        self.config.gateway.unwrap_or(self.config.hub)
    }

    pub(crate) fn is_x509(&self) -> bool {
        matches!(self.config.credential, Credential::X509 { .. })
    }

    pub(crate) fn info(&self) -> ModuleInfo<'_> {
        ModuleInfo {
            model: self.model.text(),
            revision: self.revision.text(),
            profile: self.profile,
            address: self.address.text(),
            signal_dbm: self.signal_dbm,
            unix_time_s: self.unix_time_s(),
        }
    }

    pub(crate) fn wipe_scratch(&mut self) {
        zeroize::Zeroize::zeroize(&mut *self.scratch);
    }
}

impl core::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Context")
            .field("config", &self.config)
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}
