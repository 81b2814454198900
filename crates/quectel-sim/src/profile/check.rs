//! Whether the fields of a profile go together.

use super::{Profile, parse_form};

/// The first field that cannot be as it is, and why.
pub(super) fn problem(profile: &Profile) -> Option<(&'static str, String)> {
    let boot_lines = || profile.boot.steps.iter().map(|step| step.line.as_str());
    if !profile.urc.ports.contains(&profile.urc.port) {
        let ports = profile.urc.ports.join(", ");
        return Some(("urc.port", format!("must be one of urc.ports: {ports}")));
    }
    if !boot_lines().any(|line| line == profile.boot.ready) {
        let lines = boot_lines().collect::<Vec<_>>().join(", ");
        return Some((
            "boot.ready",
            format!("must be a line of boot.steps: {lines}"),
        ));
    }
    if !(1..=16).contains(&profile.pdp.contexts) {
        return Some(("pdp.contexts", "must be 1 to 16".to_owned()));
    }
    if profile.pdp.active_at_boot > profile.pdp.contexts {
        return Some((
            "pdp.active_at_boot",
            "is no context, see pdp.contexts".to_owned(),
        ));
    }
    if profile.file.storages.is_empty() {
        return Some(("file.storages", "must name a storage".to_owned()));
    }
    if profile.file.ufs_free > profile.file.ufs_total {
        return Some(("file.ufs_free", "is more than file.ufs_total".to_owned()));
    }
    if !matches!(profile.clock.qlts_year_digits, 2 | 4) {
        return Some(("clock.qlts_year_digits", "must be 2 or 4".to_owned()));
    }
    let items = &profile.items;
    let lists = [
        ("items.ssl", &items.ssl),
        ("items.mqtt", &items.mqtt),
        ("items.cfg", &items.cfg),
        ("items.tcp", &items.tcp),
    ];
    lists.into_iter().find_map(|(key, list)| {
        let item = list.iter().find(|item| parse_form(&item.test).is_empty())?;
        Some((key, format!("\"{}\" has no test form", item.name)))
    })
}
