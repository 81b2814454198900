//! How a simulated module is set up before it is switched on.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::profile::{Profile, ProfileError};

/// How fast the module works.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Timing {
    /// Everything happens as soon as it can; protocol timeouts stay as configured.
    Fast,
    /// The times of the profile, measured on hardware where a measurement was found.
    Realistic,
    /// The times of the profile multiplied by this.
    Scaled(f64),
}

impl Timing {
    pub(crate) const fn factor(self) -> f64 {
        match self {
            Self::Fast => 0.0,
            Self::Realistic => 1.0,
            Self::Scaled(factor) => factor,
        }
    }
}

/// The state that a module starts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PowerState {
    /// Off until [`Module::power_on`](crate::Module::power_on).
    Off,
    /// Switched on at the first call: the boot URCs come.
    Booting,
    /// Long since booted and registered: no URC comes.
    Ready,
}

/// The SIM card.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimState {
    /// No card.
    Absent,
    /// A card that asks for no PIN.
    Ready,
    /// A card that asks for this PIN.
    Pin(String),
    /// A card that is blocked until its PUK is given.
    Puk(String),
    /// A card that does not work.
    Failure,
}

/// Everything about a module that is not a property of its model.
///
/// ```
/// use quectel_sim::{Module, ModuleConfig, Timing};
///
/// let config = ModuleConfig::new("bg96")?.timing(Timing::Fast).seed(7);
/// let module = Module::new(config);
/// # drop(module);
/// # Ok::<(), quectel_sim::ProfileError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ModuleConfig {
    /// The model and firmware.
    pub profile: Profile,
    /// Everything that looks random follows from this.
    pub seed: u64,
    /// How fast the module works.
    pub timing: Timing,
    /// Whether the UART passes bytes no faster than its baud rate.
    pub pace_uart: bool,
    /// The state that the module starts in.
    pub power: PowerState,
    /// The port that the host is wired to: `uart1`, `usbat` or `usbmodem`.
    pub port: String,
    /// Seconds since 1970 in the simulated world when the module's time is 0.
    pub unix_s: i64,
    /// Whether the network sends its time.
    pub nitz: bool,
    /// Whether a time server answers.
    pub ntp: bool,
    /// The SIM card.
    pub sim: SimState,
    /// The APNs that the network accepts; none means any.
    pub apns: Vec<String>,
    /// Whether there is a network at all; without one the module searches for ever.
    pub coverage: bool,
    /// Whether the network lets the SIM card register.
    pub registers: bool,
    /// Files that the module has from the start, as `UFS:name`, `RAM:name` or `name`.
    pub files: Vec<(String, Vec<u8>)>,
    /// Non-volatile settings of an earlier run, as [`Module::nonvolatile`](crate::Module::nonvolatile) gave them.
    pub nonvolatile: Vec<(String, String)>,
    /// How many lines of the log are kept.
    pub log_lines: usize,
}

impl ModuleConfig {
    /// A booting module of this model with a SIM card and any APN accepted, in the present.
    ///
    /// # Errors
    ///
    /// [`ProfileError::UnknownModel`] names the models that exist.
    pub fn new(model: &str) -> Result<Self, ProfileError> {
        Ok(Self::with_profile(Profile::select(model, None)?))
    }

    /// The same with a firmware revision, such as `BG96MAR02A07M1G`.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] names the models or the revisions that exist.
    pub fn with_firmware(model: &str, firmware: &str) -> Result<Self, ProfileError> {
        Ok(Self::with_profile(Profile::select(model, Some(firmware))?))
    }

    /// The same with a profile of the caller's.
    #[must_use]
    pub fn with_profile(profile: Profile) -> Self {
        let unix_s = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_secs());
        Self {
            nitz: profile.clock.nitz,
            profile,
            seed: 1,
            timing: Timing::Realistic,
            pace_uart: false,
            power: PowerState::Booting,
            port: "uart1".to_owned(),
            unix_s: i64::try_from(unix_s).unwrap_or(0),
            ntp: true,
            sim: SimState::Ready,
            apns: Vec::new(),
            coverage: true,
            registers: true,
            files: Vec::new(),
            nonvolatile: Vec::new(),
            log_lines: 10_000,
        }
    }

    /// Sets the seed.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets how fast the module works.
    #[must_use]
    pub const fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Sets the state that the module starts in.
    #[must_use]
    pub const fn power(mut self, power: PowerState) -> Self {
        self.power = power;
        self
    }

    /// Sets the time of the simulated world, in seconds since 1970.
    #[must_use]
    pub const fn unix_s(mut self, unix_s: i64) -> Self {
        self.unix_s = unix_s;
        self
    }

    /// Takes every source of time away: the clock stays in 1980 until the host sets it.
    #[must_use]
    pub const fn without_clock(mut self) -> Self {
        self.nitz = false;
        self.ntp = false;
        self
    }

    /// Sets the SIM card.
    #[must_use]
    pub fn sim(mut self, sim: SimState) -> Self {
        self.sim = sim;
        self
    }

    /// Stores a file before the module is switched on.
    #[must_use]
    pub fn file(mut self, name: &str, content: &[u8]) -> Self {
        self.files.push((name.to_owned(), content.to_vec()));
        self
    }

    /// Sets a non-volatile setting, for example `("urcport", "uart1")`.
    #[must_use]
    pub fn nonvolatile(mut self, name: &str, value: &str) -> Self {
        self.nonvolatile.push((name.to_owned(), value.to_owned()));
        self
    }
}
