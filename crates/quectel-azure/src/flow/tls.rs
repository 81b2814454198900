//! Configures the TLS context and reads back what matters for security.

use quectel_ssl::{
    CheckHost, ClientCertificate, ItemName, QsslCfg, QsslCfgRead, SslAnswer, SslConfig,
};

use super::certificates::{FileKind, FileName};
use super::{Note, Outcome, State, Turn, mqtt::Mqtt};
use crate::context::Context;
use crate::text::Text;
use crate::{Reason, Step, Warning};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Doing {
    #[default]
    Set,
    ReadBack,
}

/// Sends the settings one by one.
#[derive(Debug, Default)]
pub(crate) struct Tls {
    setting: usize,
    doing: Doing,
    /// The module reads back another value.
    differs: bool,
    heard: bool,
}

/// Names of the files on the module.
struct Names([FileName; 3]);

impl Names {
    fn of(cx: &Context<'_>) -> Self {
        let name = |kind: FileKind| kind.name(cx).map_or(Text::EMPTY, |(name, _)| name);
        Self([
            name(FileKind::Ca),
            name(FileKind::Certificate),
            name(FileKind::Key),
        ])
    }

    fn config<'a>(&'a self, cx: &Context<'a>) -> SslConfig<'a> {
        let [ca, certificate, key] = &self.0;
        let config = SslConfig::new(cx.config.slots.ssl, ca.text());
        // Without a clock the module would refuse every certificate as not yet valid.
        let config = SslConfig {
            ignore_local_time: !cx.module_clock,
            ..config
        };
        let config = if cx.profile.check_host_by_name {
            SslConfig {
                check_host: CheckHost::Name(cx.host()),
                ..config
            }
        } else {
            config
        };
        if cx.is_x509() {
            return config.with_client(ClientCertificate {
                certificate: certificate.text(),
                key: key.text(),
                key_password: None,
            });
        }
        config
    }
}

impl Tls {
    pub(crate) fn note(&mut self, note: Note<'_>, cx: &mut Context<'_>) {
        let Note::Answer(line) = note else { return };
        if let Ok(answer) = SslAnswer::parse(line) {
            self.heard = true;
            let names = Names::of(cx);
            self.differs |= names.config(cx).compare(&answer).is_err();
            if self.differs {
                cx.evidence.set(line.bytes());
            }
        }
    }

    pub(crate) fn advance(
        mut self,
        outcome: Outcome,
        turn: &mut Turn<'_, '_>,
    ) -> Result<State, Reason> {
        let ok = match outcome {
            Outcome::Enter => {
                if !turn.cx.module_clock {
                    turn.cx.warn(Warning::DatesNotChecked);
                }
                if !turn.cx.profile.has_sni() {
                    turn.cx.warn(Warning::NoSni);
                }
                return self.set(turn);
            }
            Outcome::Done(result) => result.is_ok(),
            Outcome::TimedOut => return Err(Reason::CommandTimeout),
            _ => return Ok(State::Tls(self)),
        };
        let names = Names::of(turn.cx);
        let config = names.config(turn.cx);
        let Some(QsslCfg { item, context }) = config.step(self.setting, turn.cx.profile.ssl_items)
        else {
            return Ok(turn.enter(Step::Mqtt, State::Mqtt(Mqtt::default())));
        };
        let name = item.name();
        match self.doing {
            Doing::Set if !ok && config.requires(name) => Err(Reason::CommandRefused),
            Doing::Set if !ok => {
                // An item that this firmware lacks keeps the behaviour that it has.
                if name == ItemName::Sni {
                    turn.cx.warn(Warning::NoSni);
                }
                self.setting += 1;
                self.set(turn)
            }
            Doing::Set if config.requires(name) || name == ItemName::Sni => {
                self.doing = Doing::ReadBack;
                self.heard = false;
                turn.send(&QsslCfgRead {
                    context,
                    item: name,
                })?;
                Ok(State::Tls(self))
            }
            Doing::ReadBack if self.differs && self.heard => Err(Reason::SettingNotStored),
            Doing::Set | Doing::ReadBack => {
                self.setting += 1;
                self.set(turn)
            }
        }
    }

    fn set(mut self, turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
        let names = Names::of(turn.cx);
        let config = names.config(turn.cx);
        let Some(setting) = config.step(self.setting, turn.cx.profile.ssl_items) else {
            return Ok(turn.enter(Step::Mqtt, State::Mqtt(Mqtt::default())));
        };
        self.doing = Doing::Set;
        turn.send(&setting)?;
        Ok(State::Tls(self))
    }
}
