//! From the network to TLS: what each failed experiment proves.

use super::Live;
use super::tls::Variant;
use super::verdict::Proof;

impl Live {
    pub(super) fn network_proofs(&self) -> Vec<Proof<'static>> {
        if self.sim_is_ready() == Some(false) {
            let detail = format!("The SIM is not ready: {}.", self.refusal("cpin"));
            return vec![Proof::error("net.sim-not-ready", &["cpin"], detail).fix([
                "(insert the SIM and check its holder; with a PIN:)",
                "AT+CPIN=\"<PIN>\"",
                "AT+CPIN?",
            ])];
        }
        if self.has("cereg") && !self.is_registered() {
            return vec![self.registration_proof()];
        }
        let mut proofs = Vec::new();
        let pdp = self.pdp();
        if self.has("qiact") && self.active_contexts().is_empty() {
            match self.get("pdp-on") {
                Some(heard) if !heard.is_ok() => {
                    let detail = format!(
                        "PDP context {pdp} cannot be activated: {}.",
                        self.refusal("pdp-on")
                    );
                    let keys = ["cgdcont", "pdp-on"];
                    let proof = Proof::error("net.apn-missing-or-wrong", &keys, detail).likely();
                    return vec![proof.fix([
                        format!("AT+QICSGP={pdp},1,\"<apn of your SIM>\",\"\",\"\",0"),
                        format!("AT+QIACT={pdp}"),
                    ])];
                }
                tried => {
                    let detail = if tried.is_some() {
                        format!("PDP context {pdp} was not active; activating it works.")
                    } else {
                        "No PDP context is active.".to_owned()
                    };
                    let proof = Proof::error("net.pdp-not-active", &["qiact"], detail).warning();
                    proofs.push(proof.fix([format!("AT+QIACT={pdp}"), "AT+QIACT?".to_owned()]));
                }
            }
        }
        proofs.extend(self.host_proof());
        proofs
    }

    fn registration_proof(&self) -> Proof<'static> {
        let keys = ["csq", "creg", "cgreg", "cereg"];
        if self.registration().contains(&3) {
            let detail = "The network has refused the module.";
            return Proof::error("net.registration-denied", &keys, detail).fix([
                "(ask the operator: is the SIM active, may it roam, may it use this technology?)",
            ]);
        }
        if self.signal() == Some(99) {
            let detail = "The module hears no network.";
            return Proof::error("net.no-signal", &keys, detail)
                .fix(["(check the antenna and its connector, then:)", "AT+CSQ"]);
        }
        let detail = "The module has signal and is on no network.";
        Proof::error("net.not-registered", &keys, detail).fix([
            "AT+CFUN?",
            "AT+COPS=0",
            "AT+QCFG=\"nwscanmode\"",
        ])
    }

    fn host_proof(&self) -> Option<Proof<'static>> {
        let host = self.options.host.as_deref()?;
        let pdp = self.pdp();
        if self.has("dns") && self.resolved().is_none() {
            let ping = self.get("ping").map(|heard| {
                if heard
                    .lines
                    .iter()
                    .any(|line| line.starts_with("+QPING: 0,"))
                {
                    " Its name server answers a ping, so the way to the network is open."
                } else {
                    " Its name server does not answer a ping either, which many do not."
                }
            });
            let detail = format!("{host} has no address.{}", ping.unwrap_or_default());
            let keys = ["dnscfg", "dns", "ping"];
            if host.contains("://") || host.contains('/') {
                return Some(
                    Proof::error("syn.host-has-scheme", &keys, detail)
                        .fix(["(give the name alone, such as contoso.azure-devices.net)"]),
                );
            }
            return Some(Proof::error("net.dns-failed", &keys, detail).fix([
                "(check the name for typing errors; a name server of your own:)".to_owned(),
                format!("AT+QIDNSCFG={pdp},\"8.8.8.8\",\"1.1.1.1\""),
                format!("AT+QIDNSGIP={pdp},\"{host}\""),
            ]));
        }
        if self.has("tcp") && !self.tcp_works() {
            let port = self.options.port;
            let detail = format!(
                "{host} has an address, and a TCP connection to its port {port} without TLS does not open either: it is \
                 not TLS."
            );
            return Some(
                Proof::error("net.port-blocked", &["dns", "tcp"], detail)
                    .likely()
                    .fix([
                        "(check the port; ask the operator whether the APN lets it through; with MQTT over port 8883 blocked, another APN)"
                            .to_owned(),
                        format!("AT+QIOPEN={pdp},{},\"TCP\",\"{host}\",443,0,0", self.tcp_socket()),
                    ]),
            );
        }
        None
    }

    pub(super) fn tls_proofs(&self, today_unix_s: i64) -> Vec<Proof<'static>> {
        let client = self.options.client;
        let Some(bound) = self.ssl_of(client) else {
            return self.without_tls(client).into_iter().collect();
        };
        let mut proofs = Vec::new();
        let key = |variant: Variant| variant.key();
        let tried = [key(Variant::AsSet)];
        let with = |variant: Variant| vec![tried[0].clone(), key(variant)];
        let cause = Variant::ALL
            .into_iter()
            .find(|variant| self.works(*variant))
            .filter(|variant| *variant != Variant::AsSet);
        if let Some(variant) = cause {
            let mut proof = self.cured_by(variant, bound, today_unix_s);
            proof.keys.splice(0..0, with(variant));
            proofs.push(proof);
        } else if self.no_variant_works() {
            proofs.push(self.nothing_helps(bound));
        }
        let unchecked = !self.has(&tried[0]);
        if unchecked
            && let Some(days) = self.wrong_clock(today_unix_s)
            && self
                .ssl_item("seclevel", bound)
                .is_some_and(|level| level != "0")
        {
            let detail = format!("The module's clock is {days} days off.");
            let proof = Proof::error("tls.clock-not-set", &["cclk"], detail).warning();
            proofs.push(proof.fix(clock_fix()));
        }
        proofs
    }

    fn without_tls(&self, client: u8) -> Option<Proof<'static>> {
        let port = self.options.port;
        if !(self.options.host.is_some()
            && matches!(port, 8883 | 443)
            && self.has(&format!("ssl-{client}")))
        {
            return None;
        }
        let detail =
            format!("MQTT client {client} has TLS off, and port {port} speaks nothing else.");
        let key = format!("ssl-{client}");
        let proof = Proof::error("tls.not-enabled", &[key.as_str()], detail);
        // The setting is lost with the power; a host that has not begun yet has not made it.
        let proof = if self.tcp_works() {
            proof
        } else {
            proof.warning()
        };
        Some(proof.fix([format!("AT+QMTCFG=\"ssl\",{client},1,2")]))
    }

    /// The handshake fails as set and succeeds with a variation.
    fn cured_by(&self, variant: Variant, bound: u8, today_unix_s: i64) -> Proof<'static> {
        let host = self.options.host.as_deref().unwrap_or_default();
        let set = |item: &str, value: &str| format!("AT+QSSLCFG=\"{item}\",{bound},{value}");
        match variant {
            Variant::AsSet | Variant::Name => Proof::error(
                "tls.sni-missing",
                &[],
                format!("The handshake with {host} fails with the settings of SSL context {bound}, and succeeds when the name is sent, with nothing else changed."),
            )
            .fix([set("sni", "1")]),
            Variant::Dates => {
                let days = self.wrong_clock(today_unix_s);
                let clock = days.map_or_else(
                    || "The module's clock is right, so the server's certificate has expired or is not valid yet.".to_owned(),
                    |days| format!("The module's clock is {days} days off."),
                );
                let detail = format!("The handshake succeeds as soon as the dates of the server's certificate are not looked at. {clock}");
                let proof = Proof::error("tls.clock-not-set", &["cclk"], detail);
                let proof = if days.is_some() { proof } else { proof.likely() };
                proof.fix(clock_fix())
            }
            Variant::ClientCertificate => Proof::error(
                needs_certificate(host),
                &[],
                format!("The handshake with {host} succeeds as soon as the client certificate is offered: the server wants it, and seclevel 1 does not send it."),
            )
            .fix([set("seclevel", "2")]),
            Variant::NoClientCertificate => self.without_certificate(bound),
            Variant::Unverified => self.unverified(bound, host),
            Variant::Versions => Proof::error(
                "tls.version-too-old",
                &[],
                "The handshake succeeds as soon as every version of TLS is offered.",
            )
            .fix([set("sslversion", "4")]),
            Variant::Suites => Proof::error(
                "tls.cipher-pinned",
                &[],
                "The handshake succeeds as soon as every cipher suite is offered.",
            )
            .fix([set("ciphersuite", "0XFFFF")]),
        }
    }

    /// The client certificate is in the way.
    fn without_certificate(&self, bound: u8) -> Proof<'static> {
        let named = ["clientcert", "clientkey"].iter().all(|item| {
            self.ssl_item(item, bound)
                .is_some_and(|name| !name.is_empty())
        });
        let level = format!("AT+QSSLCFG=\"seclevel\",{bound},1");
        if !named {
            let detail = format!(
                "SSL context {bound} has seclevel 2 and names no client certificate; with seclevel 1 the handshake succeeds."
            );
            return Proof::error("tls.seclevel2-no-client-cert", &[], detail).fix([level]);
        }
        let detail = "The handshake succeeds as soon as no client certificate is offered: the certificate or its key is missing, unreadable, or they do not belong together.";
        Proof::error("file.cert-key-not-a-pair", &[], detail)
            .likely()
            .fix(["AT+QFLST=\"*\"".to_owned(), level])
    }

    /// The server is reached and its chain does not pass.
    fn unverified(&self, bound: u8, host: &str) -> Proof<'static> {
        let root = self.ssl_item("cacert", bound).unwrap_or_default();
        let item = format!("item-cacert-{bound}");
        if root.is_empty() {
            let detail = format!(
                "SSL context {bound} verifies the server and has no root; without verification the handshake succeeds."
            );
            return Proof::error("tls.seclevel-needs-ca", &[item.as_str()], detail)
                .fix([format!("AT+QSSLCFG=\"cacert\",{bound},\"<root file>\"")]);
        }
        let name = root.rsplit(':').next().unwrap_or(&root);
        let listed = self
            .get("flst")
            .filter(|heard| heard.is_ok())
            .is_none_or(|heard| heard.lines.iter().any(|line| line.contains(name)));
        if !listed && !root.starts_with("RAM:") {
            let detail = format!(
                "SSL context {bound} names `{root}`, and the module has no such file; without verification the handshake succeeds."
            );
            return Proof::error("file.missing-on-module", &[item.as_str(), "flst"], detail)
                .fix([format!("AT+QFUPL=\"{root}\",<bytes>,100")]);
        }
        let detail = format!(
            "The handshake with {host} fails with the root `{root}`, also when the dates are ignored, and succeeds when the \
             server is not verified: network, name, version and cipher are good, the root is not the server's."
        );
        Proof::error("tls.ca-wrong-for-host", &[item.as_str()], detail).fix([
            format!("AT+QFDEL=\"{root}\""),
            format!("AT+QFUPL=\"{root}\",1294,100"),
            "(for Azure send DigiCert Global Root G2 with LF, expect +QFUPL: 1294,3d7c; another server has its own root)".to_owned(),
        ])
    }

    fn nothing_helps(&self, bound: u8) -> Proof<'static> {
        let host = self.options.host.as_deref().unwrap_or_default();
        let id = if host.ends_with(".amazonaws.com") {
            "aws.needs-client-cert"
        } else {
            "tls.handshake-failed"
        };
        let sni = self.ssl_item("sni", bound).is_none();
        let (id, more) = if sni {
            (
                "tls.sni-unsupported-fw",
                "This firmware has no `sni` item, and shared servers end a handshake without a name.",
            )
        } else {
            (
                id,
                "A server that wants a client certificate ends the handshake in this way; so does a port that speaks no TLS.",
            )
        };
        let detail = format!(
            "TCP connects, and every handshake with {host} fails: with the name sent, without verification, with every version offered. {more}"
        );
        let first = Variant::AsSet.key();
        let last = Variant::Unverified.key();
        let proof = Proof::error(id, &["tcp", first.as_str(), last.as_str()], detail).likely();
        if sni {
            return proof.fix([
                "(update the firmware until this lists sni; DPS apart, a hub can be reached directly:)".to_owned(),
                "AT+QSSLCFG=?".to_owned(),
            ]);
        }
        proof.fix([
            "(with a client certificate and its key on the module:)".to_owned(),
            format!("AT+QSSLCFG=\"clientcert\",{bound},\"<certificate file>\""),
            format!("AT+QSSLCFG=\"clientkey\",{bound},\"<key file>\""),
            format!("AT+QSSLCFG=\"seclevel\",{bound},2"),
        ])
    }
}

/// Servers at which a device without a certificate is not let in.
fn needs_certificate(host: &str) -> &'static str {
    if host.ends_with(".amazonaws.com") {
        "aws.needs-client-cert"
    } else {
        "az.x509-vs-sas"
    }
}

fn clock_fix() -> [&'static str; 3] {
    [
        "AT+QNTP=1,\"pool.ntp.org\",123,1",
        "(or by hand, UTC:)",
        "AT+CCLK=\"<yy/MM/dd,hh:mm:ss+00>\"",
    ]
}
