//! What `=?` answers, where a text is known.

use crate::profile::{Profile, PublishEx};

/// The same text on every module.
const FIXED: &[(&str, &str)] = &[
    ("+CMEE", "(0-2)"),
    ("+CFUN", "(0,1,4),(0,1)"),
    ("+CREG", "(0-2)"),
    ("+CGATT", "(0,1)"),
    ("+CSQ", "(0-31,99),(0-7,99)"),
    ("+IFC", "(0,2),(0,2)"),
    ("+ICF", "(3),(3)"),
    ("+CTZR", "(0-2)"),
    ("+QLTS", "(0-2)"),
    ("+QPOWD", "(0,1)"),
    ("+QISDE", "(0,1)"),
    ("+QSIMSTAT", "(0,1)"),
    ("+QSIMDET", "(0,1),(0,1)"),
    ("+CGACT", "(0,1)"),
    ("+CSMS", "(0,1)"),
    (
        "+CPMS",
        "(\"ME\",\"SM\",\"MT\"),(\"ME\",\"SM\",\"MT\"),(\"ME\",\"SM\",\"MT\")",
    ),
    ("+CMGD", "(0-255),(0-4)"),
    ("+CPAS", "(0,3,4)"),
    ("+QGPS", "(1-4)"),
    (
        "+CESQ",
        "(0-63,99),(0-7,99),(0-96,255),(0-49,255),(0-34,255),(0-97,255)",
    ),
    ("+QFOPEN", "<filename>,(0-2)"),
    ("+QFUPL", "<filename>[,(1-<freesize>)[,(1-65535)[,(0,1)]]]"),
    ("+QFDWL", "<filename>"),
    ("+QFDEL", "<filename>"),
    ("+QMTCLOSE", "(0-5)"),
    ("+QMTDISC", "(0-5)"),
    ("+QSSLCLOSE", "(0-11),(0-65535)"),
    ("+QSSLSTATE", "(0-11)"),
    ("+QICLOSE", "(0-11),(0-65535)"),
];

/// BG9x on the left, with angle brackets; EC2x and EC200-class on the right.
const BY_FAMILY: &[(&str, &str, &str)] = &[
    ("+CGREG", "(0-2,4)", "(0-2)"),
    ("+CEREG", "(0-2,4)", "(0-2)"),
    ("+CTZU", "(0,1)", "(0,1,3)"),
    (
        "+QMTOPEN",
        "(0-5),\"<host_name>\",(1-65535)",
        "(0-5),\"hostname\",(1-65535)",
    ),
    (
        "+QMTCONN",
        "(0-5),\"<clientID>\",\"<username>\",\"<password>\"",
        "(0-5),\"clientid\",\"username\",\"password\"",
    ),
    (
        "+QMTSUB",
        "(0-5),<msgID>,list of [\"<topic>\",(0-2)]",
        "(0-5),<msgid>,list of [\"topic\",qos]",
    ),
    (
        "+QMTUNS",
        "(0-5),<msgID>,list of [\"<topic>\"]",
        "(0-5),<msgid>,list of [\"topic\"]",
    ),
];

/// With the number of contexts in front.
const BY_CONTEXT: &[(&str, &str)] = &[
    ("+QIACT", ""),
    ("+QIDEACT", ""),
    (
        "+QSSLOPEN",
        ",(0-5),(0-11),<serveraddr>,<server_port>[,(0-2)]",
    ),
    ("+QIDNSCFG", ",<pridnsaddr>,<secdnsaddr>"),
    ("+QIDNSGIP", ",<hostname>"),
    ("+QPING", ",<host>,(1-255),(1-10)"),
    ("+QNTP", ",<server>,(1-65535),(0,1)"),
    (
        "+QIOPEN",
        ",(0-11),\"TCP/UDP/TCP LISTENER/UDP SERVICE\",\"<IP_address>/<domain_name>\",<remote_port>,<local_port>,(0-2)",
    ),
    ("+CGDCONT", ",\"IP\",,,(0-3),(0-4)"),
];

/// The configuration commands print one line for each item; these two lists depend on the module too.
const THEIR_OWN: &[&str] = &["+QSSLCFG", "+QMTCFG", "+QCFG", "+QICFG", "+COPS", "+IPR"];

/// The ranges after the colon; empty means that only `OK` comes; nothing means that the command answers itself.
pub(super) fn test_form(profile: &Profile, name: &str) -> Option<String> {
    if THEIR_OWN.contains(&name) {
        return None;
    }
    if let Some((_, form)) = FIXED.iter().find(|(known, _)| *known == name) {
        return Some((*form).to_owned());
    }
    if let Some(form) = super::stored::test_form(name) {
        return Some(form.to_owned());
    }
    if let Some((_, angle, plain)) = BY_FAMILY.iter().find(|(known, ..)| *known == name) {
        let form = if profile.identity.family.starts_with("bg") {
            angle
        } else {
            plain
        };
        return Some((*form).to_owned());
    }
    if let Some((_, rest)) = BY_CONTEXT.iter().find(|(known, _)| *known == name) {
        return Some(format!("(1-{}){rest}", profile.pdp.contexts));
    }
    Some(match name {
        "+QMTPUB" if profile.mqtt.publish_length => {
            "(0-5),(0-65535),(0-2),(0,1),\"<topic>\",<length>".to_owned()
        }
        "+QMTPUB" => "(0-5),(0-65535),(0-2),(0,1),\"<topic>\",\"<msg>\"".to_owned(),
        "+QMTPUBEX" if profile.mqtt.publishex == PublishEx::Inline => {
            "(0-5),<msgid>,(0-2),(0,1),\"<topic>\",\"<msg>\"".to_owned()
        }
        "+QMTPUBEX" => "(0-5),<msgid>,(0-2),(0,1),\"topic\",\"length\"".to_owned(),
        "+QSCLK" if profile.line.sleep_max == 2 => "(0-2)".to_owned(),
        "+QSCLK" => "(0,1)".to_owned(),
        "+QICSGP" => format!(
            "(1-{}),(1-{}),<APN>,<username>,<password>,(0-3)",
            profile.pdp.contexts, profile.pdp.types
        ),
        "+QCSQ" => format!("\"NOSERVICE\",\"GSM\",{}", profile.radio.qcsq_others),
        "+QSSLSEND" => format!("(0-11),(1-{})", profile.ssl.send_max),
        "+QSSLRECV" => format!("(0-11),(1-{})", profile.ssl.recv_max),
        "+QISEND" => format!("(0-11),(0-{})", profile.tcp.send_max),
        "+QIRD" => format!("(0-11),(0-{})", profile.tcp.receive_max),
        _ => String::new(),
    })
}
