//! The configurable items of `AT+QSSLCFG`, `AT+QMTCFG`, `AT+QCFG` and `AT+QICFG`.

use serde::Deserialize;

use super::Overlay;

/// One configurable item of `AT+QSSLCFG`, `AT+QMTCFG`, `AT+QCFG` or `AT+QICFG`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its name, without quotes.
    pub name: String,
    /// Its line of the test form, after the name.
    #[serde(default)]
    pub test: String,
    /// Its factory value as a query prints it; empty when a query prints nothing.
    #[serde(default)]
    pub default: String,
    /// The item that a new one follows in the test form; the last one if empty.
    #[serde(default)]
    pub after: String,
    /// Takes the item away instead.
    #[serde(default)]
    pub remove: bool,
}

/// A list of items; a later layer replaces the items that it names and appends new ones.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Items(Vec<Item>);

impl Items {
    /// The item of this name, upper or lower case.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Item> {
        self.0
            .iter()
            .find(|item| item.name.eq_ignore_ascii_case(name))
    }

    /// The items in the order of the test form.
    pub fn iter(&self) -> core::slice::Iter<'_, Item> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Items {
    type Item = &'a Item;
    type IntoIter = core::slice::Iter<'a, Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Overlay for Items {
    fn overlay(&mut self, with: Self) {
        for item in with.0 {
            let place = self.0.iter().position(|old| old.name == item.name);
            match (place, item.remove) {
                (Some(at), true) => {
                    self.0.remove(at);
                }
                (Some(at), false) => self.0[at] = item,
                (None, true) => {}
                (None, false) => {
                    let before = self.0.iter().position(|old| old.name == item.after);
                    let at = before.map_or(self.0.len(), |at| at + 1);
                    self.0.insert(at, item);
                }
            }
        }
    }
}
