//! Logs in odd shapes that no renderer makes: answers alone, source code, several modules, notes of a reader.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use quectel_doctor::{Report, Severity, diagnose_at};

/// 2026-11-22.
const TODAY: i64 = 1_795_305_600;

fn report(log: &str) -> Report {
    diagnose_at(log.as_bytes(), TODAY).unwrap()
}

fn errors(log: &str) -> Vec<&'static str> {
    report(log)
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.id)
        .collect()
}

fn all(log: &str) -> Vec<&'static str> {
    report(log)
        .findings
        .iter()
        .map(|finding| finding.id)
        .collect()
}

#[test]
fn answers_without_commands() {
    let log = "OK\nOK\nOK\n+QMTOPEN: 0,0\nOK\n+QMTCONN: 0,0,2\n+QMTSTAT: 0,4\n";
    assert_eq!(errors(log), ["mqtt.connack-2-id-rejected"]);
    assert_eq!(errors("OK\n+QMTOPEN: 0,3\n"), ["net.pdp-not-active"]);
    assert!(errors("OK\n+QMTOPEN: 0,0\nOK\n+QMTCONN: 0,0,0\nOK\n+QMTPUB: 0,1,0\n").is_empty());
}

#[test]
fn source_code_without_answers() {
    let log = r#"
    static const char *cmds[] = {
        "AT+QICSGP=1,1,\"internet\",\"\",\"\",0\r\n",
        "AT+QIACT=1\r\n",
        "AT+QSSLCFG=\"cacert\",1,\"UFS:ca.pem\"\r\n",
        "AT+QSSLCFG=\"seclevel\",1,1\r\n",
        "AT+QMTCFG=\"ssl\",0,1,2\r\n",
        "AT+QMTOPEN=0,\"contoso.azure-devices.net\",8883\r\n",
    };
    // the answer is always:
    // +QMTOPEN: 0,-1
    "#;
    let report = report(log);
    assert_eq!(report.sessions.len(), 1);
    assert!(report.sessions.iter().all(|session| {
        session
            .notes
            .iter()
            .any(|note| note.contains("without answers"))
    }));
    let log = format!("{log}\n+QMTOPEN: 0,-1\n");
    assert!(
        errors(&log).contains(&"tls.ctx-mismatch"),
        "{:?}",
        all(&log)
    );
}

#[test]
fn esp_at_is_another_dialect_with_the_same_causes() {
    let log = "AT+MQTTUSERCFG=0,2,\"d1\",\"{iot_hub}-devices.net/d1/?api-version=2018-06-30\",\
               \"SharedAccessSignature sr={iot_hub}-devices.net%2Fdevices%2Fd1&sig=QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY%3D&se=1893456000\",0,0,\"\"\n\
               OK\nAT+MQTTCONN=0,\"{iot_hub}-devices.net\",8883,0\nERROR\n";
    assert!(errors(log).contains(&"az.host-malformed"), "{:?}", all(log));
    assert!(!all(log).contains(&"fw.dialect"));
    assert_eq!(
        report(log).sessions.first().unwrap().module.family,
        Some("Espressif ESP-AT")
    );
}

#[test]
fn https_with_an_intermediate_for_a_root() {
    let log = "AT+QFDWL=\"amazonca.pem\"\nCONNECT\n+QFDWL: 1544,5505\nOK\n\
               AT+QHTTPCFG=\"sslctxid\",1\nOK\nAT+QSSLCFG=\"sslversion\",1,4\nOK\nAT+QSSLCFG=\"cacert\",1,\"amazonca.pem\"\nOK\n\
               AT+QSSLCFG=\"seclevel\",1,1\nOK\nAT+QHTTPURL=32,80\nCONNECT\nhttps://a1b2c3.example.com/x/y/z\nOK\n\
               AT+QHTTPGET=80\nOK\n+QHTTPGET: 701\n";
    assert!(
        errors(log).contains(&"tls.ca-wrong-for-host"),
        "{:?}",
        all(log)
    );
}

#[test]
fn a_sniffer_with_direction_columns() {
    let log = "0 AT+USECMNG=0,0,\"ca\",1188\n1 >\n1 +USECMNG: 0,0,\"ca\",\"cb17\"\n1 OK\n0 AT+UMQTT=2,\"broker.example.org\",8883\n1 OK\n0 AT+UMQTTC=1\n1 ERROR\n";
    let report = report(log);
    assert_eq!(
        report.sessions.first().unwrap().module.family,
        Some("u-blox")
    );
    assert!(
        report
            .findings
            .iter()
            .all(|finding| finding.severity < Severity::Error),
        "{:?}",
        all(log)
    );
}

#[test]
fn two_modules_in_one_paste_are_two_sessions() {
    let log = "My BG95 works:\n\nATI\nQuectel\nBG95-M3\nRevision: BG95M3LAR02A03\nOK\nAT+QSSLCFG=\"sni\",1,1\nOK\nAT+QSSLCFG=\"seclevel\",1,0\nOK\n\
               AT+QMTCFG=\"ssl\",0,1,1\nOK\nAT+QMTOPEN=0,\"x.s1.eu.hivemq.cloud\",8883\nOK\n+QMTOPEN: 0,0\nAT+QMTCONN=0,\"c\",\"u\",\"p\"\nOK\n+QMTCONN: 0,0,0\n\n\
               The EC25 does not:\n\nATI\nQuectel\nEC25\nRevision: EC25EFAR06A17M4G\nOK\nAT+QSSLCFG=\"seclevel\",1,0\nOK\n\
               AT+QMTCFG=\"ssl\",0,1,1\nOK\nAT+QMTOPEN=0,\"x.s1.eu.hivemq.cloud\",8883\nOK\n+QMTOPEN: 0,-1\n";
    let report = report(log);
    let models: Vec<_> = report
        .sessions
        .iter()
        .map(|session| session.module.model.clone().unwrap())
        .collect();
    assert_eq!(models, ["BG95-M3", "EC25"]);
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|finding| (finding.session, finding.id))
        .collect();
    assert_eq!(found, [(1, "tls.sni-missing")]);
}

#[test]
fn a_later_post_goes_on_with_the_settings_of_the_first() {
    let log = "AT+QSSLCFG=\"cacert\",2,\"ca.pem\"\nOK\nAT+QSSLCFG=\"seclevel\",2,1\nOK\nAT+QMTCFG=\"ssl\",0,1,2\nOK\n\
               AT+QMTOPEN=0,\"broker.example.org\",8883\nOK\n+QMTOPEN: 0,-1\n\n\
               Thank you for the quick answer to my question.\nI looked for the setting in the manual and found it.\nSo I tried it at once on my board:\n\n\
               AT+QSSLCFG=\"sni\",2,1\nOK\nAT+QMTOPEN=0,\"broker.example.org\",8883\nOK\n+QMTOPEN: 0,0\nAT+QMTCONN=0,\"c\"\nOK\n+QMTCONN: 0,0,0\n";
    let report = report(log);
    assert_eq!(report.sessions.len(), 2);
    assert!(
        report.findings.iter().all(|finding| finding.session == 0),
        "{:?}",
        all(log)
    );
}

#[test]
fn commands_in_sentences_are_not_sent() {
    let log = "AT+QSSLCFG=\"seclevel\",2,0\nOK\nAT+QMTCFG=\"ssl\",0,1,2\nOK\nAT+QMTOPEN=0,\"x.s1.eu.hivemq.cloud\",8883\nOK\n+QMTOPEN: 0,-1\n\
               Someone told me to send AT+QSSLCFG=\"sni\",2,1 before, is that right?\nFor example: AT+QSSLCFG=\"sni\",2,1\n";
    assert_eq!(errors(log), ["tls.sni-missing"]);
}

#[test]
fn a_reader_s_notes_on_one_line() {
    let log = "-> AT+CGREG?                     <- +CGREG: 0,4        (normal on LTE-M)\n\
               -> AT+QNWINFO                    <- +QNWINFO: \"CAT-M1\",\"33450\",\"LTE BAND 4\",2250\n\
               -> AT+QMTCFG=\"SSL\",0,1,2         OK\n\
               -> AT+QSSLCFG=\"seclevel\",2,1     OK\n\
               -> AT+QMTOPEN=0,\"contoso.azure-devices.net\",8883   <- OK <- +QMTOPEN: 0,-1\n";
    assert!(
        errors(log).contains(&"tls.seclevel-needs-ca"),
        "{:?}",
        all(log)
    );
    assert!(!all(log).contains(&"net.not-registered"));
}

#[test]
fn a_stamp_alone_on_its_line_is_the_next_line_s() {
    let log = "[10:00:00.000]\nAT+QMTOPEN=0,\"broker.example.org\",1883\n[10:00:00.020]\nOK\n[10:00:01.000]\n+QMTOPEN: 0,0\n\
               [10:00:09.000]\n+QMTSTAT: 0,1\n[10:00:10.000]\nAT+QMTCONN=0,\"c\"\n[10:00:10.020]\nERROR\n";
    let report = report(log);
    let finding = report.findings.first().unwrap();
    assert_eq!(finding.id, "mqtt.conn-too-late");
    assert!(finding.message.contains("after 8 s"), "{}", finding.message);
}

/// Firmware without an extra refuses to switch it off; switching it on is another matter.
#[test]
fn an_extra_that_is_off_anyway_may_be_refused() {
    let log = |value: u8| {
        format!(
            "AT+QSSLCFG=\"seclevel\",2,1\nOK\nAT+QSSLCFG=\"ignorecertitem\",2,{value}\nERROR\nAT+QMTCFG=\"ssl\",0,1,2\nOK\n\
             AT+QMTOPEN=0,\"contoso.azure-devices.net\",8883\nOK\n+QMTOPEN: 0,4\n"
        )
    };
    assert!(!all(&log(0)).contains(&"tls.setting-rejected"));
    assert!(all(&log(1)).contains(&"tls.setting-rejected"));
}

/// Placeholders are shown, since nobody can paste `***`; what stood in the log is not.
#[test]
fn a_fix_says_what_goes_where_the_secret_stood() {
    let log = |host: &str, user: &str, code: u8| {
        format!(
            "AT+QMTCFG=\"version\",0,4\nOK\nAT+QMTCFG=\"ssl\",0,1,2\nOK\nAT+QMTOPEN=0,\"{host}\",8883\nOK\n+QMTOPEN: 0,0\n\
             AT+QMTCONN=0,\"dev-1\",\"{user}\",\"<geheim77>\"\nOK\n+QMTCONN: 0,0,{code}\n"
        )
    };
    let hub = "contoso.azure-devices.net";
    let dps = "global.azure-devices-provisioning.net";
    let hub_user = format!("{hub}/dev-1/?api-version=2021-04-12");
    for (log, fix) in [
        (
            log("broker.example.com", "me", 5),
            "AT+QMTCONN=0,\"dev-1\",\"<user name>\",\"<password>\"",
        ),
        (
            log(hub, &hub_user, 5),
            "AT+QMTCONN=0,\"dev-1\",\"contoso.azure-devices.net/dev-1/?api-version=2021-04-12\",\"<SAS token>\"",
        ),
        (
            log(dps, "0ne001/registrations/dev-1/api-version=2019-03-31", 5),
            "AT+QMTCONN=0,\"<registration id>\",\"<id scope>/registrations/<registration id>/api-version=2019-03-31\",\"<SAS token>\"",
        ),
        (
            "AT+CPIN?\n+CPIN: SIM PIN\n\nOK\n".to_owned(),
            "AT+CPIN=\"<pin>\"",
        ),
    ] {
        let report = report(&log);
        let mut fixes = report.findings.iter().flat_map(|finding| &finding.fix);
        assert!(fixes.any(|line| line == fix), "{}", report.to_json());
        assert!(
            !report.to_json().contains("geheim77"),
            "{}",
            report.to_json()
        );
    }
}

/// An upload of the root as a byte-wise trace shows it, and as two letters `\n` typed into a terminal.
#[test]
fn line_ends_that_a_trace_spells_out_are_bytes() {
    let pem = core::str::from_utf8(azure_auth::roots::DIGICERT_GLOBAL_ROOT_G2_PEM).unwrap();
    let spelt = pem.replace('\n', "\\n");
    let open = "AT+QSSLCFG=\"cacert\",2,\"ca.pem\"\\r|OK|AT+QMTCFG=\"ssl\",0,1,2\\r|OK|\
                AT+QMTOPEN=0,\"h.azure-devices.net\",8883\\r|OK|+QMTOPEN: 0,-1";
    let dialogue =
        format!("AT+QFUPL=\"ca.pem\",1294,100\\r|CONNECT|{spelt}|+QFUPL: 1294,3d7c|OK|{open}");
    let is_host = |line: &str| line.starts_with("AT") || line.starts_with("---");
    let exact: String = dialogue
        .split('|')
        .map(|line| match is_host(line) {
            true => format!("    0.003 -> {line}\n"),
            false => format!("    0.004 <- \\r\\n{line}\\r\\n\n"),
        })
        .collect();
    assert!(!all(&exact).contains(&"file.line-endings"), "{exact}");
    let typed: String = dialogue
        .replace("\\r|", "|")
        .replace("1294,3d7c", "1316,0000")
        .split('|')
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(errors(&typed).contains(&"file.line-endings"), "{typed}");
}

#[test]
fn the_json_has_the_agreed_shape() {
    let log = "ATI\nQuectel\nBG96\nRevision: BG96MAR02A07M1G\n\nOK\nAT+QMTOPEN=0,\"mqtts://contoso.azure-devices.net\",8883\nOK\n+QMTOPEN: 0,4\n";
    let json: serde_json::Value = serde_json::from_str(&report(log).to_json()).unwrap();
    let finding = &json["findings"][0];
    assert_eq!(finding["id"], "syn.host-has-scheme");
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["confidence"], "certain");
    assert_eq!(finding["lines"][0]["number"], 7);
    assert!(finding["message"].is_string() && finding["fix"].is_array());
    assert_eq!(
        finding["fix"][0],
        "AT+QMTOPEN=0,\"contoso.azure-devices.net\",8883"
    );
    assert_eq!(json["module"]["model"], "BG96");
    assert_eq!(json["module"]["firmware"], "BG96MAR02A07M1G");
    assert_eq!(json["module"]["family"], "BG96");
    assert_eq!(json["outcome"], "open failed 4");
}
