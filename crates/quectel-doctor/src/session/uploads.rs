//! Files on their way to the module.

use super::Upload;
use super::builder::Builder;
use super::files::normal_name;
use super::pem::PemSeen;
use super::pending::Pending;
use super::state::State;
use super::{Refused, attempt::Api};
use crate::command::{Command, fields};
use crate::mask::Quote;
use crate::read::Item;
use crate::time::Stamp;

impl Builder {
    pub(super) fn upload(&mut self, command: &Command, pending: &mut Pending) {
        let upload = Upload {
            name: normal_name(command.arg(0)),
            quote: pending.quote.clone(),
            declared: command.number(1),
            prompted: false,
            finished: false,
            early: None,
            interrupted: None,
            refused: None,
        };
        let name = upload.name.clone();
        self.change(|state| {
            if let Some(file) = state.files.iter_mut().find(|file| file.name == name) {
                (file.pem, file.label, file.bare_base64) = (None, None, None);
            }
        });
        if self.session.uploads.len() < 64 {
            pending.upload = Some(self.session.uploads.len());
            self.session.uploads.push(upload);
        }
    }

    fn current_upload(&mut self) -> Option<&mut Upload> {
        let at = self.pending.as_ref()?.upload?;
        self.session.uploads.get_mut(at)
    }

    pub(super) fn upload_prompted(&mut self) {
        if let Some(upload) = self.current_upload() {
            upload.prompted = true;
        }
    }

    /// `CONNECT`: the module takes data, or a transparent connection is up.
    pub(super) fn connect_prompt(&mut self, quote: &Quote, stamp: Option<Stamp>) {
        self.stamp = stamp;
        let Some(pending) = &mut self.pending else {
            return;
        };
        pending.data = true;
        let socket = if pending.is_verb(&["+QSSLOPEN"]) {
            Some(Api::Qssl)
        } else if pending.is_verb(&["+QIOPEN"]) {
            Some(Api::Tcp)
        } else {
            None
        };
        let at = pending.attempt;
        if let (Some(api), Some(at)) = (socket, at) {
            let client = self
                .session
                .attempts
                .get(at)
                .map_or(0, |attempt| attempt.client);
            self.open_result(api, client, 0, quote.clone());
        }
        self.upload_prompted();
    }

    /// Contents of a file stand in the log.
    pub(super) fn upload_contents(&mut self, text: &str, quote: &Quote) {
        let Some(pending) = &mut self.pending else {
            return;
        };
        if pending.upload.is_none() || pending.data_done {
            return;
        }
        pending.payload_bytes += text.len() as u64;
        let before_prompt = !pending.data;
        pending.data_started = true;
        if before_prompt && let Some(upload) = self.current_upload() {
            upload.early.get_or_insert_with(|| quote.clone());
        }
    }

    /// What the poster wrote in place of the contents.
    pub(super) fn upload_label(&mut self, text: &str, quote: &Quote) {
        let Some(name) = self.current_upload().map(|upload| upload.name.clone()) else {
            return;
        };
        let base64 = text.len() >= 40
            && text.starts_with("MI")
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
        if base64 {
            self.change(|state| {
                if let Some(file) = state.file_mut(&name, quote) {
                    file.bare_base64.get_or_insert_with(|| quote.clone());
                }
            });
            return;
        }
        let inside = text
            .trim()
            .trim_matches(['<', '>', '[', ']', '{', '}', '"'])
            .to_owned();
        let marked =
            inside.len() < text.trim().len() || inside.contains(".pem") || inside.contains(".key");
        if marked && (3..=120).contains(&inside.len()) {
            self.change(|state| {
                if let Some(file) = state.file_mut(&name, quote) {
                    file.label
                        .get_or_insert_with(|| (inside.clone(), quote.clone()));
                }
            });
        }
    }

    /// A PEM block is complete: the contents of an upload, or shown for itself.
    pub(super) fn pem_complete(&mut self, pem: PemSeen, item: &Item<'_>) {
        let uploading = self
            .pending
            .as_ref()
            .is_some_and(|pending| pending.upload.is_some() && !pending.data_done);
        let name = if uploading {
            self.current_upload().map(|upload| upload.name.clone())
        } else {
            None
        };
        let pem = PemSeen {
            // Where a trace spells bytes out, only a block that no byte ended a line in is on one line.
            one_line: pem.one_line
                && uploading
                && !item.source
                && !(item.spelt_out && pem.complete),
            ..pem
        };
        if let Some(name) = name {
            let quote = pem.quote.clone();
            self.change(|state| {
                if let Some(file) = state.file_mut(&name, &quote) {
                    file.pem = Some(pem.clone());
                }
            });
        }
        if self.session.pems.len() < 32 {
            self.session.pems.push(pem);
        }
    }

    pub(super) fn upload_interrupted(&mut self, quote: &Quote) {
        let (data, done) = self
            .pending
            .as_ref()
            .map_or((false, true), |pending| (pending.data, pending.data_done));
        if let Some(upload) = self.current_upload()
            && data
            && !done
        {
            upload.interrupted = Some(quote.clone());
        }
    }

    /// `+QFUPL: <size>,<checksum>`.
    pub(super) fn uploaded(&mut self, value: &str, quote: &Quote) {
        let Some(pending) = &mut self.pending else {
            return;
        };
        pending.data_done = true;
        pending.answers += 1;
        let Some((name, declared)) = self.current_upload().map(|upload| {
            upload.finished = true;
            (upload.name.clone(), upload.declared)
        }) else {
            return;
        };
        let (size, checksum) = size_and_checksum(value);
        self.change(|state| {
            store(state, &name, quote, |file| {
                file.declared = declared;
                file.size = size;
                file.checksum = checksum;
                file.uploaded = true;
                file.quote = quote.clone();
                file.refused_as_existing = None;
                file.stray_error = None;
                file.gone = None;
            });
        });
        self.last_upload = Some(name);
    }

    pub(super) fn upload_finished(
        &mut self,
        pending: &Pending,
        refused: Option<Refused>,
        quote: Option<Quote>,
    ) {
        let Some(upload) = pending
            .upload
            .and_then(|at| self.session.uploads.get_mut(at))
        else {
            return;
        };
        let (name, answered) = (upload.name.clone(), quote.is_some());
        if let (Some(refused), Some(quote)) = (refused, quote) {
            let exists = refused.cme() == Some(407);
            upload.refused = Some((refused, quote.clone()));
            if exists {
                self.change(|state| {
                    store(state, &name, &quote, |file| {
                        file.refused_as_existing = Some(quote.clone())
                    });
                });
            }
            return;
        }
        if upload.finished {
            self.last_upload = Some(name);
            return;
        }
        // SIMCom answers OK alone, and some logs leave the line out: the declared size is all there is.
        let declared = upload.declared;
        upload.finished |= answered;
        let interrupted = upload.interrupted.is_some();
        if answered && !interrupted {
            let at = pending.quote.clone();
            self.change(|state| {
                store(state, &name, &at, |file| {
                    file.declared = declared;
                    file.size = declared;
                    file.checksum = None;
                    file.uploaded = true;
                    file.quote = at.clone();
                    file.refused_as_existing = None;
                    file.gone = None;
                });
            });
        }
    }

    /// `+QFLST: "name",size`.
    pub(super) fn file_listed(&mut self, value: &str, quote: &Quote) {
        let fields = fields(value);
        let Some(name) = fields
            .first()
            .map(|field| field.text.clone())
            .filter(|name| !name.is_empty())
        else {
            return;
        };
        let size = fields
            .get(1)
            .and_then(|field| field.text.parse::<u64>().ok());
        if let Some(pending) = &mut self.pending {
            pending.answers += 1;
            if pending.listed_files.len() < 256 {
                pending.listed_files.push(normal_name(&name));
            }
        }
        if name.ends_with('/') {
            return;
        }
        self.change(|state| {
            store(state, &name, quote, |file| {
                // A listing knows no checksum; it does not forget the one of the upload.
                if file.size != size {
                    file.size = size;
                    file.checksum = None;
                    file.quote = quote.clone();
                }
                file.gone = None;
            });
        });
    }

    /// `+QFDWL: <size>,<checksum>` of the file that was asked for.
    pub(super) fn downloaded(&mut self, value: &str, quote: &Quote) {
        let Some(pending) = &mut self.pending else {
            return;
        };
        pending.data_done = true;
        pending.answers += 1;
        let Some(name) = pending
            .first()
            .map(|command| command.arg(0).to_owned())
            .filter(|name| !name.is_empty())
        else {
            return;
        };
        let (size, checksum) = size_and_checksum(value);
        self.change(|state| {
            store(state, &name, quote, |file| {
                file.size = size;
                file.checksum = checksum;
                file.quote = quote.clone();
            });
        });
    }
}

/// `<size>,<checksum>`, the checksum in hexadecimal.
fn size_and_checksum(value: &str) -> (Option<u64>, Option<u16>) {
    let fields = fields(value);
    let size = fields.first().and_then(|field| field.text.parse().ok());
    let checksum = fields
        .get(1)
        .and_then(|field| u16::from_str_radix(field.text.trim(), 16).ok());
    (size, checksum)
}

fn store(
    state: &mut State,
    name: &str,
    quote: &Quote,
    change: impl FnOnce(&mut super::files::File),
) {
    if let Some(file) = state.file_mut(name, quote) {
        change(file);
    }
}
