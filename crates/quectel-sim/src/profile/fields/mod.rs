//! The fields of a profile. `profiles/base.toml` explains each value and cites its source.

use serde::Deserialize;

/// A value that a later layer replaces or extends.
trait Overlay {
    fn overlay(&mut self, with: Self);
}

macro_rules! replaced {
    ($($ty:ty),* $(,)?) => { $(impl Overlay for $ty { fn overlay(&mut self, with: Self) { *self = with; } })* };
}

replaced!(
    bool,
    i64,
    u8,
    u16,
    u32,
    u64,
    usize,
    String,
    Vec<String>,
    Vec<u32>,
    Vec<BootStep>,
    BeforeReady,
    HostCheck,
    PublishEx,
    CloseClosed,
    OpenOrder,
);

macro_rules! group {
    ($(#[$meta:meta])* $name:ident / $layer:ident { $($(#[$field_meta:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_meta])* pub $field: $ty,)* }

        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(in crate::profile) struct $layer { $($field: Option<$ty>,)* }

        impl $name {
            pub(super) fn apply(&mut self, layer: $layer) {
                $(if let Some(value) = layer.$field { self.$field.overlay(value); })*
            }
        }
    };
}

mod items;
mod services;

pub use items::{Item, Items};
pub use services::{CloseClosed, File, HostCheck, Mqtt, OpenOrder, PublishEx, Ssl, Tcp};
use services::{FileLayer, MqttLayer, SslLayer, TcpLayer};

group! {
    /// What the module says about itself.
    Identity / IdentityLayer {
        /// Name of the family, for messages only.
        family: String,
        /// Answer to `AT+GMI`.
        manufacturer: String,
        /// Answer to `AT+GMM`.
        model: String,
        /// Second line of `ATI`.
        ati_model: String,
        /// Answer to `AT+GMR`.
        revision: String,
        /// What `AT+QGMR` appends to the revision.
        app_revision: String,
        /// 15 digits.
        imei: String,
        /// Whether `AT+GSN` takes 0 for the serial number and 1 for the IMEI.
        gsn_kinds: bool,
        /// Serial number.
        serial: String,
        /// Up to 20 digits.
        iccid: String,
        /// Answer to `AT+CIMI`.
        imsi: String,
    }
}

group! {
    /// The line protocol.
    Line / LineLayer {
        /// Longest command line, in bytes.
        max_length: usize,
        /// Answer to an unknown command.
        unknown: String,
        /// Answer to wrong parameters.
        incorrect: String,
        /// The bytes of the `>` prompt.
        prompt: String,
        /// Answer to ESC at a prompt; empty for none.
        esc: String,
        /// Whether ESC cancels a prompt that counts its bytes, too.
        esc_cancels_counted: bool,
        /// Whether each information response of a concatenated line starts with CR LF.
        concat_blank_line: bool,
        /// Answer to a line without `AT`; empty for none.
        junk: String,
        /// Whether numbers may stand in quotes.
        quoted_numbers: bool,
        /// How long a half-typed line holds URCs back, in milliseconds.
        urc_hold_ms: u64,
        /// Factory value of `AT+CMEE`.
        cmee: u8,
        /// Factory value of `AT&D`.
        dtr: u8,
        /// Highest mode of `AT+QSCLK`.
        sleep_max: u8,
        /// Rates of `AT+IPR`.
        baud_rates: Vec<u32>,
    }
}

/// What a command gets before the module is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BeforeReady {
    /// Nothing, not even an echo.
    Silent,
    /// `ERROR`.
    Error,
    /// Its ordinary answer.
    Answer,
}

/// One line of the boot sequence.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootStep {
    /// Milliseconds after the previous line.
    pub ms: u64,
    /// The line, or `sim`, `qusim`, `sms-done`, `pb-done` for those that depend on the SIM card.
    pub line: String,
}

group! {
    /// Power on and off.
    Boot / BootLayer {
        /// The lines after power-on.
        steps: Vec<BootStep>,
        /// The line after which commands are obeyed.
        ready: String,
        /// What a command gets before that.
        before_ready: BeforeReady,
        /// The URC of `AT+QPOWD`.
        powered_down: String,
        /// From `OK` to that URC, in milliseconds.
        powered_down_ms: u64,
        /// Whether `AT+QPOWD=1` prints it.
        powered_down_on_normal: bool,
        /// Whether `AT+CFUN=1,1` prints it.
        powered_down_on_reset: bool,
        /// From the `OK` of `AT+CFUN=1,1` to that URC, in milliseconds.
        reset_urc_ms: u64,
        /// From the `OK` of `AT+CFUN=1,1` to `+QIURC: "pdpdeact"`, in milliseconds; 0 for none.
        reset_pdpdeact_ms: u64,
        /// From power-down to the new start, in milliseconds.
        reset_off_ms: u64,
        /// The URC of a power-off by the key.
        pwrkey_line: String,
        /// `AT+QINISTAT` when all is ready.
        inistat: u8,
    }
}

group! {
    /// Where unsolicited result codes go.
    Urc / UrcLayer {
        /// Factory value of `AT+QURCCFG="urcport"`.
        port: String,
        /// The ports that can be named.
        ports: Vec<String>,
        /// Whether `RDY` shows on the UART whatever the port setting is.
        rdy_everywhere: bool,
    }
}

group! {
    /// How long things take with realistic timing, in milliseconds.
    Timings / TimingsLayer {
        /// An ordinary command.
        command_ms: u64,
        /// A command that asks the SIM card.
        sim_ms: u64,
        /// `AT+QIACT`.
        qiact_ms: u64,
        /// `AT+QIDEACT`.
        qideact_ms: u64,
        /// From SIM ready to registered.
        registration_ms: u64,
        /// A TCP connection.
        tcp_open_ms: u64,
        /// A TLS connection.
        tls_open_ms: u64,
        /// A failed handshake.
        tls_fail_ms: u64,
        /// A failed name look-up.
        dns_fail_ms: u64,
        /// MQTT CONNECT.
        connect_ms: u64,
        /// MQTT SUBSCRIBE.
        subscribe_ms: u64,
        /// MQTT PUBLISH.
        publish_ms: u64,
        /// Closing a connection.
        close_ms: u64,
        /// One ping.
        ping_ms: u64,
        /// A time server.
        ntp_ms: u64,
        /// The `>` prompt.
        prompt_ms: u64,
    }
}

group! {
    /// What the radio reports.
    Radio / RadioLayer {
        /// Technology word of `AT+QCSQ`.
        qcsq: String,
        /// The technology words of `AT+QCSQ=?` after `"NOSERVICE","GSM"`.
        qcsq_others: String,
        /// Technology word of `AT+QENG="servingcell"`.
        cell_word: String,
        /// Technology word of `AT+QNWINFO`.
        qnwinfo: String,
        /// `<AcT>` of `AT+COPS?` and the registration commands.
        act: u8,
        /// Band name of `AT+QNWINFO`.
        band: String,
        /// Channel of `AT+QNWINFO`.
        channel: u32,
        /// Long operator name.
        operator: String,
        /// Short operator name.
        short_operator: String,
        /// Numeric operator name.
        plmn: String,
        /// Tracking area, 4 hexadecimal digits.
        tac: String,
        /// Cell, up to 8 hexadecimal digits.
        cell: String,
        /// `AT+QNWINFO` when not registered.
        no_service: String,
        /// What `AT+CREG?` reports when registered.
        cs_stat: u8,
        /// What `AT+CGREG?` reports when registered.
        ps_stat: u8,
        /// What `AT+CEREG?` reports when registered.
        eps_stat: u8,
        /// `<rssi>` of `AT+CSQ`.
        rssi: u8,
        /// `<ber>` of `AT+CSQ`.
        ber: u8,
        /// First value of `AT+QCSQ`.
        rssi_dbm: i64,
        /// Second value of `AT+QCSQ`.
        rsrp: i64,
        /// Third value of `AT+QCSQ`.
        sinr: i64,
        /// Fourth value of `AT+QCSQ`.
        rsrq: i64,
    }
}

group! {
    /// PDP contexts.
    Pdp / PdpLayer {
        /// Highest context number.
        contexts: u8,
        /// Highest context type of `AT+QICSGP`.
        types: u8,
        /// How many can be active at once.
        max_active: usize,
        /// The context that is active after boot; 0 for none.
        active_at_boot: u8,
        /// Answer to `AT+QIACT` of an active context.
        qiact_when_active: String,
        /// Whether a context that the network took away needs `AT+QIDEACT` first.
        needs_deactivation: bool,
        /// Whether `AT+CGPADDR` without context prints anything.
        cgpaddr_bare: bool,
        /// Whether `+CGPADDR` quotes the address.
        cgpaddr_quoted: bool,
        /// The end of a `+CGDCONT` line.
        cgdcont_tail: String,
        /// Address of context 1; others count up from it.
        address: String,
        /// Name servers of the network.
        dns: Vec<String>,
        /// Whether `AT+QMTOPEN` activates its context itself.
        mqtt_activates: bool,
        /// `+QMTSTAT` code after a lost context; 0 for none.
        loss_stat: u8,
    }
}

group! {
    /// The set of commands.
    Commands / CommandsLayer {
        /// Commands that are unknown to this firmware.
        absent: Vec<String>,
        /// Commands that answer `ERROR` for a while after the start.
        early_errors: Vec<String>,
        /// How long they do, in milliseconds after the line that says that the module is ready.
        early_errors_ms: u64,
        /// Whether `AT+QCFG="iotopmode",1` ends all answers until `AT&F1`.
        iotopmode_bricks: bool,
    }
}

group! {
    /// The wall clock.
    Clock / ClockLayer {
        /// Date before any network time, as `AT+CCLK?` prints it.
        epoch: String,
        /// Whether `AT+CCLK?` prints local time instead of UTC with a zone label.
        cclk_local: bool,
        /// Digits of the year in `+QLTS`: 2 or 4.
        qlts_year_digits: u8,
        /// Factory value of `AT+CTZU`.
        ctzu: u8,
        /// Whether the network sends its time.
        nitz: bool,
        /// Zone of the network, in quarters of an hour.
        zone_quarters: i64,
    }
}

group! {
    /// The configurable items of the four configuration commands.
    ItemLists / ItemListsLayer {
        /// `AT+QSSLCFG`.
        ssl: Items,
        /// `AT+QMTCFG`.
        mqtt: Items,
        /// `AT+QCFG`.
        cfg: Items,
        /// `AT+QICFG`.
        tcp: Items,
    }
}

macro_rules! profile {
    ($($(#[$meta:meta])* $field:ident: $group:ident / $layer:ident,)*) => {
        /// One model with one firmware.
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Profile { $($(#[$meta])* pub $field: $group,)* }

        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(in crate::profile) struct ProfileLayer { $($field: $layer,)* }

        impl Profile {
            pub(in crate::profile) fn apply(&mut self, layer: ProfileLayer) { $(self.$field.apply(layer.$field);)* }
        }
    };
}

profile! {
    /// What the module says about itself.
    identity: Identity / IdentityLayer,
    /// The line protocol.
    line: Line / LineLayer,
    /// Power on and off.
    boot: Boot / BootLayer,
    /// Where URCs go.
    urc: Urc / UrcLayer,
    /// How long things take.
    timing: Timings / TimingsLayer,
    /// What the radio reports.
    radio: Radio / RadioLayer,
    /// PDP contexts.
    pdp: Pdp / PdpLayer,
    /// The file system.
    file: File / FileLayer,
    /// TLS.
    ssl: Ssl / SslLayer,
    /// MQTT.
    mqtt: Mqtt / MqttLayer,
    /// Sockets.
    tcp: Tcp / TcpLayer,
    /// The set of commands.
    commands: Commands / CommandsLayer,
    /// The wall clock.
    clock: Clock / ClockLayer,
    /// The configurable items.
    items: ItemLists / ItemListsLayer,
}
