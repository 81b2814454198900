//! The forum thread that began it: forums.quectel.com 8115, "Connect module to Azure IoT Hub".

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use quectel_doctor::{Finding, Report, SessionReport, Severity, diagnose_at};

/// 2026-11-22.
const TODAY: i64 = 1_795_305_600;

fn report() -> Report {
    diagnose_at(include_bytes!("thread/8115.txt").as_slice(), TODAY).unwrap()
}

fn session(report: &Report, number: usize) -> &SessionReport {
    report.sessions.get(number).unwrap()
}

fn finding<'a>(report: &'a Report, session: usize, id: &str) -> &'a Finding {
    let found = report
        .findings
        .iter()
        .find(|finding| finding.session == session && finding.id == id);
    found
        .ok_or_else(|| format!("{id} not found in session {session}"))
        .unwrap()
}

fn ids(report: &Report, session: usize, severity: Severity) -> Vec<&str> {
    let of = report
        .findings
        .iter()
        .filter(|finding| finding.session == session && finding.severity == severity);
    of.map(|finding| finding.id).collect()
}

fn ruled_out<'a>(session: &'a SessionReport, id: &str) -> &'a str {
    session
        .ruled_out
        .iter()
        .find(|out| out.id == id)
        .map(|out| out.reason.as_str())
        .ok_or(id)
        .unwrap()
}

#[test]
fn the_thread_holds_four_sessions() {
    let report = report();
    let modules: Vec<_> = report
        .sessions
        .iter()
        .map(|session| session.module.firmware.as_deref().unwrap_or("?"))
        .collect();
    assert_eq!(
        modules,
        [
            "BG96MAR02A08M1G",
            "EC21EUXGAR08A02M1G",
            "BG96MAR02A07M1G",
            "BG96MAR02A07M1G"
        ]
    );
    let outcomes: Vec<_> = report
        .sessions
        .iter()
        .map(|session| session.outcome.as_str())
        .collect();
    assert_eq!(
        outcomes,
        [
            "success",
            "open failed -1",
            "open failed -1",
            "open failed -1"
        ]
    );
    assert_eq!(
        report.main_session().unwrap().module.model.as_deref(),
        Some("EC21")
    );
}

#[test]
fn the_reference_log_succeeds_with_warnings() {
    let report = report();
    assert!(ids(&report, 0, Severity::Error).is_empty());
    assert!(
        finding(&report, 0, "az.topic-not-allowed")
            .message
            .contains("mydevice1/topic")
    );
    finding(&report, 0, "az.api-version-missing");
    let log = session(&report, 0);
    assert!(ruled_out(log, "az.sas-expired").contains("2019-07-16"));
    assert!(
        log.notes
            .iter()
            .any(|note| note.contains("ended on 2019-07-16")),
        "{:?}",
        log.notes
    );
}

#[test]
fn the_ec21_user_configured_another_context() {
    let report = report();
    let mismatch = finding(&report, 1, "tls.ctx-mismatch");
    assert_eq!(mismatch.severity, Severity::Error);
    assert!(
        mismatch
            .message
            .contains("context 1, but the connection uses context 2"),
        "{}",
        mismatch.message
    );
    assert_eq!(
        mismatch.fix.get(1).map(String::as_str),
        Some("AT+QMTCFG=\"ssl\",0,1,1")
    );
    let level = finding(&report, 1, "tls.seclevel2-no-client-cert");
    assert_eq!(level.fix, ["AT+QSSLCFG=\"seclevel\",1,1"]);
    let root = finding(&report, 1, "tls.ca-retired-baltimore");
    for part in [
        "1280,4f54",
        "byte for byte",
        "CR LF and no final newline",
        "the upload was right",
        "2025-05-12",
        "DigiCert Global Root G2",
    ] {
        assert!(root.message.contains(part), "{part}: {}", root.message);
    }
    assert!(root.fix.iter().any(|line| line.contains("1294,3d7c")));
    let endings = finding(&report, 1, "file.line-endings");
    assert_eq!(endings.severity, Severity::Info);
    assert!(
        endings.message.contains("not the fault"),
        "{}",
        endings.message
    );
}

#[test]
fn the_bg96_user_lacks_the_server_name_and_nothing_else() {
    let report = report();
    for (number, client, ssl, pdp) in [(2, 1, 0, 2), (3, 0, 2, 1)] {
        let log = session(&report, number);
        assert_eq!(
            ids(&report, number, Severity::Error),
            ["tls.sni-unsupported-fw", "tls.sni-missing"]
        );
        let firmware = finding(&report, number, "tls.sni-unsupported-fw");
        assert!(
            firmware.message.contains("no `sni` item"),
            "{}",
            firmware.message
        );
        let shown = |text: &str| firmware.lines.iter().any(|line| line.text.contains(text));
        assert!(
            shown("BG96MAR02A07M1G") && shown(",-1"),
            "{:?}",
            firmware.lines
        );
        assert!(
            firmware.fix.iter().any(|line| line.contains("your hub")),
            "{:?}",
            firmware.fix
        );
        let agree = format!(
            "client {client} uses SSL context {ssl}, PDP context {pdp}: the context that was configured"
        );
        assert_eq!(ruled_out(log, "tls.ctx-mismatch"), agree);
        assert!(ruled_out(log, "tls.version-too-old").contains("TLS 1.2"));
        assert!(ruled_out(log, "tls.seclevel2-no-client-cert").contains("client_cert.pem"));
        assert!(ruled_out(log, "tls.clock-not-set").contains("ignorelocaltime 1"));
        assert!(ruled_out(log, "net.pdp-not-active").contains("is active with"));
        let lead = finding(&report, number, "file.length-mismatch");
        assert_eq!(lead.severity, Severity::Info);
        for part in [
            "1282 bytes",
            "5155 and not 425e",
            "not known",
            "(1188,707e) is not Amazon Root CA 1",
        ] {
            assert!(lead.message.contains(part), "{part}: {}", lead.message);
        }
    }
    assert!(ruled_out(session(&report, 3), "file.exists-407").contains("handled rightly"));
}

#[test]
fn each_session_alone_says_the_same() {
    let thread = include_str!("thread/8115.txt");
    let all: Vec<&str> = thread.lines().collect();
    for (number, session) in report().sessions.iter().enumerate().skip(1) {
        let (first, last) = (
            usize::try_from(session.first_line).unwrap(),
            usize::try_from(session.last_line).unwrap(),
        );
        let alone = all.get(first - 1..last).unwrap().join("\n");
        let alone = diagnose_at(alone.as_bytes(), TODAY).unwrap();
        let errors = ids(&alone, 0, Severity::Error);
        assert_eq!(
            errors,
            ids(&report(), number, Severity::Error),
            "session {number}"
        );
    }
}
