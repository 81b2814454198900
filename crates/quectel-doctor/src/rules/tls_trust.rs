//! Causes in the trust that TLS is built on: roots, validation, clock.

use super::{Case, Cause, Confidence, Evidence, Rule, Severity};
use crate::host::Cloud;
use crate::session::files::{File, RootFile};
use crate::session::settings::{Settings, Value};
use crate::time::{date_text, unix_of_date};

/// The command block that puts today's root of Azure in place.
const G2_UPLOAD: &[&str] = &[
    "AT+QFDEL=\"{cacert}\"",
    "AT+QFUPL=\"{cacert}\",1294,100",
    "(send DigiCert Global Root G2 with LF, expect +QFUPL: 1294,3d7c)",
    "AT+QSSLCFG=\"cacert\",{ssl},\"{cacert}\"",
];

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "tls.ca-retired-baltimore",
        title: "The root is Baltimore CyberTrust, which Azure no longer uses",
        severity: Severity::Error,
        symptom: "a device that worked for years gets `+QMTOPEN: x,-1` with seclevel 1 or 2",
        reason: "IoT Hub left this root from February 2023 on and DPS by September 2024, for DigiCert Global Root G2; \
                 Baltimore expired on 2025-05-12.",
        check: &["AT+QFLST=\"*\"", "AT+QFDWL=\"{cacert}\""],
        fix: G2_UPLOAD,
        sources: &[
            "forums.quectel.com/t/8115 (1280 bytes, 4f54)",
            "learn.microsoft.com: migrate-tls-certificate",
        ],
        rule: Rule::Attempt(baltimore),
    },
    Cause {
        id: "tls.ca-wrong-for-host",
        title: "The root on the module does not sign this server",
        severity: Severity::Error,
        symptom: "`-1`, `566`, SIMCom `34`; with verification off it connects",
        reason: "Every service has its own roots, and an intermediate or a device certificate is none of them.",
        check: &["AT+QFLST=\"*\"", "AT+QFDWL=\"{cacert}\""],
        fix: G2_UPLOAD,
        sources: &[
            "forums.quectel.com/t/3542",
            "Xinyuan-LilyGO/LilyGo-Modem-Series issue 77",
        ],
        rule: Rule::Attempt(wrong_root),
    },
    Cause {
        id: "tls.server-validation-failed",
        title: "The server's certificate does not pass the check; everything below TLS is good",
        severity: Severity::Error,
        symptom: "fails with seclevel (authmode) 1 and connects with 0",
        reason: "The same server answered with the check switched off, so network, port, version and cipher are excluded: \
                 it is the root, the name or the date.",
        check: &[
            "AT+QSSLCFG=\"cacert\",{ssl}",
            "AT+QSSLCFG=\"sni\",{ssl}",
            "AT+CCLK?",
        ],
        fix: &[
            "(upload the root of this server and bind it; send the name; set the clock; then check again:)",
            "AT+QSSLCFG=\"sni\",{ssl},1",
            "AT+QSSLCFG=\"seclevel\",{ssl},1",
        ],
        sources: &[
            "Xinyuan-LilyGO/LilyGo-Modem-Series issue 77",
            "EG800K measurement: five servers, two levels",
        ],
        rule: Rule::Attempt(validation_failed),
    },
    Cause {
        id: "tls.clock-not-set",
        title: "The module's clock stands before the certificate's time",
        severity: Severity::Error,
        symptom: "`-1` right after power-up; it works later or after NTP",
        reason: "With dates checked (`ignorelocaltime` 0) a clock of 1980 makes every certificate not yet valid.",
        check: &[
            "AT+CCLK?",
            "AT+QLTS=1",
            "AT+QSSLCFG=\"ignorelocaltime\",{ssl}",
        ],
        fix: &[
            "AT+QNTP={pdp},\"pool.ntp.org\",123",
            "(wait for +QNTP: 0,…, then)",
            "AT+QMTOPEN={client},\"{host}\",{port}",
        ],
        sources: &[
            "handlers of +CCLK: \"80/01/06 in many drivers",
            "EG800K measurement: often suspected, rarely the cause",
        ],
        rule: Rule::Attempt(clock_not_set),
    },
];

/// Hubs began to move on this day; from the second on none was left with the old root.
const HUBS_MOVE: i64 = unix_of_date(2023, 2, 15);
const DPS_MOVES: i64 = unix_of_date(2024, 1, 15);
const ALL_MOVED: i64 = unix_of_date(2024, 9, 30);
const YEAR: i64 = 365 * 86_400;
const BALTIMORE: &str = "Baltimore CyberTrust Root";

/// How a report calls a file that was recognised.
pub(super) fn file_words(file: &File, root: &RootFile) -> String {
    let name = &file.name;
    match (file.size, file.checksum) {
        (Some(size), Some(checksum)) if root.certain => {
            format!(
                "`{name}` ({size},{checksum:x}) is byte for byte the {} with {}",
                root.root.name,
                root.form_text()
            )
        }
        (Some(size), _) => format!(
            "`{name}` has the size of the {} ({size} bytes)",
            root.root.name
        ),
        _ => format!("`{name}` is the {}", root.root.name),
    }
}

fn root_of_case<'a>(case: &Case<'a>) -> Option<(&'a File, RootFile)> {
    if let Some(file) = case.file("cacert") {
        return Some((file, file.root()?));
    }
    // Where the binding was left out of the log, an uploaded root is still the one that is meant.
    let bound = case.intended().is_some_and(|s| s.get("cacert").is_some());
    let mut files = case.attempt.state.files.iter().filter(|f| f.gone.is_none());
    files.find_map(|file| {
        let root = file.root().filter(|root| root.certain && !bound)?;
        Some((file, root))
    })
}

fn verifies(settings: Option<&Settings>) -> bool {
    settings.and_then(|s| s.number("seclevel")) != Some(0)
}

fn baltimore(case: &Case<'_>) -> Option<Evidence> {
    if !case.cloud().is_azure() {
        return None;
    }
    let (file, root) = root_of_case(case)?;
    if root.root.name != BALTIMORE {
        return None;
    }
    let (time, known) = case.time();
    let moved = if case.cloud() == Cloud::AzureDps {
        DPS_MOVES
    } else {
        HUBS_MOVE
    };
    let whole = !matches!(root.damage, crate::session::files::Damage::Nul);
    let intact = if root.certain && whole {
        ": the upload was right, the root is the old one"
    } else {
        ""
    };
    let words = file_words(file, &root);
    let binding = case
        .intended()
        .and_then(|s| s.get("cacert"))
        .map(|value| &value.quote);
    let quotes = || case.failure_with([Some(&file.quote), binding]);
    let old = time < moved;
    if old && known {
        let detail = format!(
            "{words}. It was right when this was logged ({}), and is not any more.",
            date_text(time)
        );
        let mut evidence = Evidence::info(detail).quoting([&file.quote]);
        if !root.certain {
            evidence.confidence = Confidence::Likely;
        }
        return Some(evidence);
    }
    if case.tls_failed() && case.could_be("cacert") && verifies(case.intended()) {
        let judged = if known {
            String::new()
        } else {
            " The log has no date; judged by today.".to_owned()
        };
        let confidence = if root.certain && time >= ALL_MOVED {
            Confidence::Certain
        } else {
            Confidence::Likely
        };
        return Some(Evidence::error(confidence, format!("{words}{intact}.{judged}")).at(quotes()));
    }
    Some(Evidence::warning(Confidence::Likely, format!("{words}{intact}.")).at(quotes()))
}

/// The roots that a service's certificates lead to, by name.
fn expected(cloud: Cloud, host: &str) -> Option<(&'static [&'static str], &'static str)> {
    Some(match cloud {
        Cloud::AzureHub | Cloud::AzureDps if host.ends_with(".us") || host.ends_with(".cn") => (
            &["DigiCert Global Root CA", "DigiCert Global Root G2"],
            "DigiCert Global Root CA or G2",
        ),
        Cloud::AzureHub | Cloud::AzureDps => (
            &[
                "DigiCert Global Root G2",
                "DigiCert Global Root G3",
                "Microsoft RSA Root",
                "Microsoft ECC Root",
                BALTIMORE,
            ],
            "DigiCert Global Root G2 (1294,3d7c with LF)",
        ),
        Cloud::Aws { ats: true } => (
            &["Amazon Root", "Starfield"],
            "Amazon Root CA 1 (1188,2d13 with LF)",
        ),
        Cloud::HiveMq => (&["ISRG Root"], "ISRG Root X1 (1939,4f64 with LF)"),
        _ => return None,
    })
}

/// A root of this name is among those that the host's certificates lead to today.
pub(super) fn is_expected(cloud: Cloud, host: &str, root: &str) -> bool {
    expected(cloud, crate::host::bare_host(host)).is_some_and(|(names, _)| {
        root != BALTIMORE && names.iter().any(|name| root.starts_with(name))
    })
}

/// Sizes of device certificates that AWS hands out, also with a NUL behind.
const DEVICE_CERTIFICATE: &[u64] = &[1220, 1221, 1224, 1225];

/// Words for a file that has the size of a device certificate.
fn device_certificate(file: &File) -> Option<String> {
    let size = file.size.filter(|size| DEVICE_CERTIFICATE.contains(size))?;
    Some(format!(
        "`{}` has {size} bytes, the size of a device certificate, not of a root.",
        file.name
    ))
}

fn wrong_root(case: &Case<'_>) -> Option<Evidence> {
    if !case.tls_failed() || !case.could_be("cacert") || !verifies(case.intended()) {
        return None;
    }
    let settings = case.intended()?;
    let binding = settings.get("cacert")?;
    let same = settings
        .text("clientcert")
        .is_some_and(|name| name == binding.text());
    let (names, wanted) =
        expected(case.cloud(), crate::host::bare_host(&case.attempt.host)).unzip();
    let wanted = wanted.unwrap_or("the root of this server");
    let file = case.file("cacert");
    let quotes = || case.failure_with([file.map(|file| &file.quote), Some(&binding.quote)]);
    if same {
        let detail = format!(
            "The same file `{}` is bound as root and as client certificate.",
            binding.text()
        );
        return Some(Evidence::error(Confidence::Likely, detail).at(quotes()));
    }
    let file = file?;
    if let Some(other) = crate::session::files::other_file(file.size, file.checksum) {
        let detail = format!("`{}` is {other}, not the root of this server.", file.name);
        return Some(Evidence::error(Confidence::Certain, detail).at(quotes()));
    }
    let Some(root) = file.root() else {
        let detail = device_certificate(file).filter(|_| case.cloud().needs_tls())?;
        return Some(Evidence::error(Confidence::Possible, detail).at(quotes()));
    };
    let names = names?;
    if names.iter().any(|name| root.root.name.starts_with(name)) {
        return None;
    }
    let detail = format!(
        "{}, but {} needs {wanted}.",
        file_words(file, &root),
        case.cloud().name()
    );
    let confidence = if root.certain {
        Confidence::Certain
    } else {
        Confidence::Likely
    };
    let evidence = Evidence::error(confidence, detail).at(quotes());
    Some(if case.cloud().is_azure() {
        evidence
    } else {
        evidence.with_fix([
            format!("(upload {wanted} as)"),
            "AT+QFUPL=\"{cacert}\",<size>,100".to_owned(),
            "AT+QSSLCFG=\"cacert\",{ssl},\"{cacert}\"".to_owned(),
        ])
    })
}

fn validation_failed(case: &Case<'_>) -> Option<Evidence> {
    let (other, changed) = case.reference()?;
    let mine = case
        .attempt
        .ssl()?
        .get("seclevel")
        .filter(|value| value.number().is_some_and(|n| n > 0))?;
    let theirs = other.ssl().and_then(|s| s.get("seclevel"));
    let off = theirs.is_some_and(|value| value.number() == Some(0));
    // With the check off the files do not matter.
    let only_trust = changed
        .iter()
        .all(|name| matches!(name.as_str(), "seclevel" | "cacert" | "ignorelocaltime"));
    if !case.tls_failed() || !off || !only_trust {
        return None;
    }
    let detail = format!(
        "{} was refused with seclevel {} and came up with 0.",
        case.host(),
        mine.text()
    );
    let came_up = other.result.as_ref().map(|result| &result.quote);
    let quotes = case.failure_with([Some(&mine.quote), theirs.map(|value| &value.quote), came_up]);
    Some(Evidence::error(Confidence::Certain, detail).at(quotes))
}

fn clock_not_set(case: &Case<'_>) -> Option<Evidence> {
    let settings = case.intended()?;
    if !case.tls_failed() || !verifies(Some(settings)) {
        return None;
    }
    let ignore = settings.get("ignorelocaltime");
    let proven = case
        .is_proven_by_change_of("ignorelocaltime")
        .filter(|other| other.ssl().and_then(|s| s.number("ignorelocaltime")) == Some(1))
        .or_else(|| case.is_proven_by_change_of("clock"));
    if let Some(other) = proven {
        let detail = "The open failed while certificate dates were checked, and came up when they were not or the clock was right.";
        let came_up = other.result.as_ref().map(|result| &result.quote);
        let quotes = case.failure_with([ignore.map(|value| &value.quote), came_up]);
        return Some(Evidence::error(Confidence::Certain, detail).at(quotes));
    }
    let clock = case.attempt.state.network.clock.as_ref()?;
    let possible = case.could_be("clock") || case.could_be("ignorelocaltime");
    let ignored = ignore.and_then(Value::number) == Some(1);
    let behind = case
        .attempt
        .unix_s
        .is_some_and(|logged| logged - clock.value.unix_s > YEAR);
    // Nobody made this tool before 2023: an older clock without a date beside it is likely wrong too.
    let doubtful = case.attempt.unix_s.is_none() && clock.value.year < 2023;
    let wrong = clock.value.is_implausible() || behind;
    if !(wrong || doubtful) || !possible || ignored {
        return None;
    }
    let year = clock.value.year;
    let quotes = case.failure_with([Some(&clock.quote), ignore.map(|value| &value.quote)]);
    let checked = ignore.and_then(Value::number) == Some(0);
    Some(if checked && wrong {
        let detail = format!(
            "The module's clock says {year}, and `ignorelocaltime` 0 checks certificates against it."
        );
        Evidence::error(Confidence::Likely, detail).at(quotes)
    } else {
        let how = if checked {
            "dates are checked"
        } else {
            "the log does not show that dates are ignored"
        };
        let detail = format!("The module's clock says {year}, and {how}.");
        Evidence::warning(Confidence::Possible, detail).at(quotes)
    })
}
