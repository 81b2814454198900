//! Which module it is: model, firmware, family, and whose AT commands are spoken.

use crate::mask::Quote;

/// The module of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Module {
    pub(crate) model: Option<String>,
    pub(crate) firmware: Option<String>,
    pub(crate) quote: Option<Quote>,
    /// Only prose names it.
    pub(crate) from_prose: bool,
}

/// Families whose commands and habits differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Bg96,
    /// BG95, BG77, BG600L, BG770A, BG950A.
    Bg9x,
    /// EC21, EC25, EG25, EC20, EG9x of the same kind.
    Ec2x,
    /// EC200, EC600, EG800, EG915 and other chips of ASR and Unisoc.
    Ec200,
    /// BC66, BC95, BC28.
    NbIot,
    /// M66, MC60.
    Gsm,
    /// FCM360W, FC41D.
    WiFi,
    Quectel,
    Simcom,
    Ublox,
    Nordic,
    Espressif,
    Telit,
}

impl Family {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bg96 => "BG96",
            Self::Bg9x => "BG95/BG77",
            Self::Ec2x => "EC2x/EG2x",
            Self::Ec200 => "EC200/EG800/EG915",
            Self::NbIot => "BC66/BC95",
            Self::Gsm => "M66/MC60",
            Self::WiFi => "Quectel Wi-Fi",
            Self::Quectel => "Quectel",
            Self::Simcom => "SIMCom",
            Self::Ublox => "u-blox",
            Self::Nordic => "Nordic nRF91",
            Self::Espressif => "Espressif ESP-AT",
            Self::Telit => "Telit",
        }
    }

    pub(crate) const fn is_quectel(self) -> bool {
        !matches!(
            self,
            Self::Simcom | Self::Ublox | Self::Nordic | Self::Espressif | Self::Telit
        )
    }

    /// The family of a model or firmware name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_uppercase();
        FAMILIES
            .iter()
            .find(|(prefix, _)| name.starts_with(prefix))
            .map(|(_, family)| *family)
    }
}

/// Prefixes of model names, the longer ones first where one begins another.
const FAMILIES: &[(&str, Family)] = &[
    ("BG96", Family::Bg96),
    ("BG95", Family::Bg9x),
    ("BG77", Family::Bg9x),
    ("BG600", Family::Bg9x),
    ("BG950", Family::Bg9x),
    ("BG773", Family::Bg9x),
    ("EC200", Family::Ec200),
    ("EC600", Family::Ec200),
    ("EC800", Family::Ec200),
    ("EG800", Family::Ec200),
    ("EG810", Family::Ec200),
    ("EG915", Family::Ec200),
    ("EG912", Family::Ec200),
    ("EG916", Family::Ec200),
    ("EG700", Family::Ec200),
    ("EC100", Family::Ec200),
    ("EC20", Family::Ec2x),
    ("EC21", Family::Ec2x),
    ("EC25", Family::Ec2x),
    ("EG25", Family::Ec2x),
    ("EG21", Family::Ec2x),
    ("EG91", Family::Ec2x),
    ("EG95", Family::Ec2x),
    ("EM05", Family::Ec2x),
    ("EG06", Family::Ec2x),
    ("EP06", Family::Ec2x),
    ("UC20", Family::Ec2x),
    ("UG9", Family::Ec2x),
    ("AG35", Family::Ec2x),
    ("RG5", Family::Quectel),
    ("RM5", Family::Quectel),
    ("BC66", Family::NbIot),
    ("BC26", Family::NbIot),
    ("BC28", Family::NbIot),
    ("BC35", Family::NbIot),
    ("BC95", Family::NbIot),
    ("BC20", Family::NbIot),
    ("BC65", Family::NbIot),
    ("BC92", Family::NbIot),
    ("MC60", Family::Gsm),
    ("MC20", Family::Gsm),
    ("M66", Family::Gsm),
    ("M95", Family::Gsm),
    ("M26", Family::Gsm),
    ("M10", Family::Gsm),
    ("FCM", Family::WiFi),
    ("FC41", Family::WiFi),
    ("FLM", Family::WiFi),
    ("FGM", Family::WiFi),
    ("SIM7", Family::Simcom),
    ("SIM8", Family::Simcom),
    ("SIM9", Family::Simcom),
    ("SIMCOM", Family::Simcom),
    ("A76", Family::Simcom),
    ("A79", Family::Simcom),
    ("SARA", Family::Ublox),
    ("LARA", Family::Ublox),
    ("LENA", Family::Ublox),
    ("TOBY", Family::Ublox),
    ("LISA", Family::Ublox),
    ("U-BLOX", Family::Ublox),
    ("NRF91", Family::Nordic),
    ("MFW_NRF", Family::Nordic),
    ("ESP", Family::Espressif),
    ("LE910", Family::Telit),
    ("ME910", Family::Telit),
    ("ML865", Family::Telit),
];

/// Commands that only one family has: the beginning of the verb.
const DIALECTS: &[(&str, Family)] = &[
    ("+QSSLCERT", Family::WiFi),
    ("+QSECWRITE", Family::Gsm),
    ("+CMQTT", Family::Simcom),
    ("+CSSLCFG", Family::Simcom),
    ("+CCERTDOWN", Family::Simcom),
    ("+SMCON", Family::Simcom),
    ("+SMSSL", Family::Simcom),
    ("+CNACT", Family::Simcom),
    ("+CAOPEN", Family::Simcom),
    ("+SMPUB", Family::Simcom),
    ("+CNMP", Family::Simcom),
    ("+USECMNG", Family::Ublox),
    ("+UMQTT", Family::Ublox),
    ("+USOCR", Family::Ublox),
    ("+MQTTUSERCFG", Family::Espressif),
    ("+MQTTCONN", Family::Espressif),
    ("+CWJAP", Family::Espressif),
    ("+CIPSTART", Family::Espressif),
    ("#XMQTT", Family::Nordic),
    ("%", Family::Nordic),
    ("#", Family::Telit),
    ("+QSSLCFG", Family::Quectel),
    ("+QMTCFG", Family::Quectel),
    ("+QMTOPEN", Family::Quectel),
    ("+QFUPL", Family::Quectel),
    ("+QICSGP", Family::Quectel),
];

/// The family that has this command.
pub(crate) fn family_of_verb(verb: &str) -> Option<Family> {
    DIALECTS
        .iter()
        .find(|(prefix, _)| verb.starts_with(prefix))
        .map(|(_, family)| *family)
}

impl Module {
    pub(crate) fn family(&self) -> Option<Family> {
        let model = self.model.as_deref().and_then(Family::of);
        let firmware = || self.firmware.as_deref().and_then(Family::of);
        // `2374B04SIM767XM5A_M`: SIMCom writes the model in the middle.
        let inside = || {
            self.firmware
                .as_deref()
                .filter(|name| name.contains("SIM7"))
                .map(|_| Family::Simcom)
        };
        model.or_else(firmware).or_else(inside)
    }

    /// Takes a line of `ATI`, `AT+CGMM`, `AT+QGMR`; answers whether it said something about the module.
    pub(crate) fn learn(&mut self, text: &str, quote: &Quote) -> bool {
        let text = text.trim().trim_matches('"');
        let revision = text
            .strip_prefix("Revision")
            .map(|rest| rest.trim_start_matches([':', ' ']))
            .or_else(|| {
                Family::of(text)
                    .and(Some(text))
                    .filter(|text| is_firmware(text))
            });
        if let Some(firmware) = revision.filter(|text| !text.is_empty() && text.len() <= 64) {
            self.firmware = Some(
                firmware
                    .split_whitespace()
                    .next()
                    .unwrap_or(firmware)
                    .to_owned(),
            );
            if self.model.is_none() {
                self.model = model_of_firmware(firmware);
            }
            self.quote = Some(quote.clone());
            return true;
        }
        let word = text.strip_prefix("Model:").unwrap_or(text).trim();
        if Family::of(word).is_some() && word.len() <= 24 && !word.contains(' ') {
            self.model = Some(word.to_owned());
            self.quote = Some(quote.clone());
            return true;
        }
        if text.eq_ignore_ascii_case("Quectel") || text.contains("SIMCOM") {
            self.quote.get_or_insert_with(|| quote.clone());
            return true;
        }
        false
    }

    /// Takes the answer to a command that asks for the release or the model alone, whatever it looks like.
    pub(crate) fn learn_answer(&mut self, text: &str, release: bool, quote: &Quote) -> bool {
        let word = text.trim().trim_matches('"');
        if self.learn(word, quote) {
            return true;
        }
        let plain = (4..=48).contains(&word.len())
            && !word.contains(' ')
            && word.bytes().any(|b| b.is_ascii_digit())
            && word.bytes().any(|b| b.is_ascii_alphabetic());
        let slot = if release {
            &mut self.firmware
        } else {
            &mut self.model
        };
        if !plain || slot.is_some() {
            return false;
        }
        *slot = Some(word.to_owned());
        self.quote.get_or_insert_with(|| quote.clone());
        true
    }

    /// Two answers name different modules.
    pub(crate) fn contradicts(&self, other: &Self) -> bool {
        let differ = |a: &Option<String>, b: &Option<String>| matches!((a, b), (Some(a), Some(b)) if !is_same_name(a, b));
        differ(&self.firmware, &other.firmware)
            || (self.firmware.is_none() && differ(&self.model, &other.model))
    }
}

/// One name, also when only one of the two has the application's version behind it.
///
/// `ATI` says `EC25EFAR06A17M4G` where `AT+QGMR` says `EC25EFAR06A17M4G_20.200.20.200`.
fn is_same_name(a: &str, b: &str) -> bool {
    let (release_a, version_a) = a.split_once('_').map_or((a, None), |(r, v)| (r, Some(v)));
    let (release_b, version_b) = b.split_once('_').map_or((b, None), |(r, v)| (r, Some(v)));
    let same_version = match (version_a, version_b) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => true,
    };
    release_a.eq_ignore_ascii_case(release_b) && same_version
}

/// `BG96MAR02A07M1G`: a model with a release behind it.
fn is_firmware(text: &str) -> bool {
    text.len() >= 11 && !text.contains(' ') && text.bytes().filter(u8::is_ascii_digit).count() >= 4
}

/// The model that a firmware name begins with.
fn model_of_firmware(firmware: &str) -> Option<String> {
    let upper = firmware.to_ascii_uppercase();
    let (prefix, _) = FAMILIES
        .iter()
        .find(|(prefix, _)| upper.starts_with(prefix))?;
    Some((*prefix).to_owned())
}

/// A module named in a sentence: `I use an EC21`, `EC-21 (Revision: EC21EUXGAR08A02M1G)`.
pub(crate) fn named_in_prose(text: &str) -> Option<(String, Option<String>)> {
    let (mut model, mut firmware) = (None, None);
    for word in
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.'))
    {
        let plain = word
            .trim_matches(['-', '.', '_'])
            .replace("EC-2", "EC2")
            .replace("BG-9", "BG9");
        let digits = plain.bytes().any(|b| b.is_ascii_digit());
        let capital = plain.starts_with(|c: char| c.is_ascii_uppercase());
        if plain.len() < 4
            || plain.len() > 40
            || !digits
            || !capital
            || Family::of(&plain).is_none()
        {
            continue;
        }
        if is_firmware(&plain) {
            firmware.get_or_insert(plain);
        } else if plain.len() <= 12 {
            model.get_or_insert(plain);
        }
    }
    let model = model.or_else(|| firmware.as_deref().and_then(model_of_firmware))?;
    Some((model, firmware))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_from_its_lines() {
        let quote = Quote::new(1, "");
        let mut module = Module::default();
        for line in ["Quectel", "BG96", "Revision: BG96MAR02A07M1G"] {
            assert!(module.learn(line, &quote), "{line}");
        }
        assert_eq!(
            (module.model.as_deref(), module.firmware.as_deref()),
            (Some("BG96"), Some("BG96MAR02A07M1G"))
        );
        assert_eq!(module.family(), Some(Family::Bg96));
        let mut other = Module::default();
        other.learn("EG800KCNGCR07A06M04", &quote);
        assert_eq!(
            (other.family(), other.firmware.as_deref()),
            (Some(Family::Ec200), Some("EG800KCNGCR07A06M04"))
        );
        assert!(module.contradicts(&other));
    }

    #[test]
    fn the_version_behind_a_release_is_no_other_module() {
        for (a, b, same) in [
            ("EC25EFAR06A17M4G", "EC25EFAR06A17M4G_20.200.20.200", true),
            ("EC25EFAR06A17M4G_20.200.20.200", "ec25efar06a17m4g", true),
            ("EC25EFAR06A17M4G", "EC25EFAR06A11M4G", false),
            (
                "EC25EFAR06A17M4G_01.001.01.001",
                "EC25EFAR06A17M4G_20.200.20.200",
                false,
            ),
        ] {
            assert_eq!(is_same_name(a, b), same, "{a} {b}");
        }
        let log = "ATI\nQuectel\nEC25\nRevision: EC25EFAR06A17M4G\n\nOK\n\
                   AT+QGMR\nEC25EFAR06A17M4G_20.200.20.200\n\nOK\nAT+CSQ\n+CSQ: 22,99\n\nOK\n";
        let report = crate::diagnose(log.as_bytes()).unwrap();
        assert_eq!(report.sessions.len(), 1);
        assert_eq!(
            report.sessions[0].module.firmware.as_deref(),
            Some("EC25EFAR06A17M4G_20.200.20.200")
        );
    }

    #[test]
    fn prose_names_modules() {
        assert_eq!(
            named_in_prose("Hi I'm using a EC-21 (Revision: EC21EUXGAR08A02M1G) and"),
            Some(("EC21".into(), Some("EC21EUXGAR08A02M1G".into())))
        );
        assert_eq!(
            named_in_prose("a product with the BG95-M5 and MQTT"),
            Some(("BG95-M5".into(), None))
        );
        assert_eq!(named_in_prose("It works on my PC."), None);
    }
}
