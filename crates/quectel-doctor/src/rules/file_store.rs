//! Causes in the module's file store: an old file stayed, a name is not there, the RAM was cleared.

use super::file_contents::suspects;
use super::{Case, Cause, Confidence, Context, Evidence, Rule, Severity};
use crate::mask::Quote;
use crate::session::Session;
use crate::session::files::{File, base_name, normal_name};
use crate::session::settings::Value;

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "file.exists-407",
        title: "The upload was refused because the file exists, and the old one stayed",
        severity: Severity::Error,
        symptom: "`AT+QFUPL=…` answers `+CME ERROR: 407`, no CONNECT",
        reason: "The module does not overwrite; a driver that takes 407 for success goes on with the old contents, such as \
                 an expired root.",
        check: &["AT+QFLST=\"{cacert}\""],
        fix: &["AT+QFDEL=\"{cacert}\"", "AT+QFUPL=\"{cacert}\",<bytes>,100"],
        sources: &[
            "Azure/embedded-wireless-framework issue 31",
            "BG96 FILE AT Commands Manual V1.0, error codes",
        ],
        rule: Rule::Session(exists_anywhere),
    },
    Cause {
        id: "file.name-mismatch",
        title: "The file was stored under another name than the one that is bound",
        severity: Severity::Error,
        symptom: "all lines say OK, then `-1`",
        reason: "`RAM:cacert.pem` and `cacert.pem` are two files, and names are case-sensitive; `QSSLCFG` does not look \
                 whether a file exists.",
        check: &[
            "AT+QFLST=\"*\"",
            "AT+QFLST=\"RAM:*\"",
            "AT+QSSLCFG=\"cacert\",{ssl}",
        ],
        fix: &["AT+QSSLCFG=\"cacert\",{ssl},\"<the name as it was uploaded>\""],
        sources: &[
            "forums.quectel.com/t/3562 (RAM:)",
            "EG800K measurement (UFS: in lists)",
        ],
        rule: Rule::Attempt(name_mismatch),
    },
    Cause {
        id: "file.missing-on-module",
        title: "A file that is bound is not on the module",
        severity: Severity::Error,
        symptom: "`-1` at once; `+CME ERROR: 405`",
        reason: "`QSSLCFG` accepts any name; the missing file shows only in the handshake.",
        check: &["AT+QFLST=\"*\""],
        fix: &["AT+QFUPL=\"{cacert}\",<bytes>,100"],
        sources: &["BG96 FILE AT Commands Manual V1.0, error 405"],
        rule: Rule::Attempt(missing),
    },
    Cause {
        id: "file.ram-lost-after-reset",
        title: "The file was in the RAM, and the module restarted",
        severity: Severity::Error,
        symptom: "it worked until the restart",
        reason: "Files with the prefix `RAM:` are gone after `RDY`; those in the UFS stay.",
        check: &["AT+QFLST=\"RAM:*\""],
        fix: &[
            "AT+QFUPL=\"UFS:cacert.pem\",<bytes>,100",
            "AT+QSSLCFG=\"cacert\",{ssl},\"UFS:cacert.pem\"",
        ],
        sources: &["EC2x FILE AT Commands Manual, storages"],
        rule: Rule::Attempt(ram_lost),
    },
    Cause {
        id: "file.prompt-missed",
        title: "The contents were not sent when the module waited for them",
        severity: Severity::Error,
        symptom: "text before CONNECT, a new command before `+QFUPL:`, or `+CME ERROR: 421`",
        reason: "Only what follows CONNECT goes into the file, and the upload is over only with its `+QFUPL:` line.",
        check: &["AT+QFLST=\"*\""],
        fix: &[
            "AT+QFUPL=\"{cacert}\",<bytes>,100",
            "(wait for CONNECT, send the bytes, wait for +QFUPL: and OK)",
        ],
        sources: &["BG96 FILE AT Commands Manual V1.0, AT+QFUPL"],
        rule: Rule::Session(prompt_missed),
    },
    Cause {
        id: "file.storage-full",
        title: "There is no room for the file",
        severity: Severity::Error,
        symptom: "`+CME ERROR: 403`, `420` or `423` behind `QFUPL`",
        reason: "The file store is full, or the file is larger than what is left.",
        check: &["AT+QFLDS=\"UFS\"", "AT+QFLST=\"*\""],
        fix: &[
            "AT+QFDEL=\"<a file that nobody needs>\"",
            "AT+QFUPL=\"{cacert}\",<bytes>,100",
        ],
        sources: &["BG96 FILE AT Commands Manual V1.0, error codes"],
        rule: Rule::Session(storage_full),
    },
];

fn did_not_work(case: &Case<'_>) -> bool {
    case.tls_failed() || (case.attempt.is_open() && case.attempt.failed())
}

/// The upload that was refused because of the file that is still there.
fn still_there(session: &Session, file: &File) -> Option<Evidence> {
    let refused = file.refused_as_existing.as_ref()?;
    let old = file.size.map(|size| format!(" It still has {size} bytes."));
    let old = old.unwrap_or_default();
    let mut uploads = session.uploads.iter();
    let upload = uploads.find(|upload| upload.name == file.name && upload.refused.is_some());
    let name = &file.name;
    let detail = format!(
        "The upload of `{name}` was refused with 407, and nothing deleted the old file.{old}"
    );
    let asked = upload.map(|upload| &upload.quote);
    let quotes: Vec<&Quote> = asked.into_iter().chain([refused, &file.quote]).collect();
    let size = upload
        .and_then(|upload| upload.declared)
        .map(|size| size.to_string());
    let size = size.unwrap_or_else(|| "<bytes>".to_owned());
    let fix = [
        format!("AT+QFDEL=\"{name}\""),
        format!("AT+QFUPL=\"{name}\",{size},100"),
    ];
    Some(
        Evidence::error(Confidence::Likely, detail)
            .quoting(quotes)
            .with_fix(fix),
    )
}

fn exists_anywhere(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let mut all = Vec::new();
    for (index, attempt) in session.attempts.iter().enumerate() {
        let case = Case::new(context, index, attempt);
        let mut files = suspects(&case).into_iter().map(|(_, file)| file);
        let evidence = files.find_map(|file| still_there(session, file));
        all.extend(evidence.map(|evidence| evidence.of(index)));
    }
    if session.attempts.is_empty() {
        let files = session.state.files.iter();
        all.extend(
            files
                .filter_map(|file| still_there(session, file))
                .map(Evidence::milder),
        );
    }
    all
}

/// The files that the context binds, as it names them.
fn bindings<'a>(case: &Case<'a>) -> Vec<(&'static str, &'a Value)> {
    let Some(settings) = case.intended() else {
        return Vec::new();
    };
    ["cacert", "clientcert", "clientkey"]
        .into_iter()
        .filter(|name| case.could_be(name))
        .filter_map(|name| Some((name, settings.get(name)?)))
        .filter(|(_, value)| !value.text().is_empty())
        .collect()
}

fn name_mismatch(case: &Case<'_>) -> Option<Evidence> {
    if !did_not_work(case) {
        return None;
    }
    bindings(case).into_iter().find_map(|(setting, value)| {
        let state = &case.attempt.state;
        if state
            .file(value.text())
            .is_some_and(|file| file.gone.is_none())
        {
            return None;
        }
        let stem = |name: &str| {
            base_name(name)
                .split('.')
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let same_stem = || {
            state.files.iter().find(|file| {
                file.gone.is_none() && file.uploaded && stem(&file.name) == stem(value.text())
            })
        };
        let near = state.near_miss(value.text()).or_else(same_stem)?;
        let taken = bindings(case)
            .iter()
            .any(|(_, other)| normal_name(other.text()) == near.name);
        if taken {
            return None;
        }
        let context = case.intended_context().unwrap_or_default();
        let detail = format!(
            "`{setting}` names `{}`, but the file on the module is `{}`.",
            value.text(),
            near.name
        );
        let quotes = case.failure_with([Some(&near.quote), Some(&value.quote)]);
        let fix = [format!(
            "AT+QSSLCFG=\"{setting}\",{context},\"{}\"",
            near.name
        )];
        Some(
            Evidence::error(Confidence::Likely, detail)
                .at(quotes)
                .with_fix(fix),
        )
    })
}

fn missing(case: &Case<'_>) -> Option<Evidence> {
    if !did_not_work(case) || case.has_any(&["file.name-mismatch"]) {
        return None;
    }
    let state = &case.attempt.state;
    bindings(case).into_iter().find_map(|(setting, value)| {
        let name = normal_name(value.text());
        let file = state.file(&name);
        let restarted = file.is_some_and(|file| file.name.starts_with("RAM:"));
        let deleted = file
            .and_then(|file| file.gone.as_ref())
            .filter(|_| !restarted);
        let listing = state.listing.as_ref().filter(|listing| {
            let newer =
                file.is_none_or(|file| !file.uploaded || file.quote.number < listing.quote.number);
            listing.ufs
                && !name.contains(':')
                && newer
                && !listing.names.contains(&name)
                && state.near_miss(&name).is_none()
        });
        let not_found = case.session.refusals.iter().find(|refusal| {
            refusal.refused.cme() == Some(405)
                && normal_name(refusal.command.arg(0)) == name
                && file.is_none_or(|file| file.quote.number < refusal.quote.number)
        });
        // Refused for another reason than that it exists, and never there.
        let refused = case.session.uploads.iter().find_map(|upload| {
            let (refused, quote) = upload.refused.as_ref()?;
            let same = base_name(&normal_name(&upload.name)) == base_name(&name);
            let told = matches!(refused.cme(), Some(code) if code != 407);
            (same && told && file.is_none_or(|file| !file.uploaded)).then_some(quote)
        });
        let (why, quote) = if let Some(quote) = deleted {
            ("was deleted and not uploaded again", quote)
        } else if let Some(listing) = listing {
            (
                "is not among the files that the module lists",
                &listing.quote,
            )
        } else if let Some(quote) = refused {
            ("was refused when it was uploaded", quote)
        } else {
            ("was not found", &not_found?.answer)
        };
        let detail = format!("`{setting}` names `{}`, which {why}.", value.text());
        let quotes = case.failure_with([Some(quote), Some(&value.quote)]);
        Some(
            Evidence::error(Confidence::Likely, detail)
                .at(quotes)
                .with_fix([format!("AT+QFUPL=\"{name}\",<bytes>,100")]),
        )
    })
}

fn ram_lost(case: &Case<'_>) -> Option<Evidence> {
    if case.attempt.is_success() {
        return None;
    }
    bindings(case).into_iter().find_map(|(setting, value)| {
        let file = case
            .attempt
            .state
            .file(value.text())
            .filter(|file| file.name.starts_with("RAM:"))?;
        let gone = file.gone.as_ref()?;
        let restart = case
            .session
            .restarts
            .iter()
            .any(|restart| restart.quote.number == gone.number);
        restart.then(|| {
            let detail = format!(
                "`{setting}` names `{}`, which was uploaded before the restart.",
                value.text()
            );
            Evidence::error(Confidence::Certain, detail)
                .at(case.failure_with([Some(&file.quote), Some(gone)]))
        })
    })
}

fn prompt_missed(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let mut all = Vec::new();
    for upload in &session.uploads {
        let repeated = session.uploads.iter().any(|other| {
            other.name == upload.name
                && other.finished
                && other.interrupted.is_none()
                && other.quote.number > upload.quote.number
        });
        if repeated || session.is_success() {
            continue;
        }
        let (what, quote) = match (&upload.refused, &upload.interrupted, &upload.early) {
            (Some((refused, answer)), ..) if refused.cme() == Some(421) => {
                ("The module waited in vain for the contents of", answer)
            }
            (_, Some(next), _) => (
                "The next command came before the upload was finished of",
                next,
            ),
            (_, _, Some(early)) if upload.prompted || !upload.finished => {
                ("The contents were sent before CONNECT for", early)
            }
            _ => continue,
        };
        let detail = format!("{what} `{}`.", upload.name);
        let fix = [
            format!("AT+QFDEL=\"{}\"", upload.name),
            format!(
                "AT+QFUPL=\"{}\",{},100",
                upload.name,
                upload
                    .declared
                    .map_or_else(|| "<bytes>".to_owned(), |n| n.to_string())
            ),
            "(wait for CONNECT, send the bytes, wait for +QFUPL: and OK)".to_owned(),
        ];
        all.push(
            Evidence::error(Confidence::Likely, detail)
                .quoting([&upload.quote, quote])
                .with_fix(fix),
        );
    }
    all
}

fn storage_full(context: &Context<'_>) -> Vec<Evidence> {
    let full = context.session.uploads.iter().filter_map(|upload| {
        let (refused, answer) = upload.refused.as_ref()?;
        let code = refused
            .cme()
            .filter(|code| matches!(code, 403 | 420 | 423))?;
        let later = context
            .session
            .uploads
            .iter()
            .any(|other| other.name == upload.name && other.finished);
        (!later).then(|| {
            let detail = format!("The upload of `{}` was refused with {code}.", upload.name);
            Evidence::error(Confidence::Certain, detail).quoting([&upload.quote, answer])
        })
    });
    full.collect()
}
