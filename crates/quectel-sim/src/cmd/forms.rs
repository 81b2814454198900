//! What `=?` answers, where a text is known.

use crate::profile::{Profile, PublishEx};

/// The ranges after the colon; empty means that only `OK` comes; nothing means that the command answers itself.
pub(super) fn test_form(profile: &Profile, name: &str) -> Option<String> {
    let contexts = profile.pdp.contexts;
    let angle = profile.identity.family.starts_with("bg");
    let fixed = match name {
        // The configuration commands print one line for each item.
        "+QSSLCFG" | "+QMTCFG" | "+QCFG" | "+QICFG" | "+COPS" | "+IPR" => return None,
        // CME 405 and the like do not matter for a test form: plain OK.
        "+CMEE" => "(0-2)",
        "+CFUN" => "(0,1,4),(0,1)",
        "+CREG" => "(0-2)",
        "+CGREG" | "+CEREG" if angle => "(0-2,4)",
        "+CGREG" | "+CEREG" => "(0-2)",
        "+CGATT" => "(0,1)",
        "+CSQ" => "(0-31,99),(0-7,99)",
        "+QCSQ" => "\"NOSERVICE\",\"GSM\",\"CAT-M1\",\"CAT-NB1\"",
        "+IFC" => "(0,2),(0,2)",
        "+ICF" => "(3),(3)",
        "+CTZU" if angle => "(0,1)",
        "+CTZU" => "(0,1,3)",
        "+CTZR" => "(0-2)",
        "+QLTS" => "(0-2)",
        "+QPOWD" => "(0,1)",
        "+QSCLK" => "(0,1)",
        "+QISDE" => "(0,1)",
        "+QSIMSTAT" => "(0,1)",
        "+QSIMDET" => "(0,1),(0,1)",
        "+CGACT" => "(0,1)",
        "+QFOPEN" => "<filename>,(0-2)",
        "+QFUPL" => "<filename>[,(1-<freesize>)[,(1-65535)[,(0,1)]]]",
        "+QFDWL" | "+QFDEL" => "<filename>",
        "+QMTOPEN" if angle => "(0-5),\"<host_name>\",(1-65535)",
        "+QMTOPEN" => "(0-5),\"hostname\",(1-65535)",
        "+QMTCONN" if angle => "(0-5),\"<clientID>\",\"<username>\",\"<password>\"",
        "+QMTCONN" => "(0-5),\"clientid\",\"username\",\"password\"",
        "+QMTCLOSE" | "+QMTDISC" => "(0-5)",
        "+QMTSUB" if angle => "(0-5),<msgID>,list of [\"<topic>\",(0-2)]",
        "+QMTSUB" => "(0-5),<msgid>,list of [\"topic\",qos]",
        "+QMTUNS" if angle => "(0-5),<msgID>,list of [\"<topic>\"]",
        "+QMTUNS" => "(0-5),<msgid>,list of [\"topic\"]",
        "+QMTPUB" if profile.mqtt.publish_length => {
            "(0-5),(0-65535),(0-2),(0,1),\"<topic>\",<length>"
        }
        "+QMTPUB" => "(0-5),(0-65535),(0-2),(0,1),\"<topic>\",\"<msg>\"",
        "+QMTPUBEX" if profile.mqtt.publishex == PublishEx::Inline => {
            "(0-5),<msgid>,(0-2),(0,1),\"<topic>\",\"<msg>\""
        }
        "+QMTPUBEX" => "(0-5),<msgid>,(0-2),(0,1),\"topic\",\"length\"",
        "+QMTRECV" => "",
        "+QSSLSEND" => return Some(format!("(0-11),(1-{})", profile.ssl.send_max)),
        "+QSSLRECV" => return Some(format!("(0-11),(1-{})", profile.ssl.recv_max)),
        "+QSSLCLOSE" => "(0-11),(0-65535)",
        "+QSSLSTATE" => "(0-11)",
        "+QSSLOPEN" => {
            return Some(format!(
                "(1-{contexts}),(0-5),(0-11),<serveraddr>,<server_port>[,(0-2)]"
            ));
        }
        "+QIACT" | "+QIDEACT" => return Some(format!("(1-{contexts})")),
        "+QICSGP" => {
            return Some(format!(
                "(1-{contexts}),(1-3),<APN>,<username>,<password>,(0-3)"
            ));
        }
        "+QIDNSCFG" => return Some(format!("(1-{contexts}),<pridnsaddr>,<secdnsaddr>")),
        "+QIDNSGIP" => return Some(format!("(1-{contexts}),<hostname>")),
        "+QPING" => return Some(format!("(1-{contexts}),<host>,(1-255),(1-10)")),
        "+QNTP" => return Some(format!("(1-{contexts}),<server>,(1-65535),(0,1)")),
        "+QIOPEN" => {
            return Some(format!(
                "(1-{contexts}),(0-11),\"TCP/UDP/TCP LISTENER/UDP SERVICE\",\"<IP_address>/<domain_name>\",<remote_port>,<local_port>,(0-2)"
            ));
        }
        "+QISEND" => return Some(format!("(0-11),(0-{})", profile.tcp.send_max)),
        "+QIRD" => return Some(format!("(0-11),(0-{})", profile.tcp.receive_max)),
        "+QICLOSE" => "(0-11),(0-65535)",
        "+CGDCONT" => {
            return Some(format!("(1-{contexts}),\"IP\",,,(0-2),(0-4)"));
        }
        _ => "",
    };
    Some(fixed.to_owned())
}
