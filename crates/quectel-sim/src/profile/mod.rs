//! The differences between modules, as data.
//!
//! A [`Profile`] is one model with one firmware. The built-in ones are the TOML files of the folder `profiles`, laid
//! over each other: `base`, the family, the firmware, the model. A user's file is one more layer in the same format.

mod check;
mod fields;
mod spec;

pub use fields::{
    BeforeReady, Boot, BootStep, Clock, CloseClosed, Commands, File, HostCheck, Identity, Item,
    ItemLists, Items, Line, Mqtt, OpenOrder, Pdp, Profile, PublishEx, Radio, Ssl, Tcp, Timings,
    Urc,
};
pub(crate) use spec::{Slot, parse_form};

use fields::ProfileLayer;

/// Why a profile could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// No profile has this model name.
    #[error("unknown model \"{name}\"; the simulated models are: {known}")]
    UnknownModel {
        /// The name as given.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// The model has no firmware of this name.
    #[error(
        "unknown firmware \"{firmware}\" for {model}; the simulated revisions are: {known}; \
         other complete revisions of the model behave like the nearest of them"
    )]
    UnknownFirmware {
        /// The model name as given.
        model: String,
        /// The revision as given.
        firmware: String,
        /// The revisions that exist.
        known: String,
    },
    /// A profile file is not valid.
    #[error("{file}: {message}")]
    Syntax {
        /// The file as named by the caller.
        file: String,
        /// Line, column and key.
        message: String,
    },
}

struct Row {
    names: &'static [&'static str],
    /// Firmware revisions that this row was made for.
    revisions: &'static [&'static str],
    /// First letters of further revisions that behave like these; the shortest is that of the model.
    series: &'static [&'static str],
    layers: &'static [(&'static str, &'static str)],
}

macro_rules! layer {
    ($name:literal) => {
        (
            concat!("profiles/", $name, ".toml"),
            include_str!(concat!("../../profiles/", $name, ".toml")),
        )
    };
}

const BASE: (&str, &str) = layer!("base");

/// The first row of a model is the one taken when no firmware is named.
const ROWS: &[Row] = &[
    Row {
        names: &["bg96"],
        revisions: &["BG96MAR04A02M1G"],
        series: &["BG96M"],
        layers: &[layer!("bg96"), layer!("bg96_new")],
    },
    Row {
        names: &["bg96"],
        revisions: &["BG96MAR02A07M1G"],
        series: &["BG96MAR01", "BG96MAR02", "BG96MAR03"],
        layers: &[layer!("bg96"), layer!("bg96_old")],
    },
    Row {
        names: &["bg96"],
        revisions: &["BG96MAR02A08M1G"],
        series: &[],
        layers: &[layer!("bg96"), layer!("bg96_old"), layer!("bg96_old_a08")],
    },
    Row {
        names: &["bg95", "bg95-m3", "bg95m3"],
        revisions: &["BG95M3LAR02A03"],
        series: &["BG95M"],
        layers: &[layer!("bg95")],
    },
    Row {
        names: &["bg77"],
        revisions: &["BG77LAR02A04"],
        series: &["BG77L"],
        layers: &[layer!("bg95"), layer!("bg77")],
    },
    Row {
        names: &["ec21"],
        revisions: &["EC21EUXGAR08A02M1G"],
        series: &["EC21"],
        layers: &[layer!("ec2x"), layer!("ec21")],
    },
    Row {
        names: &["ec25"],
        revisions: &["EC25EFAR06A17M4G"],
        series: &["EC25"],
        layers: &[layer!("ec2x")],
    },
    Row {
        names: &["eg25", "eg25-g", "eg25g"],
        revisions: &["EG25GGBR07A08M2G_30.203.30.203"],
        series: &["EG25GGBR07A08M2G_30", "EG25GGBR07A08M2G", "EG25G"],
        layers: &[layer!("ec2x"), layer!("eg25")],
    },
    Row {
        names: &["eg25", "eg25-g", "eg25g"],
        revisions: &["EG25GGBR07A08M2G_01.002.01.002"],
        series: &[],
        layers: &[
            layer!("ec2x"),
            layer!("eg25"),
            layer!("eg25_01"),
            layer!("eg25_01_002"),
        ],
    },
    Row {
        names: &["eg25", "eg25-g", "eg25g"],
        revisions: &["EG25GGBR07A08M2G_01.003.01.003"],
        series: &["EG25GGBR07A08M2G_01"],
        layers: &[layer!("ec2x"), layer!("eg25"), layer!("eg25_01")],
    },
    Row {
        names: &["eg25", "eg25-g", "eg25g"],
        revisions: &["EG25GGBR07A08M2G_A0.301.A0.301"],
        series: &["EG25GGBR07A08M2G_A0"],
        layers: &[layer!("ec2x"), layer!("eg25"), layer!("eg25_a0")],
    },
    Row {
        names: &["eg91"],
        revisions: &["EG91EXGAR08A05M1G"],
        series: &["EG91"],
        layers: &[layer!("ec2x"), layer!("eg91")],
    },
    Row {
        names: &["ec200u"],
        revisions: &["EC200UCNAAR03A06M08"],
        series: &["EC200U"],
        layers: &[layer!("ec2x"), layer!("ec200x"), layer!("ec200u")],
    },
    Row {
        names: &["eg915u"],
        revisions: &["EG915UEUABR03A01M08"],
        series: &["EG915U"],
        layers: &[layer!("ec2x"), layer!("ec200x"), layer!("eg915u")],
    },
    Row {
        names: &["eg800k"],
        revisions: &["EG800KCNGCR07A06M04"],
        series: &["EG800K"],
        layers: &[layer!("ec2x"), layer!("ec200x"), layer!("eg800k")],
    },
    Row {
        names: &["eg800k", "eg800ak"],
        revisions: &["EG800KLALCR07A02M04"],
        series: &["EG800KLAL"],
        layers: &[layer!("ec2x"), layer!("ec200x"), layer!("eg800kl")],
    },
];

impl Profile {
    /// Chooses a profile by model name (upper or lower case) and, if given, firmware revision.
    ///
    /// A revision of the model that is not simulated itself, such as `EC25AFFAR07A08M4G`, is reported by `ATI` as given;
    /// its behaviour is that of [`stands_in`](Self::stands_in).
    ///
    /// ```
    /// let profile = quectel_sim::Profile::select("BG96", Some("BG96MAR02A08M1G"))?;
    /// assert_eq!(profile.identity.revision, "BG96MAR02A08M1G");
    /// # Ok::<(), quectel_sim::ProfileError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ProfileError::UnknownModel`] and [`ProfileError::UnknownFirmware`] name what exists.
    ///
    /// # Reference
    ///
    /// `ATI`, `AT+QGMR`; each profile file cites its sources.
    pub fn select(model: &str, firmware: Option<&str>) -> Result<Self, ProfileError> {
        let row = row_of(model, firmware)?;
        let mut profile = build(row)?;
        let Some(firmware) = firmware else {
            return Ok(profile);
        };
        let wanted = firmware.to_ascii_uppercase();
        let (revision, app) = wanted.split_at(wanted.find('_').unwrap_or(wanted.len()));
        profile.identity.revision = revision.to_owned();
        if !app.is_empty() {
            profile.identity.app_revision = app.to_owned();
        }
        Ok(profile)
    }

    /// The files that a profile is made of, each laid over those before it: names and TOML texts, in which every field
    /// is explained.
    ///
    /// # Errors
    ///
    /// As for [`select`](Self::select).
    pub fn layers(
        model: &str,
        firmware: Option<&str>,
    ) -> Result<Vec<(&'static str, &'static str)>, ProfileError> {
        let row = row_of(model, firmware)?;
        Ok([&BASE].into_iter().chain(row.layers).copied().collect())
    }

    /// The revision whose behaviour [`select`](Self::select) takes for this one, when it is not one of
    /// [`revisions`](Self::revisions) itself.
    ///
    /// ```
    /// use quectel_sim::Profile;
    ///
    /// assert_eq!(Profile::stands_in("ec25", "EC25AFFAR07A08M4G"), Some("EC25EFAR06A17M4G"));
    /// assert_eq!(Profile::stands_in("bg96", "BG96MAR02A07M1G"), None);
    /// ```
    #[must_use]
    pub fn stands_in(model: &str, firmware: &str) -> Option<&'static str> {
        let wanted = firmware.to_ascii_uppercase();
        match nearest(&rows_of(model), &wanted) {
            Some((row, false)) => row.revisions.first().copied(),
            _ => None,
        }
    }

    /// The model names that [`select`](Self::select) knows.
    #[must_use]
    pub fn models() -> Vec<&'static str> {
        let mut names: Vec<&str> = ROWS
            .iter()
            .filter_map(|row| row.names.first().copied())
            .collect();
        names.dedup();
        names
    }

    /// The firmware revisions that a model is simulated with.
    #[must_use]
    pub fn revisions(model: &str) -> Vec<&'static str> {
        rows_of(model)
            .iter()
            .flat_map(|row| row.revisions.iter().copied())
            .collect()
    }

    /// Lays the fields of a TOML text over this profile.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Syntax`] names the file, the line and the key.
    pub fn overlay(&mut self, file: &str, text: &str) -> Result<(), ProfileError> {
        let layer: ProfileLayer = toml::from_str(text).map_err(|e| ProfileError::Syntax {
            file: file.to_owned(),
            message: e.to_string().trim_end().to_owned(),
        })?;
        let before = self.clone();
        self.apply(layer);
        let Some((key, problem)) = check::problem(self) else {
            return Ok(());
        };
        *self = before;
        let name = key.rsplit('.').next().unwrap_or(key);
        let line = text
            .lines()
            .position(|line| line.trim_start().starts_with(name))
            .map_or(1, |at| at + 1);
        Err(ProfileError::Syntax {
            file: file.to_owned(),
            message: format!("line {line}, {key}: {problem}"),
        })
    }
}

fn rows_of(model: &str) -> Vec<&'static Row> {
    ROWS.iter()
        .filter(|row| {
            row.names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(model))
        })
        .collect()
}

fn row_of(model: &str, firmware: Option<&str>) -> Result<&'static Row, ProfileError> {
    let rows = rows_of(model);
    let first = rows.first().ok_or_else(|| ProfileError::UnknownModel {
        name: model.to_owned(),
        known: Profile::models().join(", "),
    })?;
    let Some(firmware) = firmware else {
        return Ok(first);
    };
    nearest(&rows, &firmware.to_ascii_uppercase())
        .map(|(row, _)| row)
        .ok_or_else(|| ProfileError::UnknownFirmware {
            model: model.to_owned(),
            firmware: firmware.to_owned(),
            known: Profile::revisions(model).join(", "),
        })
}

/// The row for a revision in upper case, and whether the row was made for it.
fn nearest(rows: &[&'static Row], wanted: &str) -> Option<(&'static Row, bool)> {
    let without_app = |revision: &str| revision.split('_').next().unwrap_or_default().to_owned();
    let exact = rows.iter().find(|row| {
        row.revisions
            .iter()
            .any(|known| *known == wanted || *known == without_app(wanted))
    });
    if let Some(row) = exact {
        return Some((row, true));
    }
    if !is_complete(wanted) {
        return None;
    }
    rows.iter()
        .flat_map(|row| row.series.iter().map(move |series| (*row, *series)))
        .filter(|(_, series)| wanted.starts_with(series))
        .max_by_key(|(_, series)| series.len())
        .map(|(row, _)| (row, false))
}

/// Whether a revision has the form of a complete one: release and application as in `…R02A07…`.
fn is_complete(revision: &str) -> bool {
    revision.as_bytes().windows(6).any(|w| {
        matches!(w, [b'R', a, b, c, d, e] if a.is_ascii_digit() && b.is_ascii_digit()
            && c.is_ascii_uppercase() && d.is_ascii_digit() && e.is_ascii_digit())
    })
}

fn build(row: &Row) -> Result<Profile, ProfileError> {
    let (file, text) = BASE;
    let mut profile: Profile = toml::from_str(text).map_err(|e| ProfileError::Syntax {
        file: file.to_owned(),
        message: e.to_string(),
    })?;
    for (file, text) in row.layers {
        profile.overlay(file, text)?;
    }
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_builds_and_every_form_parses() {
        for row in ROWS {
            let profile = build(row).unwrap();
            let items = &profile.items;
            for item in items
                .ssl
                .iter()
                .chain(items.mqtt.iter())
                .chain(items.cfg.iter())
                .chain(items.tcp.iter())
            {
                assert!(
                    !parse_form(&item.test).is_empty(),
                    "{}: {}",
                    profile.identity.model,
                    item.name
                );
            }
        }
    }

    #[test]
    fn selection() {
        let cases = [
            ("bg96", None, "bg96_new", "BG96MAR04A02M1G"),
            (
                "BG96",
                Some("BG96MAR02A07M1G"),
                "bg96_old",
                "BG96MAR02A07M1G",
            ),
            (
                "bg96",
                Some("bg96mar02a08m1g_01.012.01.012"),
                "bg96_old",
                "BG96MAR02A08M1G",
            ),
            (
                "bg96",
                Some("BG96MAR03A06M1G_01.005.01.005"),
                "bg96_old",
                "BG96MAR03A06M1G",
            ),
            ("ec21", None, "ec2x", "EC21EUXGAR08A02M1G"),
            (
                "EC25",
                Some("EC25AFFAR07A08M4G"),
                "ec2x",
                "EC25AFFAR07A08M4G",
            ),
            (
                "eg800k",
                Some("EG800KLALCR07A02M04_01.001.01.001"),
                "ec200",
                "EG800KLALCR07A02M04",
            ),
            ("bg77", None, "bg95", "BG77LAR02A04"),
        ];
        for (model, firmware, family, revision) in cases {
            let profile = Profile::select(model, firmware).unwrap();
            assert_eq!(
                (
                    profile.identity.family.as_str(),
                    profile.identity.revision.as_str()
                ),
                (family, revision)
            );
        }
    }

    #[test]
    fn items_of_eg25_firmware() {
        // Revision, highest sslversion, ignorecertitem, ignoreprivkey.
        let cases = [
            ("EG25GGBR07A08M2G_01.002.01.002", "(0-5)", false, false),
            ("EG25GGBR07A08M2G_01.003.01.003", "(0-4)", false, false),
            ("EG25GGBR07A08M2G_30.203.30.203", "(0-4)", true, false),
            ("EG25GGBR07A08M2G_A0.301.A0.301", "(0-4)", true, true),
        ];
        for (revision, versions, cert_item, priv_key) in cases {
            let items = Profile::select("eg25", Some(revision)).unwrap().items.ssl;
            let version = items.find("sslversion").unwrap();
            assert_eq!(version.test, format!("(0-5),{versions}"), "{revision}");
            assert_eq!(items.find("ignorecertitem").is_some(), cert_item);
            assert_eq!(items.find("ignoreprivkey").is_some(), priv_key);
        }
    }

    #[test]
    fn unknown_names_list_the_known_ones() {
        let error = Profile::select("sim7600", None).unwrap_err().to_string();
        assert!(
            error.contains("sim7600") && error.contains("bg96") && error.contains("eg800k"),
            "{error}"
        );
        for firmware in ["XYZ", "BG96", "BG96MAR02", "BG95M3LAR02A03", "BG96MAR0"] {
            let error = Profile::select("bg96", Some(firmware))
                .unwrap_err()
                .to_string();
            for word in [
                firmware,
                "BG96MAR02A07M1G",
                "BG96MAR02A08M1G",
                "BG96MAR04A02M1G",
            ] {
                assert!(error.contains(word), "{error}");
            }
        }
    }

    #[test]
    fn other_revisions_behave_like_the_nearest() {
        let cases = [
            ("bg96", "BG96MAR02A07M1G", None),
            ("bg96", "BG96MAR02A08M1G_01.012.01.012", None),
            (
                "bg96",
                "bg96mar03a06m1g_01.005.01.005",
                Some("BG96MAR02A07M1G"),
            ),
            ("bg96", "BG96MAR06A01M1G", Some("BG96MAR04A02M1G")),
            (
                "eg25",
                "EG25GGBR07A07M2G_01.001.01.001",
                Some("EG25GGBR07A08M2G_30.203.30.203"),
            ),
            (
                "eg25",
                "EG25GGBR07A08M2G_01.004.01.004",
                Some("EG25GGBR07A08M2G_01.003.01.003"),
            ),
            ("eg25", "EG25GGBR07A08M2G_01.003.01.003", None),
            ("eg25", "EG25GGBR07A08M2G_30.203.30.203", None),
            ("eg91", "EG91NAFBR05A06M4G", Some("EG91EXGAR08A05M1G")),
            ("bg95", "BG95M5LAR02A04", Some("BG95M3LAR02A03")),
        ];
        for (model, firmware, expected) in cases {
            assert!(Profile::select(model, Some(firmware)).is_ok(), "{firmware}");
            assert_eq!(Profile::stands_in(model, firmware), expected, "{firmware}");
        }
    }

    #[test]
    fn overlay_errors_name_file_line_and_key() {
        let cases = [
            ("[mqtt]\npublish_max = \"many\"\n", "line 2", "publish_max"),
            ("[mqtt]\nno_such_key = 1\n", "line 2", "no_such_key"),
            (
                "[boot]\nbefore_ready = \"maybe\"\n",
                "line 2",
                "before_ready",
            ),
            ("[mqtt\n", "line 1", "mqtt"),
            ("[urc]\n\nport = \"com1\"\n", "line 3", "urc.port"),
            ("[boot]\nready = \"GO\"\n", "line 2", "boot.ready"),
            ("[pdp]\ncontexts = 0\n", "line 2", "pdp.contexts"),
        ];
        for (text, line, key) in cases {
            let mut profile = Profile::select("bg96", None).unwrap();
            let before = profile.clone();
            let error = profile.overlay("my.toml", text).unwrap_err().to_string();
            assert_eq!(profile, before);
            assert!(
                error.contains("my.toml") && error.contains(line) && error.contains(key),
                "{error}"
            );
        }
        let mut profile = Profile::select("bg96", None).unwrap();
        profile
            .overlay("my.toml", "[mqtt]\npublish_max = 100\n")
            .unwrap();
        assert_eq!(profile.mqtt.publish_max, 100);
    }
}
