//! Causes at AWS IoT Core.

use super::{Case, Cause, Confidence, Evidence, Rule, Severity};
use crate::host::Cloud;
use crate::session::attempt::{Api, Tls};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "aws.needs-client-cert",
        title: "AWS wants a client certificate, and none is sent",
        severity: Severity::Error,
        symptom: "`+QMTOPEN: x,-1`, or the server closes at CONNECT",
        reason: "On port 8883 AWS IoT Core knows devices only by their certificate: seclevel 2 with both files.",
        check: &[
            "AT+QSSLCFG=\"seclevel\",{ssl}",
            "AT+QSSLCFG=\"clientcert\",{ssl}",
            "AT+QSSLCFG=\"clientkey\",{ssl}",
        ],
        fix: &[
            "AT+QSSLCFG=\"clientcert\",{ssl},\"{clientcert}\"",
            "AT+QSSLCFG=\"clientkey\",{ssl},\"{clientkey}\"",
            "AT+QSSLCFG=\"seclevel\",{ssl},2",
        ],
        sources: &["AWS IoT Core: protocols, port mappings, and authentication"],
        rule: Rule::Attempt(needs_certificate),
    },
    Cause {
        id: "aws.policy-or-clientid",
        title: "AWS closed at CONNECT: policy, certificate state or client id",
        severity: Severity::Error,
        symptom: "the open succeeds, OK to `QMTCONN`, then `+QMTSTAT: x,1` and no `+QMTCONN:`",
        reason: "AWS drops a CONNECT that its policy does not allow without a CONNACK: `iot:Connect` on `client/{id}` must be \
                 allowed for this client id, and the certificate must be active.",
        check: &[],
        fix: &[
            "(attach a policy that allows iot:Connect for this client id, and activate the certificate; then)",
            "AT+QMTCONN={client},\"<name of the thing>\"",
        ],
        sources: &[
            "floci-io/floci pull 3180",
            "espressif/esp-aws-iot issue 226",
        ],
        rule: Rule::Attempt(policy),
    },
    Cause {
        id: "aws.endpoint-not-ats",
        title: "The endpoint is the old one, without `-ats`",
        severity: Severity::Warning,
        symptom: "`-1` with Amazon Root CA 1",
        reason: "The endpoint without `-ats` answers with a certificate of the retired VeriSign root; Amazon's own roots belong \
                 to the `-ats` endpoint.",
        check: &[],
        fix: &["AT+QMTOPEN={client},\"<id>-ats.iot.<region>.amazonaws.com\",8883"],
        sources: &["AWS IoT Core: server authentication"],
        rule: Rule::Attempt(not_ats),
    },
];

fn needs_certificate(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let failed = case.tls_failed() || (attempt.is_open() && attempt.failed());
    if !case.cloud().is_aws()
        || !failed
        || attempt.port.is_some_and(|port| port != 8883)
        || !attempt.api.is_mqtt()
    {
        return None;
    }
    // Only where the log shows how TLS was set up.
    let settings = case
        .intended()
        .filter(|settings| settings.is_written() && matches!(attempt.tls, Tls::On(_)))?;
    let level = settings.get("seclevel");
    let mutual = level.is_some_and(|value| matches!(value.number(), Some(2 | 3)));
    let pair = settings.text("clientcert").is_some() && settings.text("clientkey").is_some();
    if (pair && (mutual || level.is_none()))
        || !["seclevel", "clientcert", "clientkey"]
            .iter()
            .any(|name| case.could_be(name))
    {
        return None;
    }
    let what = match (mutual, pair) {
        (true, _) => "seclevel 2 is set, but not both `clientcert` and `clientkey`".to_owned(),
        (false, true) => format!(
            "both files are bound, but seclevel is {}",
            level.map_or("not set", |value| value.text())
        ),
        (false, false) => "no client certificate and key are bound".to_owned(),
    };
    let detail = format!("The connection goes to AWS, and {what}.");
    Some(
        Evidence::error(Confidence::Likely, detail)
            .at(case.failure_with([level.map(|value| &value.quote)])),
    )
}

fn policy(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    if !case.cloud().is_aws()
        || case.has_any(&[
            "aws.needs-client-cert",
            "tls.not-enabled",
            "tls.ctx-mismatch",
            "az.x509-vs-sas",
        ])
    {
        return None;
    }
    let connect = attempt.connect();
    let encrypted = matches!(attempt.tls, Tls::On(_) | Tls::Unknown);
    let simcom = attempt.api == Api::Cmqtt && attempt.code() == Some(15);
    let silent = attempt.no_connack().is_some() && encrypted;
    let refused = attempt.refusal().is_some_and(|(code, _)| code == 5);
    if !(silent || simcom || refused) {
        return None;
    }
    let id = connect.map_or("", |connect| connect.client_id.as_str());
    let with = if id.is_empty() {
        String::new()
    } else {
        format!(" with the client id `{id}`")
    };
    let how = if refused {
        "refused"
    } else {
        "closed without an answer"
    };
    let detail = format!("The CONNECT{with} was {how} after TLS had come up.");
    let confidence = if silent {
        Confidence::Likely
    } else {
        Confidence::Possible
    };
    Some(
        Evidence::error(confidence, detail)
            .at(case.failure_with([connect.map(|connect| &connect.quote)])),
    )
}

/// The root of the old endpoint, as an example of the manual has it.
const VERISIGN: (u64, u16) = (1758, 0x384a);

fn not_ats(case: &Case<'_>) -> Option<Evidence> {
    let Cloud::Aws { ats } = case.cloud() else {
        return None;
    };
    if !case.tls_failed() || !case.could_be("cacert") {
        return None;
    }
    let file = case.file("cacert");
    let amazon = file
        .and_then(|file| file.root())
        .is_some_and(|root| root.root.name.starts_with("Amazon"));
    let legacy =
        file.is_some_and(|file| (file.size, file.checksum) == (Some(VERISIGN.0), Some(VERISIGN.1)));
    let detail = match (ats, amazon, legacy) {
        (false, true, _) => "The endpoint has no `-ats`, and the root is one of Amazon's.",
        (_, _, true) => "The root has the numbers of the VeriSign root that the old endpoint used.",
        (false, ..) => "The endpoint has no `-ats`.",
        _ => return None,
    };
    let quotes = case.failure_with([file.map(|file| &file.quote)]);
    Some(Evidence::warning(Confidence::Possible, detail).at(quotes))
}
