//! The values of the configurable items of `AT+QSSLCFG`, `AT+QMTCFG` and `AT+QICFG`.

use std::collections::BTreeMap;

use crate::at::Arg;

/// Which command an item belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    Ssl,
    Mqtt,
    Tcp,
}

/// Values that were set since the last reset; everything else has its factory value.
#[derive(Debug, Clone, Default)]
pub(crate) struct ItemStore {
    values: BTreeMap<(Group, String, u8), Vec<Arg>>,
}

impl ItemStore {
    pub(crate) fn set(&mut self, group: Group, name: &str, index: u8, values: Vec<Arg>) {
        self.values
            .insert((group, name.to_ascii_lowercase(), index), values);
    }

    pub(crate) fn get(&self, group: Group, name: &str, index: u8) -> Option<&[Arg]> {
        self.values
            .get(&(group, name.to_ascii_lowercase(), index))
            .map(Vec::as_slice)
    }

    /// All of them are lost at a reset.
    pub(crate) fn reset(&mut self) {
        self.values.clear();
    }
}
