//! What an accepted command changes in the state.

use super::credential::{Password, UserName};
use super::network::{Seen, module_clock};
use super::pending::Pending;
use super::settings::Value;
use super::state::{Listing, State};
use crate::command::{Command, Form};
use crate::mask::Quote;

pub(super) fn rest_of(command: &Command, from: usize) -> Vec<String> {
    command
        .args
        .iter()
        .skip(from)
        .map(|arg| arg.text.clone())
        .collect()
}

/// SIMCom's names of the settings that Quectel has too.
pub(super) fn ssl_name(name: &str, simcom: bool) -> String {
    let known = match name {
        "authmode" if simcom => "seclevel",
        "enablesni" if simcom => "sni",
        "ciphersuites" if simcom => "ciphersuite",
        "ignorertctime" if simcom => "ignorelocaltime",
        other => other,
    };
    known.to_owned()
}

pub(super) fn set_other(state: &mut State, command: &Command, quote: &Quote) {
    match command.verb.as_str() {
        "+CMQTTSSLCFG" => {
            if let (Some(client), Some(context)) =
                (command.number::<u8>(0), command.number::<u8>(1))
            {
                let args = vec!["1".to_owned(), context.to_string()];
                state.clients.entry(client).or_default().put(
                    "ssl",
                    Value {
                        args,
                        quote: quote.clone(),
                        read: false,
                    },
                );
            }
        }
        "+CMQTTACCQ" => {
            if let Some(client) = command.number::<u8>(0) {
                state
                    .acquired_with_tls
                    .insert(client, command.arg(2) == "1");
            }
        }
        "+MQTTUSERCFG" => {
            // <link>,<scheme>,"client id","user","password",<certificate>,<ca>,"path"
            state.esp_scheme = command.number(1);
            state
                .smconf
                .insert("clientid".to_owned(), command.arg(2).to_owned());
            // `NULL` stands for what the commands after it set.
            let text = |n: usize| {
                let text = command.args.get(n).map(|arg| arg.text.as_str());
                text.filter(|text| *text != "NULL")
            };
            state.credentials = Some((UserName::of(text(3)), Password::of(text(4))));
        }
        "+MQTTCLIENTID" => {
            let id = command.arg(1).to_owned();
            state.smconf.insert("clientid".to_owned(), id);
        }
        "+MQTTUSERNAME" | "+MQTTPASSWORD" => {
            let value = command.args.get(1).map(|arg| arg.text.as_str());
            let (user, password) = state
                .credentials
                .take()
                .unwrap_or((UserName::Absent, Password::Absent));
            state.credentials = Some(if command.is("+MQTTUSERNAME") {
                (UserName::of(value), password)
            } else {
                (user, Password::of(value))
            });
        }
        "+SMCONF" => {
            let name = command.name(0);
            let value = command.args.get(1).map(|arg| arg.text.as_str());
            let (user, password) = state
                .credentials
                .take()
                .unwrap_or((UserName::Absent, Password::Absent));
            state.credentials = Some(match name.as_str() {
                "username" => (UserName::of(value), password),
                "password" => (user, Password::of(value)),
                _ => (user, password),
            });
            if name != "password" && name != "username" {
                state
                    .smconf
                    .insert(format!("{name}/port"), command.arg(2).to_owned());
                state.smconf.insert(name, command.arg(1).to_owned());
            }
        }
        "+SMSSL" => state.smssl = command.arg(0) != "0",
        _ => {
            if command.name(0) == "sslctxid" {
                state.http_context = command.number(1);
            }
        }
    }
}

pub(super) fn delete(state: &mut State, command: &Command, quote: &Quote) {
    let pattern = command.arg(0).to_owned();
    let all = pattern == "*" || pattern.eq_ignore_ascii_case("UFS:*");
    let name = super::files::normal_name(&pattern);
    for file in state
        .files
        .iter_mut()
        .filter(|file| all || file.name == name)
    {
        file.gone = Some(quote.clone());
        file.refused_as_existing = None;
    }
    if !all
        && state.file(&name).is_none()
        && let Some(file) = state.file_mut(&name, quote)
    {
        file.gone = Some(quote.clone());
    }
    if let Some(listing) = &mut state.listing {
        listing.names.retain(|known| !all && *known != name);
    }
}

pub(super) fn listed(state: &mut State, command: &Command, names: &[String], quote: &Quote) {
    let pattern = command.arg(0);
    let ufs = pattern.is_empty() || pattern == "*" || pattern.eq_ignore_ascii_case("UFS:*");
    if ufs || pattern.ends_with('*') {
        state.listing = Some(Listing {
            names: names.to_vec(),
            quote: quote.clone(),
            ufs,
        });
    }
}

pub(super) fn set_network(state: &mut State, command: &Command, pending: &Pending, answered: bool) {
    let quote = &pending.quote;
    let network = &mut state.network;
    match (command.verb.as_str(), command.form) {
        ("+QICSGP", Form::Set) if command.args.len() > 2 => {
            let Some(context) = command.number::<u8>(0) else {
                return;
            };
            let pdp = network.pdp.entry(context).or_default();
            pdp.kind = command.number(1);
            pdp.apn = Some(Seen {
                value: command.arg(2).to_owned(),
                quote: quote.clone(),
            });
        }
        ("+CGDCONT", Form::Set) if command.args.len() > 2 => {
            let Some(context) = command.number::<u8>(0) else {
                return;
            };
            let pdp = network.pdp.entry(context).or_default();
            if pdp.apn.is_none() {
                pdp.apn = Some(Seen {
                    value: command.arg(2).to_owned(),
                    quote: quote.clone(),
                });
            }
        }
        ("+QIACT", Form::Set) => {
            if let Some(context) = command.number(0) {
                network.activate(context, quote.clone());
            }
        }
        ("+CGACT", Form::Set) if command.arg(0) == "1" => {
            if let Some(context) = command.number(1) {
                network.activate(context, quote.clone());
            }
        }
        ("+QIDEACT", Form::Set) => {
            if let Some(context) = command.number(0) {
                network.deactivate(context, quote.clone());
            }
        }
        ("+QIACT", Form::Read) if answered => network.listed(&pending.listed_contexts, quote),
        ("+CPSMS" | "+QPSMS" | "+CEDRXS" | "+QPSMCFG", Form::Set)
            if matches!(command.arg(0), "1" | "2") =>
        {
            network.sleep = Some(quote.clone());
        }
        ("+CCLK", Form::Set) => {
            if let Some(clock) = module_clock(command.arg(0)) {
                network.clock = Some(Seen {
                    value: clock,
                    quote: quote.clone(),
                });
            }
        }
        _ => {}
    }
}
