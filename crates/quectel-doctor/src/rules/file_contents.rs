//! Causes in what arrived on the module: length, line ends, extra bytes, the wrong kind of file.

use azure_auth::roots::{ROOTS, TextForm};

use super::tls_trust::file_words;
use super::{Case, Cause, Confidence, Context, Evidence, Rule, Severity};
use crate::mask::Quote;
use crate::read::Ending;
use crate::session::files::{Damage, File, size_twin};

const UPLOAD_AGAIN: &[&str] = &[
    "AT+QFDEL=\"{cacert}\"",
    "AT+QFUPL=\"{cacert}\",<bytes that will be sent>,100",
    "(wait for CONNECT, send exactly so many bytes, compare size and checksum of the answer)",
];

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "file.length-mismatch",
        title: "What arrived on the module is not the file that was sent",
        severity: Severity::Error,
        symptom: "`+QFUPL:` reports other numbers than expected, or `ERROR` follows the upload; later `-1`",
        reason: "The declared size was counted with other line ends than those sent, or bytes were lost on the way; the \
                 module keeps what came and says OK.",
        check: &["AT+QFLST=\"{cacert}\"", "AT+QFDWL=\"{cacert}\""],
        fix: UPLOAD_AGAIN,
        sources: &[
            "forums.quectel.com/t/3562",
            "forums.quectel.com/t/57329 (EC200U, bytes lost without flow control)",
        ],
        rule: Rule::Session(length_mismatch),
    },
    Cause {
        id: "file.nul-terminator",
        title: "A NUL byte was sent behind the file",
        severity: Severity::Error,
        symptom: "the size is one more than the file's, with the same checksum: 1189,2d13 or 1295,3d7c",
        reason: "The length came from `sizeof` of a C string, which counts its terminator; some firmware does not accept \
                 such a file.",
        check: &["AT+QFLST=\"{cacert}\""],
        fix: UPLOAD_AGAIN,
        sources: &[
            "forums.quectel.com/t/5965",
            "Xinyuan-LilyGO/LilyGo-Modem-Series issue 77",
        ],
        rule: Rule::Attempt(nul_terminator),
    },
    Cause {
        id: "file.line-endings",
        title: "Line ends of the certificate",
        severity: Severity::Warning,
        symptom: "`\\r`, `\\n` and `\\r\\n` are tried in turn",
        reason: "The modules take LF and CR LF alike; CR alone, or `\\n` as two letters on one line, is no PEM.",
        check: &["AT+QFDWL=\"{cacert}\""],
        fix: UPLOAD_AGAIN,
        sources: &[
            "forums.quectel.com/t/3562",
            "forums.quectel.com/t/5965",
            "forums.quectel.com/t/8115",
        ],
        rule: Rule::Session(line_endings),
    },
    Cause {
        id: "file.bom-or-garbage",
        title: "Extra bytes stand before BEGIN",
        severity: Severity::Error,
        symptom: "the size is three more than the file's: 1297,2c86",
        reason: "An editor saved the file as UTF-8 with a byte-order mark; the module's parser does not skip it.",
        check: &["AT+QFDWL=\"{cacert}\""],
        fix: UPLOAD_AGAIN,
        sources: &["computed from the public roots"],
        rule: Rule::Attempt(bom),
    },
    Cause {
        id: "file.pem-armor-missing",
        title: "The lines BEGIN and END are missing, or the file is DER",
        severity: Severity::Error,
        symptom: "the size is 54 less than the file's",
        reason: "The module wants complete PEM text; Base64 alone is no certificate to it.",
        check: &["AT+QFDWL=\"{cacert}\""],
        fix: UPLOAD_AGAIN,
        sources: &["forums.quectel.com/t/4567 (MC60)"],
        rule: Rule::Attempt(armor_missing),
    },
];

const BOUND: &[&str] = &["cacert", "clientcert", "clientkey"];

/// Files that the context names, when the connection did not work and they can be the reason.
pub(super) fn suspects<'a>(case: &Case<'a>) -> Vec<(&'static str, &'a File)> {
    let attempt = case.attempt;
    if !(case.tls_failed() || (attempt.is_open() && attempt.failed())) {
        return Vec::new();
    }
    BOUND
        .iter()
        .filter(|name| case.could_be(name))
        .filter_map(|name| Some((*name, case.file(name)?)))
        .collect()
}

fn length_mismatch(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let mut all = Vec::new();
    for (index, attempt) in session.attempts.iter().enumerate() {
        let case = Case::new(context, index, attempt);
        for (setting, file) in suspects(&case) {
            let evidence = damaged_length(file).or_else(|| unknown_twin(&case, setting, file));
            all.extend(evidence.map(|evidence| evidence.of(index)));
        }
        all.extend(unbound(&case).map(|evidence| evidence.of(index)));
    }
    // Uploads that no connection has used yet.
    let last = session
        .attempts
        .last()
        .and_then(|attempt| attempt.quote.as_ref());
    let last = last.map_or(0, |quote| quote.number);
    let unused = session
        .state
        .files
        .iter()
        .filter(|file| file.quote.number > last);
    all.extend(unused.filter_map(damaged_length));
    all
}

/// A damaged upload that no setting names, because the log leaves the binding out.
fn unbound(case: &Case<'_>) -> Option<Evidence> {
    let settings = case.intended()?;
    if !case.tls_failed() || BOUND.iter().any(|name| settings.get(name).is_some()) {
        return None;
    }
    let mut files = case.attempt.state.files.iter().filter(|file| file.uploaded);
    files.find_map(damaged_length)
}

fn damaged_length(file: &File) -> Option<Evidence> {
    let name = &file.name;
    if let (Some(declared), Some(size)) = (file.declared, file.size)
        && declared != size
    {
        let detail = format!("`{name}` was declared with {declared} bytes, and {size} arrived.");
        return Some(Evidence::error(Confidence::Certain, detail).quoting([&file.quote]));
    }
    if let Some(error) = &file.stray_error {
        let size = file.size.unwrap_or_default();
        let twin = file
            .checksum
            .zip(size_twin(size))
            .filter(|(sum, twin)| *sum != twin.1);
        let like = twin.map_or(String::new(), |(sum, (root, wanted, _))| {
            format!(
                " {size} bytes are the size of {}, but its checksum is {wanted:x}, not {sum:x}.",
                root.name
            )
        });
        let detail = format!(
            "More bytes were sent for `{name}` than declared: the rest was taken for a command.{like}"
        );
        return Some(Evidence::error(Confidence::Likely, detail).quoting([&file.quote, error]));
    }
    let pem = file.pem.as_ref()?;
    let shown = pem.root()?;
    let stored = crate::session::files::recognise(file.size?, file.checksum);
    (file.checksum.is_some() && stored.is_none()).then(|| {
        let detail = format!(
            "The log shows the {} for `{name}`, but what arrived has other numbers.",
            shown.root.name
        );
        Evidence::error(Confidence::Likely, detail).quoting([&file.quote, &pem.quote])
    })
}

/// A file with the size of a known root and another checksum: its contents are not known.
fn unknown_twin(case: &Case<'_>, setting: &str, file: &File) -> Option<Evidence> {
    let (size, checksum) = (file.size?, file.checksum?);
    if setting == "clientkey" || file.root().is_some() {
        return None;
    }
    let (root, wanted, form) = size_twin(size)?;
    let name = &file.name;
    let lines = if matches!(form, TextForm::Lf | TextForm::LfNoFinalNewline) {
        "LF"
    } else {
        "CR LF"
    };
    if setting == "clientcert" {
        let detail = format!(
            "`{name}` ({size},{checksum:x}) is not {} in spite of its size.",
            root.name
        );
        return Some(
            Evidence::new(Severity::Info, Confidence::Possible, detail)
                .quoting([&file.quote])
                .without_reason(),
        );
    }
    let right = super::tls_trust::is_expected(case.cloud(), &case.attempt.host, root.name);
    let detail = format!(
        "`{name}` has {size} bytes, the size of {} with {lines}, but its checksum is {checksum:x} and not {wanted:x}: its \
         content is not known.",
        root.name
    );
    Some(if right {
        Evidence::error(Confidence::Likely, detail).quoting([&file.quote])
    } else {
        Evidence::new(
            Severity::Info,
            Confidence::Possible,
            format!("{detail} A lead, not the fault."),
        )
        .quoting([&file.quote])
        .without_reason()
    })
}

fn nul_terminator(case: &Case<'_>) -> Option<Evidence> {
    let files = suspects(case);
    let typical = |file: &File| matches!(file.size, Some(1221 | 1225 | 1676 | 1680 | 1705));
    let others: Vec<&Quote> = files
        .iter()
        .filter(|(_, file)| typical(file))
        .map(|(_, file)| &file.quote)
        .collect();
    let of_root = files.iter().find_map(|(_, file)| {
        let root = file.root().filter(|root| root.damage == Damage::Nul)?;
        Some((*file, root))
    });
    if let Some((file, root)) = of_root {
        let sum = file
            .checksum
            .map_or(String::new(), |sum| format!(",{sum:x}"));
        let detail = format!(
            "`{}` ({}{sum}) is the {} with {} and one byte more, a NUL.",
            file.name,
            file.size.unwrap_or_default(),
            root.root.name,
            root.form_text()
        );
        let quotes: Vec<Quote> = core::iter::once(&file.quote)
            .chain(others)
            .cloned()
            .collect();
        return Some(if root.certain {
            Evidence::error(Confidence::Likely, detail).at(quotes)
        } else {
            Evidence::warning(Confidence::Possible, detail).at(quotes)
        });
    }
    (others.len() >= 2).then(|| {
        let detail = "Certificate and key are each one byte longer than such files are, which a NUL behind them would explain.";
        Evidence::warning(Confidence::Possible, detail).quoting(others)
    })
}

fn line_endings(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let mut all = Vec::new();
    for (index, attempt) in session.attempts.iter().enumerate() {
        let case = Case::new(context, index, attempt);
        for (_, file) in suspects(&case) {
            let lone_cr = file.root().filter(|root| root.damage == Damage::LoneCr);
            let pem = file.pem.as_ref();
            if let Some(root) = lone_cr {
                let detail = format!(
                    "`{}` is the {} with CR alone between the lines.",
                    file.name, root.root.name
                );
                all.push(
                    Evidence::error(Confidence::Likely, detail)
                        .quoting([&file.quote])
                        .of(index),
                );
            } else if let Some(pem) = pem.filter(|pem| pem.one_line || pem.ending == Ending::Cr) {
                let how = if pem.one_line {
                    "on one line, with `\\n` as two letters"
                } else {
                    "with CR alone"
                };
                let detail = format!("`{}` was sent {how}.", file.name);
                all.push(
                    Evidence::error(Confidence::Likely, detail)
                        .quoting([&pem.quote, &file.quote])
                        .of(index),
                );
            } else if let Some(question) = &session.asks_line_endings
                && let Some(root) = file
                    .root()
                    .filter(|root| root.certain && root.damage == Damage::None)
            {
                let words = file_words(file, &root);
                let detail = format!(
                    "{words}: it arrived as it was sent, and the line ends are not the fault."
                );
                all.push(
                    Evidence::info(detail)
                        .quoting([&file.quote, question])
                        .with_fix([""; 0])
                        .of(index),
                );
            }
        }
    }
    all
}

fn bom(case: &Case<'_>) -> Option<Evidence> {
    suspects(case).into_iter().find_map(|(_, file)| {
        let root = file.root().filter(|root| root.damage == Damage::Bom);
        let garbage = file.pem.as_ref().filter(|pem| pem.garbage_before);
        let detail = match (root, garbage) {
            (Some(root), _) => format!(
                "`{}` is the {} with a byte-order mark of three bytes in front.",
                file.name, root.root.name
            ),
            (None, Some(_)) => format!(
                "A byte-order mark stands in front of BEGIN in `{}`.",
                file.name
            ),
            (None, None) => return None,
        };
        Some(Evidence::error(Confidence::Likely, detail).quoting([&file.quote]))
    })
}

/// BEGIN with its newline, and END with its own.
const ARMOR: u64 = 54;

fn armor_missing(case: &Case<'_>) -> Option<Evidence> {
    suspects(case).into_iter().find_map(|(setting, file)| {
        let quotes = [Some(&file.quote), file.bare_base64.as_ref()]
            .into_iter()
            .flatten();
        if let Some(root) = file.root().filter(|root| root.damage == Damage::NoArmor) {
            let detail = format!(
                "`{}` is the Base64 of the {} without BEGIN and END.",
                file.name, root.root.name
            );
            return Some(Evidence::error(Confidence::Certain, detail).quoting(quotes));
        }
        if file.bare_base64.is_some() {
            let detail = format!(
                "The contents of `{}` begin with Base64, without a line BEGIN.",
                file.name
            );
            return Some(Evidence::error(Confidence::Likely, detail).quoting(quotes));
        }
        if setting != "cacert" || file.root().is_some() {
            return None;
        }
        let size = file.size?;
        let whole = |root: &&azure_auth::roots::Root| {
            root.texts
                .iter()
                .any(|text| text.form == TextForm::Lf && text.size as u64 == size + ARMOR)
        };
        let root = ROOTS.iter().find(whole)?;
        let detail = format!(
            "`{}` has {size} bytes: the {} with LF and without the lines BEGIN and END.",
            file.name, root.name
        );
        Some(Evidence::error(Confidence::Likely, detail).quoting(quotes))
    })
}
