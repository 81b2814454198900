//! Causes in the module itself: another family's commands, known faults, restarts.

use super::{Case, Cause, Confidence, Context, Evidence, Rule, Severity};
use crate::command::Form;
use crate::mask::Quote;
use crate::session::module::{Family, family_of_verb};
use crate::session::{Refusal, Session};
use crate::time::elapsed_ms;

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "fw.dialect",
        title: "The commands are those of another module family",
        severity: Severity::Error,
        symptom: "`ERROR` or `+CME ERROR: 58` to every form of a command",
        reason: "Each family has its own set of commands, also within one brand; the test form `=?` shows whether a command \
                 exists.",
        check: &["ATI", "AT+QSSLCFG=?", "AT+QMTCFG=?"],
        fix: &["ATI", "(take the manual of this family and this firmware)"],
        sources: &[
            "forums.quectel.com/t/30844 (FCM360W)",
            "forums.quectel.com/t/4567 (MC60)",
        ],
        rule: Rule::Session(dialect),
    },
    Cause {
        id: "fw.known-bug",
        title: "A known fault of this firmware",
        severity: Severity::Error,
        symptom: "the open succeeds and `+QMTSTAT: x,1` comes at once",
        reason: "The release closes a connection that it has just opened; newer firmware does not.",
        check: &["AT+QGMR"],
        fix: &[
            "AT+QMTDISC={client}",
            "AT+QMTCLOSE={client}",
            "(update the firmware)",
        ],
        sources: &[
            "EG800AK with OneNET: EG800KLALCR07A02M04_01.001.01.001",
            "Xinyuan-LilyGO/LilyGo-Modem-Series issue 183 (SIM7670G)",
        ],
        rule: Rule::Session(known_bugs),
    },
    Cause {
        id: "fw.reset-or-brownout",
        title: "The module restarted by itself",
        severity: Severity::Error,
        symptom: "`RDY` or `POWERED DOWN` in the middle of a session",
        reason: "Without a command that asks for it, a restart is a supply that sags under the transmitter's current peaks, or a \
                 crash.",
        check: &["AT+CBC"],
        fix: &[
            "(a supply for 2 A peaks with a large capacitor at the module; then configure again after RDY)",
        ],
        sources: &["BG96 Hardware Design, power supply"],
        rule: Rule::Session(restarted),
    },
    Cause {
        id: "fw.outdated",
        title: "The firmware is old",
        severity: Severity::Warning,
        symptom: "a failure that nothing else explains",
        reason: "Releases as old as this one are the first thing that the vendor asks to replace.",
        check: &["AT+QGMR"],
        fix: &["(ask Quectel for the current release of this module)"],
        sources: &["forums.quectel.com/t/3562 (EC25AFFAR07A08M4G)"],
        rule: Rule::SessionFallback(outdated),
    },
];

/// Does a module of this family know commands of that one?
fn speaks(module: Family, language: Family) -> bool {
    module == language || (language == Family::Quectel && module.is_quectel())
}

/// Quectel's Wi-Fi modules have no file system for certificates and no packet data.
fn lacks(module: Family, verb: &str) -> bool {
    module == Family::WiFi && matches!(verb, "+QFUPL" | "+QICSGP")
}

/// Every form of the command was refused, also the one that only asks whether it exists.
fn unknown_command<'a>(session: &'a Session, verb: &str) -> Option<Vec<&'a Refusal>> {
    if session.known_verbs.iter().any(|known| known == verb) {
        return None;
    }
    let refusals: Vec<&Refusal> = session
        .refusals
        .iter()
        .filter(|refusal| refusal.command.verb == verb)
        .collect();
    let asked = refusals
        .iter()
        .any(|refusal| refusal.command.form == Form::Test);
    let code_58 = refusals
        .iter()
        .any(|refusal| refusal.refused.cme() == Some(58));
    ((asked && refusals.len() >= 2) || code_58 || refusals.len() >= 3).then_some(refusals)
}

fn dialect(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let mut done: Vec<&str> = Vec::new();
    let mut all = Vec::new();
    for refusal in &session.refusals {
        let verb = refusal.command.verb.as_str();
        let known = session.known_verbs.iter().any(|known| known == verb);
        if !verb.is_empty() && !known && !done.contains(&verb) {
            done.push(verb);
            all.extend(foreign_command(session, refusal));
        }
    }
    all
}

/// A command that this module does not have.
fn foreign_command(session: &Session, refusal: &Refusal) -> Option<Evidence> {
    let verb = refusal.command.verb.as_str();
    let language = family_of_verb(verb)?;
    let cme = refusal.refused.cme();
    if cme.is_some_and(|code| code != 58 && code != 100) {
        return None;
    }
    let module = session.family();
    let unknown = unknown_command(session, verb);
    let another = |module: &Family| !speaks(*module, language) || lacks(*module, verb);
    let detail = match (module.filter(another), &unknown) {
        (Some(module), _) => format!(
            "`AT{verb}` is a command of {} modules; the module here is {}.",
            if speaks(module, language) {
                "cellular"
            } else {
                language.name()
            },
            module.name()
        ),
        (None, Some(refusals)) if exists_elsewhere(language, module) => format!(
            "`AT{verb}` was refused in all {} forms: this firmware does not have it.",
            refusals.len()
        ),
        _ if refusal.command.form == Form::Test => {
            format!("`AT{verb}=?` was refused: this firmware does not have the command.")
        }
        _ => return None,
    };
    let refusals = unknown.unwrap_or_else(|| vec![refusal]);
    let tested = refusals.iter().any(|r| r.command.form == Form::Test);
    let confidence = if tested || module.as_ref().is_some_and(another) {
        Confidence::Certain
    } else {
        Confidence::Likely
    };
    let severity = if session.is_success() {
        Severity::Warning
    } else {
        Severity::Error
    };
    let quotes = refusals.iter().flat_map(|r| [&r.quote, &r.answer]);
    let quotes: Vec<&Quote> = quotes.chain(session.module.quote.as_ref()).collect();
    let fix = ["ATI".to_owned(), format!("AT{verb}=?")];
    Some(
        Evidence::new(severity, confidence, detail)
            .quoting(quotes)
            .with_fix(fix),
    )
}

/// A refusal of Quectel's own commands on a Quectel module has many reasons; only the test form decides.
const fn exists_elsewhere(language: Family, module: Option<Family>) -> bool {
    !matches!(language, Family::Quectel)
        || matches!(module, Some(Family::WiFi | Family::NbIot | Family::Gsm))
}

/// Firmware, and what it does wrong.
const KNOWN_BUGS: &[(&str, &str)] = &[(
    "EG800KLALCR07A02M04",
    "it closes a connection right after it has opened it",
)];

/// The known fault that this connection shows.
pub(super) fn is_known_bug(case: &Case<'_>) -> Option<&'static str> {
    let firmware = case.session.module.firmware.as_deref()?;
    let (_, fault) = KNOWN_BUGS
        .iter()
        .find(|(prefix, _)| firmware.starts_with(prefix))?;
    let attempt = case.attempt;
    let closed = attempt.closed_before_connect().or_else(|| {
        attempt
            .stats
            .iter()
            .find(|stat| stat.code == 1 && !stat.connected)
    })?;
    let gap = elapsed_ms(closed.stamp, attempt.result.as_ref()?.stamp);
    gap.is_none_or(|ms| ms < 3000).then_some(*fault)
}

/// Firmware with a command that it broke, and what it does.
const BROKEN_COMMANDS: &[(&str, &str, &str)] = &[(
    "2374B04SIM767XM5A",
    "+CCERTDOWN",
    "this release of SIM7670G refuses certificates that others take",
)];

fn broken_command(context: &Context<'_>) -> Option<Evidence> {
    let session = context.session;
    let firmware = session.module.firmware.as_deref()?;
    let (_, verb, fault) = BROKEN_COMMANDS
        .iter()
        .find(|(prefix, ..)| firmware.starts_with(prefix))?;
    let refusal = session
        .refusals
        .iter()
        .find(|refusal| refusal.command.verb == *verb)?;
    let quotes = session
        .module
        .quote
        .iter()
        .chain([&refusal.quote, &refusal.answer]);
    Some(
        Evidence::error(Confidence::Likely, format!("Firmware {firmware}: {fault}."))
            .quoting(quotes),
    )
}

fn known_bugs(context: &Context<'_>) -> Vec<Evidence> {
    let cases = context
        .session
        .attempts
        .iter()
        .enumerate()
        .map(|(index, attempt)| Case::new(context, index, attempt));
    let of_connections =
        cases.filter_map(|case| known_bug(&case).map(|evidence| evidence.of(case.index)));
    of_connections.chain(broken_command(context)).collect()
}

fn known_bug(case: &Case<'_>) -> Option<Evidence> {
    let fault = is_known_bug(case)?;
    let firmware = case.session.module.firmware.as_deref().unwrap_or_default();
    let closed = case.attempt.stats.first().map(|stat| &stat.quote);
    let quotes = case.failure_with([
        case.session.module.quote.as_ref(),
        closed,
        case.attempt.result.as_ref().map(|r| &r.quote),
    ]);
    Some(Evidence::error(Confidence::Likely, format!("Firmware {firmware}: {fault}.")).at(quotes))
}

fn restarted(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let Some(restart) = session
        .restarts
        .iter()
        .find(|restart| restart.in_session && !restart.commanded)
    else {
        return Vec::new();
    };
    let detail = if restart.while_open {
        "The module restarted while a connection was open or being opened, and no command asked for it."
    } else {
        "The module restarted after it had been configured, and no command asked for it."
    };
    let evidence = if restart.while_open && !session.is_success() {
        Evidence::error(Confidence::Likely, detail)
    } else {
        Evidence::warning(Confidence::Possible, detail)
    };
    vec![evidence.quoting([&restart.quote])]
}

/// Releases that vendors' answers ask to replace.
const OLD: &[&str] = &[
    "EC25AFFAR07A08M4G",
    "EC25EFAR02",
    "BG96MAR02",
    "BG96MAR01",
    "EC21EUXGAR08A02",
];

fn outdated(context: &Context<'_>) -> Vec<Evidence> {
    let Some(firmware) = context.session.module.firmware.as_deref() else {
        return Vec::new();
    };
    let old = OLD.iter().any(|prefix| firmware.starts_with(prefix));
    if !old || !context.has("tls.handshake-failed") {
        return Vec::new();
    }
    let detail = format!("The module has {firmware}.");
    vec![
        Evidence::warning(Confidence::Possible, detail)
            .quoting(context.session.module.quote.as_ref()),
    ]
}
