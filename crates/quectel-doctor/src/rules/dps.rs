//! Causes at the Device Provisioning Service, which differs from a hub in every field.

use super::azure_token::{credentials, not_let_in};
use super::{Case, Cause, Confidence, Evidence, Rule, Severity};
use crate::host::{Cloud, has_placeholder};
use crate::session::attempt::Connect;
use crate::session::credential::UserName;

pub(super) const CONNECT: &[&str] = &[
    "AT+QMTCONN={client},\"<registration id>\",\"<id scope>/registrations/<registration id>/api-version=2019-03-31\",\"<SAS token>\"",
];

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "dps.hub-credentials",
        title: "Credentials of a hub were sent to DPS, or the other way round",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,5`",
        reason: "DPS wants `{idScope}/registrations/{id}` in user name and `sr`; the hub that it assigns wants its own host and \
                 the device, in a second connection.",
        check: &[],
        fix: CONNECT,
        sources: &["azure-docs: iot-mqtt-connect-to-iot-dps"],
        rule: Rule::Attempt(hub_credentials),
    },
    Cause {
        id: "dps.clientid-not-regid",
        title: "The client id is not the registration id",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,5`",
        reason: "At DPS the client id is the registration id, which for X.509 is the common name of the certificate.",
        check: &[],
        fix: CONNECT,
        sources: &["MicrosoftDocs/azure-docs issue 69882"],
        rule: Rule::Attempt(client_id),
    },
    Cause {
        id: "dps.username-format",
        title: "The user name has not the form that DPS wants",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,5`, or the server closes",
        reason: "It is `{idScope}/registrations/{id}/api-version=2019-03-31`, without `?`, and api-version is mandatory here.",
        check: &[],
        fix: CONNECT,
        sources: &["azure-docs: iot-mqtt-connect-to-iot-dps"],
        rule: Rule::Attempt(user_name),
    },
    Cause {
        id: "dps.sas-skn-missing",
        title: "The token has no `skn=registration`",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,5`",
        reason: "A token for DPS names the policy `registration`; a hub's token does not.",
        check: &[],
        fix: &["(make the token with &skn=registration at its end)"],
        sources: &["azure-docs: iot-mqtt-connect-to-iot-dps"],
        rule: Rule::Attempt(policy_missing),
    },
    Cause {
        id: "dps.publish-before-subscribe",
        title: "The registration was sent before its answer was subscribed",
        severity: Severity::Warning,
        symptom: "no answer to the registration",
        reason: "The answer comes at once on `$dps/registrations/res/#` and is lost without the subscription.",
        check: &[],
        fix: &[
            "AT+QMTSUB={client},1,\"$dps/registrations/res/#\",1",
            "AT+QMTPUB={client},2,1,0,\"$dps/registrations/PUT/iotdps-register/?$rid=1\"",
        ],
        sources: &["azure-docs: iot-mqtt-connect-to-iot-dps"],
        rule: Rule::Attempt(publish_first),
    },
];

fn last_connect<'a>(case: &Case<'a>) -> Option<&'a Connect> {
    case.attempt
        .connect()
        .filter(|connect| connect.quote.number > 0)
}

fn hub_credentials(case: &Case<'_>) -> Option<Evidence> {
    if !not_let_in(case) {
        return None;
    }
    let connect = last_connect(case)?;
    let resource = credentials(case)
        .and_then(|(_, sas)| sas.resource.clone())
        .unwrap_or_default();
    let quotes = case.failure_with([Some(&connect.quote)]);
    let detail = match case.cloud() {
        Cloud::AzureDps if matches!(connect.user, UserName::Hub(_)) => {
            "The user name is a hub's, and the host is DPS."
        }
        Cloud::AzureDps if resource.contains("/devices/") => {
            "`sr` is of a hub's device, and the host is DPS."
        }
        Cloud::AzureHub if matches!(connect.user, UserName::Dps(_)) => {
            "The user name is for DPS, and the host is a hub."
        }
        Cloud::AzureHub if resource.contains("/registrations/") => {
            "`sr` is a registration at DPS, and the host is a hub."
        }
        _ => return None,
    };
    let evidence = Evidence::error(Confidence::Certain, detail).at(quotes);
    Some(if case.cloud() == Cloud::AzureHub {
        evidence.with_fix(["AT+QMTCONN={client},\"{device}\",\"{host}/{device}/?api-version=2021-04-12\",\"<SAS token>\""])
    } else {
        evidence
    })
}

fn client_id(case: &Case<'_>) -> Option<Evidence> {
    if case.cloud() != Cloud::AzureDps || !not_let_in(case) {
        return None;
    }
    let connect = last_connect(case)?;
    let UserName::Dps(user) = &connect.user else {
        return None;
    };
    let hidden = has_placeholder(&connect.client_id) != has_placeholder(&user.registration);
    if connect.client_id.eq_ignore_ascii_case(&user.registration) || hidden {
        return None;
    }
    let detail = format!(
        "The client id is `{}`, the registration is `{}`.",
        connect.client_id, user.registration
    );
    Some(Evidence::error(Confidence::Certain, detail).at(case.failure_with([Some(&connect.quote)])))
}

fn user_name(case: &Case<'_>) -> Option<Evidence> {
    if case.cloud() != Cloud::AzureDps || !not_let_in(case) {
        return None;
    }
    let connect = last_connect(case)?;
    let detail = match &connect.user {
        UserName::Dps(user) if user.with_question_mark => {
            "There is a `?` before api-version, which only a hub wants."
        }
        UserName::Dps(user) if user.api_version.is_none() => "api-version is missing.",
        UserName::Dps(user)
            if !user.id_scope.starts_with("0ne") && !has_placeholder(&user.id_scope) =>
        {
            "The user name does not begin with an id scope, which looks like 0ne00000A0A."
        }
        UserName::Absent | UserName::Empty => "There is no user name.",
        UserName::Other | UserName::BrokenHub { .. } => {
            "The user name has no `/registrations/` in it."
        }
        _ => return None,
    };
    Some(Evidence::error(Confidence::Likely, detail).at(case.failure_with([Some(&connect.quote)])))
}

fn policy_missing(case: &Case<'_>) -> Option<Evidence> {
    if case.cloud() != Cloud::AzureDps || !not_let_in(case) {
        return None;
    }
    let (connect, sas) = credentials(case)?;
    let wrong = sas
        .policy
        .as_deref()
        .filter(|policy| *policy != "registration");
    if sas.policy.is_some() && wrong.is_none() {
        return None;
    }
    let detail = match wrong {
        Some(policy) => format!("`skn` is `{policy}`, not `registration`."),
        None => "The token has no `skn`.".to_owned(),
    };
    Some(Evidence::error(Confidence::Likely, detail).at(case.failure_with([Some(&connect.quote)])))
}

fn publish_first(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let publish = attempt
        .publishes
        .iter()
        .find(|publish| publish.topic.starts_with("$dps/registrations/PUT/"))?;
    let subscribed = attempt.subscribes.iter().any(|subscribe| {
        subscribe.quote.number < publish.quote.number
            && subscribe
                .topics
                .iter()
                .any(|topic| topic.starts_with("$dps/registrations/res"))
    });
    (!subscribed).then(|| {
        let detail = "The registration went out without a subscription to its answer.";
        Evidence::warning(Confidence::Certain, detail).quoting([&publish.quote])
    })
}
