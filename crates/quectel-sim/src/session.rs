//! Settings of the AT interpreter: the volatile ones, those that `AT&W` stores, and those in non-volatile memory.

use std::collections::BTreeMap;

use crate::profile::Profile;

/// The values of the AT interpreter.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) echo: bool,
    pub(crate) verbose: bool,
    pub(crate) quiet: bool,
    pub(crate) s0: u8,
    pub(crate) s3: u8,
    pub(crate) s4: u8,
    pub(crate) s5: u8,
    pub(crate) s6: u8,
    pub(crate) s7: u8,
    pub(crate) s8: u8,
    pub(crate) s10: u8,
    pub(crate) x: u8,
    pub(crate) dcd: u8,
    pub(crate) dtr: u8,
    pub(crate) cmee: u8,
    /// `<n>` of CREG, CGREG and CEREG.
    pub(crate) reg_n: [u8; 3],
    pub(crate) baud: u32,
    pub(crate) ifc: (u8, u8),
    pub(crate) icf: (u8, u8),
    pub(crate) ctzr: u8,
    pub(crate) qisde: bool,
    pub(crate) urc_port: String,
    pub(crate) ctzu: u8,
    pub(crate) qindcfg_all: bool,
    pub(crate) simstat_urc: bool,
    pub(crate) simdet: (u8, u8),
    pub(crate) qsclk: u8,
    /// Satellite navigation is switched on.
    pub(crate) gnss: bool,
    factory: Factory,
    nonvolatile: BTreeMap<String, String>,
    volatile: BTreeMap<String, String>,
    pub(crate) version: u64,
}

#[derive(Debug, Clone)]
struct Factory {
    dtr: u8,
    cmee: u8,
    urc_port: String,
    ctzu: u8,
}

/// Settings that nothing stores: a restart and `AT&F` bring their factory values back.
const VOLATILE: [&str; 2] = ["+CSCS", "+CMGF"];

/// What `AT&W` stores, with the factory values; that of `&D` is the profile's.
const STORED: [(&str, &str); 13] = [
    ("E", "1"),
    ("Q", "0"),
    ("V", "1"),
    ("S0", "0"),
    ("S7", "60"),
    ("S10", "15"),
    ("X", "4"),
    ("&C", "1"),
    ("&D", ""),
    ("IPR", "115200"),
    ("CREG", "0"),
    ("CGREG", "0"),
    ("CEREG", "0"),
];

impl Session {
    pub(crate) fn new(profile: &Profile, nonvolatile: &[(String, String)]) -> Self {
        let factory = Factory {
            dtr: profile.line.dtr,
            cmee: profile.line.cmee,
            urc_port: profile.urc.port.clone(),
            ctzu: profile.clock.ctzu,
        };
        let mut session = Self {
            echo: true,
            verbose: true,
            quiet: false,
            s0: 0,
            s3: b'\r',
            s4: b'\n',
            s5: 8,
            s6: 2,
            s7: 60,
            s8: 2,
            s10: 15,
            x: 4,
            dcd: 1,
            dtr: factory.dtr,
            cmee: factory.cmee,
            reg_n: [0; 3],
            baud: 115_200,
            ifc: (0, 0),
            icf: (3, 3),
            ctzr: 0,
            qisde: true,
            urc_port: factory.urc_port.clone(),
            ctzu: 1,
            qindcfg_all: true,
            simstat_urc: false,
            simdet: (0, 0),
            qsclk: 0,
            gnss: false,
            factory,
            nonvolatile: nonvolatile.iter().cloned().collect(),
            volatile: BTreeMap::new(),
            version: 0,
        };
        session.load_stored();
        session
    }

    /// What survives a power cut.
    pub(crate) fn stored(&self) -> impl Iterator<Item = (String, String)> {
        self.nonvolatile.iter().map(|(k, v)| (k.clone(), v.clone()))
    }

    /// Writes a non-volatile setting.
    pub(crate) fn store(&mut self, name: &str, value: impl ToString) {
        self.nonvolatile.insert(name.to_owned(), value.to_string());
        self.version += 1;
    }

    /// Keeps a setting as long as the module keeps it.
    pub(crate) fn keep(&mut self, name: &str, value: String) {
        if VOLATILE.contains(&name) {
            self.volatile.insert(name.to_owned(), value);
        } else {
            self.store(name, value);
        }
    }

    pub(crate) fn load(&self, name: &str) -> Option<&str> {
        self.volatile
            .get(name)
            .or_else(|| {
                self.nonvolatile
                    .get(name)
                    .filter(|_| !VOLATILE.contains(&name))
            })
            .map(String::as_str)
    }

    /// `AT&W`
    pub(crate) fn store_profile(&mut self) {
        let values = [
            u32::from(self.echo),
            u32::from(self.quiet),
            u32::from(self.verbose),
            u32::from(self.s0),
            u32::from(self.s7),
            u32::from(self.s10),
            u32::from(self.x),
            u32::from(self.dcd),
            u32::from(self.dtr),
            self.baud,
            u32::from(self.reg_n[0]),
            u32::from(self.reg_n[1]),
            u32::from(self.reg_n[2]),
        ];
        for ((name, _), value) in STORED.iter().zip(values) {
            self.store(name, value);
        }
    }

    fn number(&self, name: &str, default: &str) -> u32 {
        self.load(name).unwrap_or(default).parse().unwrap_or(0)
    }

    fn apply(&mut self, value: impl Fn(&Self, &str, &str) -> u32, with_baud: bool) {
        let mut numbers = [0u32; 13];
        let dtr = self.factory.dtr.to_string();
        for (number, (name, default)) in numbers.iter_mut().zip(STORED) {
            let default = if name == "&D" { &dtr } else { default };
            *number = value(self, name, default);
        }
        let byte = |at: usize| u8::try_from(numbers[at]).unwrap_or(0);
        self.echo = byte(0) != 0;
        self.quiet = byte(1) != 0;
        self.verbose = byte(2) != 0;
        (self.s0, self.s7, self.s10) = (byte(3), byte(4), byte(5));
        (self.x, self.dcd, self.dtr) = (byte(6), byte(7), byte(8));
        if with_baud {
            self.baud = numbers[9];
        }
        self.reg_n = [byte(10), byte(11), byte(12)];
    }

    /// `ATZ`: what `AT&W` stored; the baud rate stays.
    pub(crate) fn restore_profile(&mut self) {
        self.apply(Self::number, false);
    }

    /// `AT&F`: factory values; the baud rate and non-volatile settings stay.
    pub(crate) fn factory_reset(&mut self) {
        self.apply(|_, _, default| default.parse().unwrap_or(0), false);
        (self.s3, self.s4, self.s5) = (b'\r', b'\n', 8);
        self.cmee = self.factory.cmee;
        self.ctzr = 0;
        self.volatile.clear();
    }

    /// A restart: stored values, and factory values for all that cannot be stored.
    pub(crate) fn load_stored(&mut self) {
        self.apply(Self::number, true);
        (self.s3, self.s4, self.s5) = (b'\r', b'\n', 8);
        self.cmee = self.factory.cmee;
        (self.ifc, self.icf) = ((0, 0), (3, 3));
        (self.ctzr, self.qisde, self.qindcfg_all, self.qsclk) = (0, true, true, 0);
        (self.simstat_urc, self.gnss) = (false, false);
        self.volatile.clear();
        self.urc_port = self
            .load("urcport")
            .unwrap_or(&self.factory.urc_port)
            .to_owned();
        self.ctzu = self
            .load("ctzu")
            .and_then(|value| value.parse().ok())
            .unwrap_or(self.factory.ctzu);
    }
}
