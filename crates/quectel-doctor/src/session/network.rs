//! SIM, registration, PDP contexts, names and the module's clock, as last seen.

use std::collections::BTreeMap;

use crate::command::fields;
use crate::mask::Quote;
use crate::time::unix_of_date;

/// A fact and the line that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen<T> {
    pub(crate) value: T,
    pub(crate) quote: Quote,
}

/// One PDP context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pdp {
    pub(crate) apn: Option<Seen<String>>,
    /// `AT+QICSGP`: 1 IPv4, 2 IPv6, 3 both.
    pub(crate) kind: Option<i64>,
    /// Active or not, as the module last said.
    pub(crate) active: Option<Seen<bool>>,
    pub(crate) address: Option<Seen<String>>,
    /// `AT+QIACT` was refused and nothing has shown the context active since.
    pub(crate) refused: Option<Quote>,
}

/// What is known about the network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Network {
    /// `READY`, `SIM PIN`, `NOT READY`, or the words of a CME error.
    pub(crate) sim: Option<Seen<String>>,
    /// RSSI of `+CSQ`.
    pub(crate) rssi: Option<Seen<i64>>,
    /// The last status of each of `CREG`, `CGREG`, `CEREG`.
    pub(crate) registration: BTreeMap<String, Seen<i64>>,
    /// How often the registration was told since the module started.
    pub(crate) registration_told: u32,
    /// `+QNWINFO` named an access technology: the module is on a network.
    pub(crate) on_network: bool,
    pub(crate) operator: Option<Seen<String>>,
    pub(crate) pdp: BTreeMap<u8, Pdp>,
    /// An `AT+QIACT?` listed nothing, and no context was activated since.
    pub(crate) none_active: Option<Quote>,
    /// That list contradicts an activation that had just been accepted.
    pub(crate) contradicted: bool,
    /// PSM or eDRX was switched on.
    pub(crate) sleep: Option<Quote>,
    /// The module's own clock, and whether it can be right.
    pub(crate) clock: Option<Seen<ModuleClock>>,
}

/// What the module's clock said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ModuleClock {
    pub(crate) unix_s: i64,
    pub(crate) year: i64,
}

impl ModuleClock {
    /// Certificates of today are not valid at such a time.
    pub(crate) const fn is_implausible(self) -> bool {
        self.year < 2016 || self.year > 2037
    }
}

impl Network {
    /// A status of `+CREG` and the like: 1 and 5 are registered.
    pub(crate) fn is_registered(&self) -> bool {
        self.on_network
            || self
                .registration
                .values()
                .any(|seen| matches!(seen.value, 1 | 5))
            || self.has_address()
    }

    pub(crate) fn has_address(&self) -> bool {
        self.pdp
            .values()
            .any(|pdp| pdp.active.as_ref().is_some_and(|active| active.value))
    }

    /// Numbers of the contexts that are known to be active.
    pub(crate) fn active_contexts(&self) -> Vec<u8> {
        let is_active = |pdp: &Pdp| pdp.active.as_ref().is_some_and(|active| active.value);
        self.pdp
            .iter()
            .filter(|(_, pdp)| is_active(pdp))
            .map(|(n, _)| *n)
            .collect()
    }

    pub(crate) fn activate(&mut self, context: u8, quote: Quote) {
        self.none_active = None;
        let pdp = self.pdp.entry(context).or_default();
        pdp.refused = None;
        pdp.active = Some(Seen { value: true, quote });
    }

    pub(crate) fn deactivate(&mut self, context: u8, quote: Quote) {
        let pdp = self.pdp.entry(context).or_default();
        pdp.active = Some(Seen {
            value: false,
            quote,
        });
        pdp.address = None;
    }

    /// The answer to `AT+QIACT?` is complete: contexts that it does not list are inactive.
    pub(crate) fn listed(&mut self, active: &[u8], quote: &Quote) {
        self.contradicted = active.is_empty() && self.has_address();
        for (number, pdp) in &mut self.pdp {
            if !active.contains(number) && pdp.active.as_ref().is_some_and(|seen| seen.value) {
                pdp.active = Some(Seen {
                    value: false,
                    quote: quote.clone(),
                });
            }
        }
        self.none_active = active.is_empty().then(|| quote.clone());
    }

    /// The module restarted: contexts are down, settings of the network stay.
    pub(crate) fn restart(&mut self) {
        for pdp in self.pdp.values_mut() {
            pdp.active = None;
            pdp.address = None;
            pdp.refused = None;
        }
        self.registration.clear();
        self.registration_told = 0;
        self.on_network = false;
        self.none_active = None;
        self.clock = None;
        self.rssi = None;
    }
}

/// `26/08/07,13:54:02+32` of `+CCLK`, `2026/07/18,16:32:18-20` of `+QNTP`, also `+QLTS` with its DST field.
pub(crate) fn module_clock(text: &str) -> Option<ModuleClock> {
    let text = text.trim().trim_matches('"');
    let (date, time) = text.split_once(',')?;
    let mut date = date.split('/').map(|part| part.trim().parse::<i64>().ok());
    let (short, month, day) = (date.next()??, date.next()??, date.next()??);
    // Two digits: 80 is 1980, where the modules' clocks begin.
    let year = match short {
        0..70 => 2000 + short,
        70..100 => 1900 + short,
        other => other,
    };
    if !(1900..2200).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let mut clock = time
        .split([':', '+', '-', ','])
        .map(|part| part.trim().parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..61).contains(&second) {
        return None;
    }
    let told = unix_of_date(year, month, day) + (hour * 60 + minute) * 60 + second;
    // Some families tell local time with its zone in quarters of an hour, others UTC and the zone beside it: the
    // earlier reading proves less.
    let zone = time
        .split_once('+')
        .and_then(|(_, zone)| zone.split(',').next()?.trim().parse::<i64>().ok());
    let unix_s = told - zone.filter(|zone| (0..=56).contains(zone)).unwrap_or(0) * 900;
    Some(ModuleClock { unix_s, year })
}

/// The status in a registration line: `n,stat` when it answers a read, `stat` when it is a URC.
pub(crate) fn registration_status(value: &str, answers_read: bool) -> Option<i64> {
    let fields = fields(value);
    let number = |n: usize| {
        fields
            .get(n)
            .filter(|f| !f.quoted)
            .and_then(|f| f.text.parse::<i64>().ok())
    };
    let first = number(0)?;
    match number(1) {
        Some(second) if answers_read || first == 0 || fields.len() == 2 => Some(second),
        _ => Some(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_of_modules_are_read() {
        for (text, year, implausible) in [
            ("26/08/07,13:54:02+32", 2026, false),
            ("80/01/06,00:00:35+00", 1980, true),
            ("04/01/01,00:00:10+00", 2004, true),
            ("2026/07/18,16:32:18-20", 2026, false),
            ("2026/07/18,16:32:18+32,0", 2026, false),
        ] {
            let clock = module_clock(text).unwrap();
            assert_eq!(
                (clock.year, clock.is_implausible()),
                (year, implausible),
                "{text}"
            );
        }
        assert_eq!(module_clock(""), None);
        assert_eq!(module_clock("26/13/07,13:54:02"), None);
    }

    #[test]
    fn a_read_and_a_urc_are_told_apart() {
        for (value, answers_read, status) in [
            ("2,1", true, 1),
            ("2,4", true, 4),
            ("0,5", false, 5),
            ("1,\"1A2B\",\"00C3\",7", false, 1),
            ("2,5,\"1A2B\",\"00C3\",7", true, 5),
            ("5", false, 5),
        ] {
            assert_eq!(
                registration_status(value, answers_read),
                Some(status),
                "{value}"
            );
        }
    }
}
