//! Information lines and URCs: what the module says.

use super::attempt::Api;
use super::builder::Builder;
use super::changes::ssl_name;
use super::module::Family;
use super::network::{Seen, module_clock, registration_status};
use super::settings::Value;
use crate::command::{Arg, Form, fields};
use crate::mask::Quote;
use crate::read::Item;

impl Builder {
    /// `+NAME: value`.
    pub(super) fn information(&mut self, name: &str, value: &str, item: &Item<'_>) {
        let quote = Quote::new(item.line, item.raw);
        let answers = self.pending.as_ref().is_some_and(|pending| {
            let verb = format!("+{name}");
            pending.commands.iter().any(|command| command.verb == verb)
        });
        if answers && let Some(pending) = &mut self.pending {
            pending.answers += 1;
            pending.answer_quote.get_or_insert_with(|| quote.clone());
        }
        match name {
            "QMTOPEN" | "QMTCONN" | "QMTSTAT" | "QMTPUB" | "QMTPUBEX" | "QMTSUB" | "QSSLOPEN"
            | "QIOPEN" | "QHTTPGET" | "QHTTPPOST" | "MQTTCONNECTED" | "MQTTDISCONNECTED"
            | "CMQTTCONNECT" | "CMQTTCONNLOST" | "QIURC" | "QSSLURC" | "SMSTATE" => {
                self.connection_urc(name, value, &quote);
            }
            "QSSLCFG" | "QMTCFG" | "CSSLCFG" => self.setting_told(name, value, &quote),
            "QFUPL" | "QSECWRITE" => self.uploaded(value, &quote),
            "QFLST" => self.file_listed(value, &quote),
            "QFDWL" => self.downloaded(value, &quote),
            "QIGETERROR" => {
                if let Some(code) = fields(value)
                    .first()
                    .and_then(|field| field.text.parse().ok())
                {
                    self.session.last_tcp_error = Some((code, quote));
                }
            }
            "CGMR" | "GMR" | "QGMR" | "CGMM" | "GMM" => {
                if let Some(pending) = &mut self.pending {
                    pending
                        .identity
                        .learn_answer(value, name.ends_with('R'), &quote);
                }
            }
            "QVERSION" => {
                let mut module = core::mem::take(&mut self.session.module);
                module.learn(value, &quote);
                self.session.module = module;
            }
            "QSTASTAT" | "QGETIP" | "QWSTAST" => self.foreign(Family::WiFi, quote),
            "USECMNG" | "UMQTT" | "UUMQTTC" | "UUSORD" => self.foreign(Family::Ublox, quote),
            "CMQTTSTART" | "NETOPEN" | "CNACT" | "APP" | "CAOPEN" => {
                self.foreign(Family::Simcom, quote)
            }
            _ => self.network_told(name, value, quote),
        }
    }

    pub(super) fn foreign(&mut self, family: Family, quote: Quote) {
        if self.session.foreign.len() < 8 {
            self.session.foreign.push((family, quote));
        }
    }

    fn connection_urc(&mut self, name: &str, value: &str, quote: &Quote) {
        let all = fields(value);
        let number = |n: usize| {
            all.get(n)
                .filter(|f| !f.quoted)
                .and_then(|f| f.text.trim().parse::<i32>().ok())
        };
        let client = number(0).and_then(|n| u8::try_from(n).ok());
        let read = |form_of: &Self| {
            form_of.pending.as_ref().is_some_and(|p| {
                p.has(&format!("+{name}"), Form::Read) || p.has(&format!("+{name}"), Form::Test)
            })
        };
        match (name, client, number(1)) {
            ("QMTOPEN", Some(client), Some(code)) if !read(self) => {
                self.open_result(Api::Qmt, client, code, quote.clone())
            }
            ("QSSLOPEN", Some(client), Some(code)) if !read(self) => {
                self.open_result(Api::Qssl, client, code, quote.clone())
            }
            ("QIOPEN", Some(client), Some(code)) if !read(self) => {
                self.open_result(Api::Tcp, client, code, quote.clone())
            }
            ("QHTTPGET" | "QHTTPPOST", _, _) => {
                if let Some(code) = number(0) {
                    self.open_result(Api::Http, 0, code, quote.clone());
                }
            }
            // Two numbers of which the second is 3 or 4 can only be a state that was asked for.
            ("QMTCONN", Some(client), Some(result))
                if !read(self) && (number(2).is_some() || result < 3) =>
            {
                self.connect_result(Api::Qmt, client, result, number(2), quote.clone());
            }
            ("QMTSTAT", Some(client), Some(code)) => {
                self.status(Api::Qmt, client, i64::from(code), quote.clone())
            }
            ("QMTPUB" | "QMTPUBEX", ..) => self.publish_result(value, quote),
            ("QMTSUB", ..) => self.subscribe_result(value, quote),
            ("CMQTTCONNECT", Some(client), Some(code)) => self.cmqtt_result(client, code, quote),
            ("MQTTCONNECTED", Some(client), _) => {
                self.open_result(Api::EspAt, client, 0, quote.clone());
                self.connect_result(Api::EspAt, client, 0, Some(0), quote.clone());
            }
            ("MQTTDISCONNECTED", Some(client), _) => {
                self.status(Api::EspAt, client, 1, quote.clone())
            }
            ("CMQTTCONNLOST", Some(client), _) => self.status(Api::Cmqtt, client, 1, quote.clone()),
            ("QIURC", ..) => self.tcp_urc(&all, quote),
            _ => {}
        }
    }

    /// SIMCom reports TCP, TLS and CONNACK in one code.
    fn cmqtt_result(&mut self, client: u8, code: i32, quote: &Quote) {
        match code {
            0 => {
                self.open_result(Api::Cmqtt, client, 0, quote.clone());
                self.connect_result(Api::Cmqtt, client, 0, Some(0), quote.clone());
            }
            // 30 bad user or password, 31 not authorized.
            30 | 31 => {
                self.open_result(Api::Cmqtt, client, 0, quote.clone());
                self.connect_result(Api::Cmqtt, client, 0, Some(code - 26), quote.clone());
            }
            _ => self.open_result(Api::Cmqtt, client, code, quote.clone()),
        }
    }

    fn tcp_urc(&mut self, fields: &[Arg], quote: &Quote) {
        let text = |n: usize| fields.get(n).map_or("", |field| field.text.as_str());
        match text(0) {
            "pdpdeact" => {
                let context = text(1).parse::<u8>().unwrap_or(1);
                let recently_commanded = self.session.restarts.last().is_some_and(|restart| {
                    restart.commanded && quote.number.saturating_sub(restart.quote.number) < 12
                });
                let deactivated = self
                    .session
                    .state
                    .network
                    .pdp
                    .get(&context)
                    .and_then(|pdp| pdp.active.as_ref())
                    .is_some_and(|active| !active.value);
                if !recently_commanded && !deactivated {
                    for at in self.open.values() {
                        if let Some(attempt) = self.session.attempts.get_mut(*at)
                            && attempt.closed.is_none()
                            && attempt.is_open()
                        {
                            attempt.pdp_dropped.get_or_insert_with(|| quote.clone());
                        }
                    }
                }
                self.change(|state| state.network.deactivate(context, quote.clone()));
            }
            "dnsgip"
                if matches!(text(1).parse::<i64>(), Ok(550..=599))
                    && self.session.dns_failures.len() < 16 =>
            {
                self.session.dns_failures.push(quote.clone());
            }
            _ => {}
        }
    }

    /// The answer to a query, or to `AT+QSSLCFG=?`.
    fn setting_told(&mut self, name: &str, value: &str, quote: &Quote) {
        let all = fields(value);
        let Some(item) = all.first().map(|field| field.text.to_ascii_lowercase()) else {
            return;
        };
        let verb = format!("+{name}");
        let Some(pending) = &self.pending else { return };
        if pending.has(&verb, Form::Test) {
            if name == "QSSLCFG" {
                self.ssl_item_listed(item, quote);
            }
            return;
        }
        let asked = pending
            .commands
            .iter()
            .find(|command| command.is_set(&verb) && command.name(0) == item);
        let Some(command) = asked else { return };
        let number = command.number::<u8>(1);
        if let Some(query) = pending
            .query
            .and_then(|at| self.session.queries.get_mut(at))
        {
            query.answer.get_or_insert_with(|| quote.clone());
        }
        // +QMTCFG leaves the client out, +QSSLCFG repeats the context.
        let skip = if name == "QMTCFG" { 1 } else { 2 };
        let args: Vec<String> = all
            .iter()
            .skip(skip)
            .map(|field| field.text.clone())
            .collect();
        let Some(number) =
            number.filter(|_| !args.is_empty() && item != "aliauth" && item != "psk")
        else {
            return;
        };
        let value = Value {
            args,
            quote: quote.clone(),
            read: true,
        };
        if name == "QMTCFG" {
            self.change(|state| {
                let client = state.clients.entry(number).or_default();
                client.put(&item, value.clone());
            });
        } else {
            let item = ssl_name(&item, name == "CSSLCFG");
            self.change(|state| {
                let context = state.ssl.entry(number).or_default();
                context.put(&item, value.clone());
            });
        }
    }

    /// One line of the answer to `AT+QSSLCFG=?`.
    fn ssl_item_listed(&mut self, item: String, quote: &Quote) {
        if self.session.ssl_items.len() < 64 {
            self.session.ssl_items.push(item);
        }
        let first = &mut self.session.ssl_items_quote;
        first.get_or_insert_with(|| quote.clone());
    }

    fn network_told(&mut self, name: &str, value: &str, quote: Quote) {
        let all = fields(value);
        let text = |n: usize| all.get(n).map_or("", |field| field.text.as_str());
        let number = |n: usize| text(n).parse::<i64>().ok();
        let seen_text = |text: &str| Seen {
            value: text.to_owned(),
            quote: quote.clone(),
        };
        match name {
            "CPIN" => {
                let sim = seen_text(value.trim());
                self.change(|state| state.network.sim = Some(sim.clone()));
            }
            "CSQ" => {
                if let Some(rssi) = number(0) {
                    let seen = Seen {
                        value: rssi,
                        quote: quote.clone(),
                    };
                    self.change(|state| state.network.rssi = Some(seen.clone()));
                }
            }
            "CREG" | "CGREG" | "CEREG" => self.registration_told(name, value, quote),
            "QNWINFO" => {
                let on = !matches!(
                    text(0),
                    "" | "NOSERVICE" | "No Service" | "Unknown" | "NONE"
                );
                self.change(|state| state.network.on_network = on);
            }
            "COPS" if !text(2).is_empty() => {
                let operator = seen_text(text(2));
                self.change(|state| state.network.operator = Some(operator.clone()));
            }
            "CCLK" | "QLTS" | "QNTP" => {
                let inside = || all.iter().find_map(|field| module_clock(&field.text));
                if let Some(value) = module_clock(value).or_else(inside) {
                    let seen = Seen { value, quote };
                    self.change(|state| state.network.clock = Some(seen.clone()));
                }
            }
            _ => self.context_told(name, &all, quote),
        }
    }

    fn registration_told(&mut self, name: &str, value: &str, quote: Quote) {
        let verb = format!("+{name}");
        let pending = self.pending.as_ref();
        let read = pending.is_some_and(|pending| pending.has(&verb, Form::Read));
        let Some(value) = registration_status(value, read) else {
            return;
        };
        let seen = Seen { value, quote };
        self.change(|state| {
            let told = &mut state.network.registration_told;
            *told = told.saturating_add(1);
            let table = &mut state.network.registration;
            table.insert(name.to_owned(), seen.clone());
        });
    }

    /// Lines about PDP contexts: `+QIACT`, `+CGPADDR`, `+QICSGP`.
    fn context_told(&mut self, name: &str, all: &[Arg], quote: Quote) {
        let text = |n: usize| all.get(n).map_or("", |field| field.text.as_str());
        match name {
            "QIACT" => {
                let (Ok(context), active) = (text(0).parse::<u8>(), text(1) == "1") else {
                    return;
                };
                if active && let Some(pending) = &mut self.pending {
                    pending.listed_contexts.push(context);
                }
                let address = text(3).to_owned();
                self.change(|state| {
                    if active {
                        state.network.activate(context, quote.clone());
                        let pdp = state.network.pdp.entry(context).or_default();
                        pdp.address = Some(Seen {
                            value: address.clone(),
                            quote: quote.clone(),
                        });
                    }
                });
            }
            "CGPADDR" | "IPADDR" => {
                let (context, address) = if name == "IPADDR" {
                    (1, text(0).to_owned())
                } else {
                    (text(0).parse().unwrap_or(1), text(1).to_owned())
                };
                if address.is_empty() {
                    return;
                }
                let none = address.chars().all(|c| matches!(c, '0' | '.' | ':'));
                self.change(|state| {
                    if none {
                        state.network.deactivate(context, quote.clone());
                    } else {
                        state.network.activate(context, quote.clone());
                    }
                    let seen = Seen {
                        value: address.clone(),
                        quote: quote.clone(),
                    };
                    state.network.pdp.entry(context).or_default().address = Some(seen);
                });
            }
            "QICSGP" => self.apn_told(text(0), text(1), &quote),
            "QPSMTIMER" => self.change(|state| state.network.sleep = Some(quote.clone())),
            _ => {}
        }
    }

    /// `+QICSGP: <type>,"<apn>",…`, which does not say of which context.
    fn apn_told(&mut self, kind: &str, apn: &str, quote: &Quote) {
        let Some(pending) = &self.pending else { return };
        let mut commands = pending.commands.iter();
        let asked = commands.find(|command| command.is_set("+QICSGP"));
        let Some(context) = asked.and_then(|command| command.number::<u8>(0)) else {
            return;
        };
        let kind = kind.parse().ok();
        self.change(|state| {
            let pdp = state.network.pdp.entry(context).or_default();
            pdp.kind = kind;
            let value = apn.to_owned();
            pdp.apn = Some(Seen {
                value,
                quote: quote.clone(),
            });
        });
    }
}
