//! TLS contexts and the sockets of `AT+QSSLOPEN`.

use std::collections::VecDeque;

use crate::{
    conn::{OpenFailure, OpenRequest, Owner},
    module::{Group, Module, Outcome},
    net::{SocketId, Transport},
    profile::{HostCheck, Slot, parse_form},
    tcp::Access,
    tls::TlsSettings,
};

/// Limit of the transport under `AT+QSSLOPEN` (manual).
const OPEN_TIMEOUT_MS: u64 = 150_000;
const PUSH_CHUNK: usize = 1500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SslState {
    Opening,
    Connected,
    Closing,
}

#[derive(Debug)]
pub(crate) struct SslSocket {
    pub(crate) context: u8,
    pub(crate) tls: u8,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) local_port: u16,
    pub(crate) access: Access,
    pub(crate) state: SslState,
    pub(crate) socket: SocketId,
    received: VecDeque<u8>,
    told: bool,
}

impl SslSocket {
    pub(crate) const fn is_connected(&self) -> bool {
        matches!(self.state, SslState::Connected)
    }
}

#[derive(Debug, Default)]
pub(crate) struct SslSockets {
    list: [Option<SslSocket>; 12],
}

impl SslSockets {
    pub(crate) fn get(&self, id: u8) -> Option<&SslSocket> {
        self.list.get(usize::from(id))?.as_ref()
    }

    fn get_mut(&mut self, id: u8) -> Option<&mut SslSocket> {
        self.list.get_mut(usize::from(id))?.as_mut()
    }

    fn take(&mut self, id: u8) -> Option<SslSocket> {
        self.list.get_mut(usize::from(id))?.take()
    }
}

impl Module {
    /// Reads a TLS context as it is when a connection opens, with the files that it names.
    pub(crate) fn tls_settings(&self, context: u8, host: &str) -> TlsSettings {
        let number = |name: &str| self.item_number(Group::Ssl, name, context, 0);
        let text = |name: &str| self.item_text(Group::Ssl, name, context, 0);
        let file = |name: &str| self.files.content(&text(name)).map(<[u8]>::to_vec);
        let mut ca = vec![file("cacert")];
        if !text("cacertex").is_empty() {
            ca.push(file("cacertex"));
        }
        let seclevel = u8::try_from(number("seclevel")).unwrap_or(0);
        let check_host = match self.profile.ssl.host_check {
            HostCheck::Always => Some(host.to_owned()),
            HostCheck::Item => (number("checkhost") == 1).then(|| host.to_owned()),
            HostCheck::Name => Some(text("checkhost")).filter(|name| !name.is_empty()),
            HostCheck::None => None,
        };
        let alpn = text("alpn");
        TlsSettings {
            host: host.to_owned(),
            version: u8::try_from(number("sslversion")).unwrap_or(4),
            tls13: self.profile.ssl.tls13,
            suites: self.suites(context),
            seclevel,
            ca,
            client: (file("clientcert"), file("clientkey")),
            client_files_required: self.profile.ssl.client_files_required
                && number("ignoreprivkey") == 0,
            sni: number("sni") == 1,
            check_host,
            cn_fallback: self.profile.ssl.cn_fallback,
            ignore_time: number("ignorelocaltime") == 1,
            ignore_signature: number("ignoreinvalidcertsign") == 1,
            ignore_chain: number("ignoremulticertchainverify") == 1
                || number("ignorecertchain") == 1,
            alpn: if alpn.is_empty() {
                vec![]
            } else {
                vec![alpn.into_bytes()]
            },
            negotiate_s: number("negotiatetime").max(1),
        }
    }

    /// The suites that a context allows: one, or all of the family.
    fn suites(&self, context: u8) -> Vec<u16> {
        let wanted = self
            .item_values(Group::Ssl, "ciphersuite", context)
            .first()
            .and_then(crate::at::Arg::code);
        match wanted.and_then(|code| u16::try_from(code).ok()) {
            Some(0xFFFF) | None => {
                let form = self
                    .profile
                    .items
                    .ssl
                    .find("ciphersuite")
                    .map(|item| parse_form(&item.test));
                let codes = form
                    .unwrap_or_default()
                    .into_iter()
                    .find_map(|slot| match slot {
                        Slot::Codes(codes) => Some(codes),
                        _ => None,
                    });
                codes
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|(code, _)| u16::try_from(code).ok())
                    .collect()
            }
            Some(code) => vec![code],
        }
    }

    pub(crate) fn start_ssl(
        &mut self,
        id: u8,
        context: u8,
        tls: u8,
        host: &str,
        port: u16,
        access: Access,
    ) {
        let settings = self.tls_settings(tls, host);
        let request = OpenRequest {
            owner: Owner::Ssl(id),
            context,
            transport: Transport::Tcp,
            host: host.to_owned(),
            port,
            tls: Some(settings),
            timeout_ms: OPEN_TIMEOUT_MS,
        };
        let socket = self.open_connection(request);
        let local_port = if self.profile.ssl.local_port {
            self.new_local_port()
        } else {
            0
        };
        let entry = SslSocket {
            context,
            tls,
            host: host.to_owned(),
            port,
            local_port,
            access,
            state: SslState::Opening,
            socket,
            received: VecDeque::new(),
            told: false,
        };
        if let Some(slot) = self.ssl.list.get_mut(usize::from(id)) {
            *slot = Some(entry);
        }
    }

    pub(crate) fn ssl_opened(&mut self, id: u8, socket: SocketId) {
        let Some(entry) = self.ssl.get_mut(id).filter(|entry| entry.socket == socket) else {
            return;
        };
        entry.state = SslState::Connected;
        if entry.access == Access::Transparent {
            self.finish(Outcome::Transparent(Owner::Ssl(id)));
        } else {
            self.urc(format!("+QSSLOPEN: {id},0"));
            self.tell_ssl_received(id);
        }
    }

    pub(crate) fn ssl_not_opened(&mut self, id: u8, socket: SocketId, failure: &OpenFailure) {
        let Some(entry) = self.ssl.get(id).filter(|entry| entry.socket == socket) else {
            return;
        };
        let transparent = entry.access == Access::Transparent;
        self.ssl.take(id);
        let code = match failure {
            OpenFailure::Dns => 565,
            _ => self.profile.ssl.fail_code,
        };
        self.note_failure(code);
        if transparent {
            self.finish(Outcome::ErrorAfter(0));
        } else {
            self.urc(format!("+QSSLOPEN: {id},{code}"));
        }
    }

    pub(crate) fn ssl_data(&mut self, id: u8, data: &[u8]) {
        let Some(entry) = self.ssl.get_mut(id) else {
            return;
        };
        entry.received.extend(data);
        self.tell_ssl_received(id);
    }

    pub(crate) fn tell_ssl_received(&mut self, id: u8) {
        let inside = self.is_transparent(Owner::Ssl(id));
        let Some(entry) = self.ssl.get_mut(id) else {
            return;
        };
        if entry.received.is_empty() || entry.state == SslState::Opening {
            return;
        }
        if entry.access == Access::Transparent {
            if inside {
                let all: Vec<u8> = entry.received.drain(..).collect();
                self.write_raw(&all);
            }
        } else if entry.access == Access::Push {
            let all: Vec<u8> = entry.received.drain(..).collect();
            for piece in all.chunks(PUSH_CHUNK) {
                let mut text = format!("+QSSLURC: \"recv\",{id},{}\r\n", piece.len()).into_bytes();
                text.extend_from_slice(piece);
                self.urc(text);
            }
        } else if !core::mem::replace(&mut entry.told, true) {
            self.urc(format!("+QSSLURC: \"recv\",{id}"));
        }
    }

    pub(crate) fn take_ssl_received(&mut self, id: u8, length: usize) -> Option<Vec<u8>> {
        let entry = self.ssl.get_mut(id)?;
        let count = length.min(entry.received.len());
        let bytes = entry.received.drain(..count).collect();
        if entry.received.is_empty() {
            entry.told = false;
        }
        Some(bytes)
    }

    pub(crate) fn ssl_closed_by_peer(&mut self, id: u8) {
        let Some(entry) = self.ssl.get_mut(id) else {
            return;
        };
        if entry.state == SslState::Opening {
            let socket = entry.socket;
            return self.ssl_not_opened(id, socket, &OpenFailure::Refused);
        }
        entry.state = SslState::Closing;
        if self.leave_transparent(Owner::Ssl(id)) {
            self.ssl.take(id);
            return;
        }
        self.urc(format!("+QSSLURC: \"closed\",{id}"));
    }

    pub(crate) fn ssl_context_gone(&mut self, id: u8) {
        self.leave_transparent(Owner::Ssl(id));
        self.ssl.take(id);
    }

    /// Whether there was such a socket.
    pub(crate) fn close_ssl(&mut self, id: u8) -> bool {
        let Some(entry) = self.ssl.take(id) else {
            return false;
        };
        self.close_connection(entry.socket);
        true
    }

    pub(crate) fn forget_ssl_sockets(&mut self) {
        self.ssl = SslSockets::default();
    }
}
