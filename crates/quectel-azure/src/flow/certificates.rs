//! Uploads the root certificate and, with X.509, the device's certificate and key.

use core::fmt::Write as _;

use quectel_at::Payload;
use quectel_file::{
    Contents, FileEntry, FileError, FileName as ModuleFile, Policy, QfDel, QfDwl, QfLst, QfUpl,
    Stored, Transferred, UploadPlan,
};

use super::{Note, Outcome, State, Turn, tls::Tls};
use crate::context::Context;
use crate::text::Text;
use crate::{Credential, Reason, Step};

/// Which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Ca,
    Certificate,
    Key,
}

impl FileKind {
    const ALL: [Self; 3] = [Self::Ca, Self::Certificate, Self::Key];

    /// Its bytes, if the settings need it.
    fn pem<'b>(self, cx: &Context<'b>) -> Option<&'b [u8]> {
        match (self, cx.config.credential) {
            (Self::Ca, _) => Some(cx.config.ca.pem),
            (Self::Certificate, Credential::X509 { certificate, .. }) => Some(certificate),
            (Self::Key, Credential::X509 { key, .. }) => Some(key),
            _ => None,
        }
    }

    /// Its name on the module and what to do with another file of that name.
    ///
    /// A derived name holds the checksum, so only a damaged upload of the same file can be in its place.
    pub(crate) fn name(self, cx: &Context<'_>) -> Option<(FileName, Policy)> {
        let pem = self.pem(cx)?;
        let mut name = FileName::EMPTY;
        if let (Self::Ca, Some(given)) = (self, cx.config.ca.name) {
            name.set(given.as_bytes());
            return Some((
                name,
                if cx.config.ca.replace {
                    Policy::Replace
                } else {
                    Policy::Keep
                },
            ));
        }
        let prefix = match self {
            Self::Ca => "ca",
            Self::Certificate => "ct",
            Self::Key => "ky",
        };
        // Writing to `Text` cannot fail.
        let _ = write!(name, "{prefix}{:04x}.pem", Contents::of(pem).checksum);
        Some((name, Policy::Replace))
    }
}

/// A file name on the module.
pub(crate) type FileName = Text<80>;

#[derive(Debug, Clone, Copy, Default)]
enum Doing {
    #[default]
    List,
    Compare,
    Delete,
    Upload,
}

/// Brings each file to the module unless it is there.
#[derive(Debug, Default)]
pub(crate) struct Certificates {
    file: usize,
    doing: Doing,
    stored: Stored,
    received: Option<Contents>,
    /// The upload is repeated once, with acknowledgements.
    again: bool,
}

/// Longer files are not read back over the serial line.
const READ_BACK_LIMIT: u32 = 8_192;
/// Seconds of silence after which the module ends an upload; a driver that died leaves the port usable after it.
const SILENCE_S: u16 = 5;

impl Certificates {
    pub(crate) fn note(&mut self, note: Note<'_>, cx: &mut Context<'_>) {
        let Note::Answer(line) = note else { return };
        if let Ok(done) = Transferred::parse(line) {
            self.received = Some(done.contents);
            cx.evidence.set(line.bytes());
        } else if let (Ok(entry), Some((name, _))) = (FileEntry::parse(line), self.name(cx))
            && let Ok(wanted) = ModuleFile::new(name.text())
        {
            self.stored.note(entry, wanted);
        }
    }

    fn kind(&self) -> Option<FileKind> {
        FileKind::ALL.get(self.file).copied()
    }

    fn name(&self, cx: &Context<'_>) -> Option<(FileName, Policy)> {
        self.kind()?.name(cx)
    }

    pub(crate) fn advance(
        mut self,
        outcome: Outcome,
        turn: &mut Turn<'_, '_>,
    ) -> Result<State, Reason> {
        let error = match outcome {
            Outcome::Enter => return self.list(turn),
            Outcome::Done(result) if result.is_ok() => None,
            Outcome::Done(result) => Some(FileError::from_result(result)),
            Outcome::TimedOut => return Err(Reason::CommandTimeout),
            Outcome::Timer | Outcome::Noted => return Ok(State::Certificates(self)),
        };
        match (self.doing, error) {
            (Doing::List, None) => self.go_on(turn),
            // A named file that is missing is an error on some families and an empty list on others.
            (Doing::List, Some(_)) => {
                self.stored = Stored::Absent;
                self.go_on(turn)
            }
            (Doing::Compare, None) => {
                self.stored = self.received.map_or(Stored::Exists, Stored::ReadBack);
                self.go_on(turn)
            }
            (Doing::Compare, Some(_)) => {
                self.stored = Stored::Exists;
                self.go_on(turn)
            }
            // Whether the old file is gone shows in the upload.
            (Doing::Delete, _) => self.upload(turn),
            (Doing::Upload, None) => self.verify(turn),
            (Doing::Upload, Some(Some(error))) if error.means_full() => Err(Reason::StorageFull),
            (Doing::Upload, Some(Some(FileError::AlreadyExists))) if !self.again => {
                self.stored = Stored::Exists;
                self.again = true;
                self.go_on(turn)
            }
            (Doing::Upload, Some(_)) => Err(Reason::FileFailed),
        }
    }

    fn next(self, turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
        Self {
            file: self.file + 1,
            ..Self::default()
        }
        .list(turn)
    }

    /// Asks for the current file; without one the step is over.
    fn list(mut self, turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
        let Some(kind) = self.kind() else {
            return Ok(turn.enter(Step::Tls, State::Tls(Tls::default())));
        };
        let Some((name, _)) = kind.name(turn.cx) else {
            return self.next(turn);
        };
        self.doing = Doing::List;
        turn.send(&QfLst::file(module_file(&name)?))?;
        Ok(State::Certificates(self))
    }

    /// Decides from what is known about the module's file.
    fn go_on(mut self, turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
        let (Some(kind), Some((name, policy))) = (self.kind(), self.name(turn.cx)) else {
            return self.next(turn);
        };
        let pem = kind.pem(turn.cx).unwrap_or_default();
        let wanted = Contents::of(pem);
        match UploadPlan::new(self.stored, wanted, policy) {
            UploadPlan::Skip => self.next(turn),
            // Keys are not read back: their derived name holds their checksum.
            UploadPlan::Compare if kind == FileKind::Key || wanted.size > READ_BACK_LIMIT => {
                self.next(turn)
            }
            UploadPlan::Compare => {
                self.doing = Doing::Compare;
                turn.send(&QfDwl {
                    name: module_file(&name)?,
                    size: wanted.size,
                })?;
                Ok(State::Certificates(self))
            }
            UploadPlan::Upload => self.upload(turn),
            UploadPlan::DeleteThenUpload => {
                self.doing = Doing::Delete;
                turn.send(&QfDel {
                    name: module_file(&name)?,
                })?;
                Ok(State::Certificates(self))
            }
            UploadPlan::Refuse(_) => Err(Reason::FileConflict),
        }
    }

    fn upload(mut self, turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
        let (Some(kind), Some((name, _))) = (self.kind(), self.name(turn.cx)) else {
            return self.next(turn);
        };
        let pem = kind.pem(turn.cx).unwrap_or_default();
        self.doing = Doing::Upload;
        self.received = None;
        let size = Contents::of(pem).size;
        let command = QfUpl {
            name: module_file(&name)?,
            size,
            timeout_s: SILENCE_S,
            ack: self.again,
        };
        turn.send_with(&command, Payload::Borrowed(pem))?;
        if kind == FileKind::Key {
            turn.link.hide_payload();
        }
        Ok(State::Certificates(self))
    }

    fn verify(mut self, turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
        let pem = self
            .kind()
            .and_then(|kind| kind.pem(turn.cx))
            .unwrap_or_default();
        let received = self.received.ok_or(Reason::AnswerUnreadable)?;
        match Contents::of(pem).verify_upload(received) {
            Ok(()) => self.next(turn),
            Err(_) if !self.again => {
                self.again = true;
                self.stored = Stored::Exists;
                self.doing = Doing::Delete;
                let (name, _) = self.name(turn.cx).ok_or(Reason::FileFailed)?;
                turn.send(&QfDel {
                    name: module_file(&name)?,
                })?;
                Ok(State::Certificates(self))
            }
            Err(_) => Err(Reason::UploadDamaged),
        }
    }
}

fn module_file(name: &FileName) -> Result<ModuleFile<'_>, Reason> {
    ModuleFile::new(name.text()).map_err(|_| Reason::FileConflict)
}
