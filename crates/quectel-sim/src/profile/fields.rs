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
);

macro_rules! group {
    ($(#[$meta:meta])* $name:ident / $layer:ident { $($(#[$field_meta:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_meta])* pub $field: $ty,)* }

        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(super) struct $layer { $($field: Option<$ty>,)* }

        impl $name {
            fn apply(&mut self, layer: $layer) {
                $(if let Some(value) = layer.$field { self.$field.overlay(value); })*
            }
        }
    };
}

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
    /// The file system.
    File / FileLayer {
        /// Storage names; the first one is used without prefix.
        storages: Vec<String>,
        /// Size of UFS, in bytes.
        ufs_total: u64,
        /// Free space of an empty UFS, in bytes.
        ufs_free: u64,
        /// Size of RAM, in bytes.
        ram_total: u64,
        /// Size of the SD card, in bytes; 0 for no card.
        sd_total: u64,
        /// Whether `+QFLST` prints the storage prefix of UFS files.
        list_prefix: bool,
        /// Longest file name, in bytes.
        name_max: usize,
        /// Code of `AT+QFDEL` of a missing file.
        delete_missing: u16,
        /// Answer to `AT+QFLST` of a missing file: `OK` or a code.
        list_missing: String,
        /// Whether CR LF comes before `+QFUPL`.
        upload_crlf: bool,
        /// How many files can be open.
        open_max: usize,
        /// Number of the first handle.
        first_handle: u32,
        /// Directories listed with `<number of files>`.
        directories: Vec<String>,
    }
}

/// Which setting of a TLS context makes the module check the server's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum HostCheck {
    /// It never does.
    None,
    /// It does whenever it checks the chain.
    Always,
    /// `checkhost` is 0 or 1.
    Item,
    /// `checkhost` is the name to check.
    Name,
}

group! {
    /// TLS.
    Ssl / SslLayer {
        /// When the server's name is checked.
        host_check: HostCheck,
        /// Whether a query prints paths in quotes.
        quoted_answers: bool,
        /// Whether seclevel 2 without readable client files fails before the handshake.
        client_files_required: bool,
        /// `+QSSLOPEN` result of a failed handshake.
        fail_code: u16,
        /// Longest `AT+QSSLSEND`.
        send_max: usize,
        /// Longest `AT+QSSLRECV`.
        recv_max: usize,
        /// Whether `AT+QSSLSTATE` reports the local port.
        local_port: bool,
        /// Whether the module speaks TLS 1.3.
        tls13: bool,
        /// Whether a certificate without alternative names is checked by its common name.
        cn_fallback: bool,
    }
}

/// Which form `AT+QMTPUBEX` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PublishEx {
    /// The command does not exist.
    None,
    /// The payload is the last parameter, in quotes.
    Inline,
    /// The length is the last parameter; the payload follows a prompt.
    Length,
}

/// What `AT+QMTCLOSE` of a closed client answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub enum CloseClosed {
    /// `ERROR`.
    #[serde(rename = "ERROR")]
    Error,
    /// `OK`, and no URC.
    #[serde(rename = "ok")]
    Ok,
    /// `OK` and `+QMTCLOSE: n,0`.
    #[serde(rename = "ok-urc")]
    OkUrc,
}

group! {
    /// MQTT.
    Mqtt / MqttLayer {
        /// Whether `AT+QMTPUB` takes a length.
        publish_length: bool,
        /// Longest payload of `AT+QMTPUB`, in bytes.
        publish_max: usize,
        /// Form of `AT+QMTPUBEX`.
        publishex: PublishEx,
        /// Longest payload of `AT+QMTPUBEX`, in bytes.
        publishex_max: usize,
        /// Name of the URC after `AT+QMTPUBEX`.
        publishex_urc: String,
        /// `+QMTOPEN` result of a failed handshake.
        tls_fail: i64,
        /// `+QMTOPEN` result of a refused connection.
        tcp_fail: i64,
        /// `AT+QMTOPEN` of an open client: `urc` for result 2, or the final result code.
        occupied: String,
        /// `AT+QMTOPEN` without context: `urc` for result 3, or the final result code.
        no_pdp: String,
        /// `AT+QMTCLOSE` of a closed client.
        close_closed: CloseClosed,
        /// Whether `+QMTSTAT: n,5` follows `AT+QMTDISC`.
        disconnect_stat: bool,
        /// Whether `AT+QMTOPEN?` prints open clients.
        open_read: bool,
        /// Whether `+QMTCONN` success has the return code.
        conn_ret: bool,
        /// Whether `+QMTRECV` quotes the payload.
        receive_quotes: bool,
        /// Whether the payload stands on its own line.
        receive_newline: bool,
        /// Publishes in flight.
        inflight_max: usize,
        /// Receive slots per client.
        slots: usize,
        /// Longest packet from the server, in bytes.
        packet_max: usize,
        /// Longest client identifier, in bytes.
        id_max: usize,
        /// Longest user name, in bytes.
        user_max: usize,
        /// Longest password, in bytes.
        password_max: usize,
        /// Longest topic, in bytes.
        topic_max: usize,
        /// `+QMTSTAT` code after a publish that was never acknowledged; 0 for none.
        failed_publish_stat: u8,
        /// Whether `AT+QMTCFG` is accepted on a connected client.
        configure_connected: bool,
        /// Closes each connection so long after it opened, in milliseconds; 0 for never.
        close_after_open_ms: u64,
        /// A common limit of client identifier, user name and password, in bytes; 0 for none.
        connect_length_limit: usize,
    }
}

group! {
    /// Sockets.
    Tcp / TcpLayer {
        /// Longest `AT+QISEND`, in bytes.
        send_max: usize,
        /// Longest `AT+QIRD`, in bytes.
        receive_max: usize,
        /// Receive buffer per socket, in bytes.
        buffer: usize,
        /// `AT+QISTATE` of a live client.
        connected_state: u8,
        /// `+QIOPEN` result of a refused connection.
        fail_code: u16,
        /// After so many opens every open answers 552; 0 for never.
        wedge_after: u32,
        /// Whether `+QIGETERROR` has a blank after the comma.
        geterror_space: bool,
        /// Whether `AT+QIGETERROR` explains a failed `+QIOPEN` or `+QSSLOPEN`.
        geterror_async: bool,
    }
}

group! {
    /// The set of commands.
    Commands / CommandsLayer {
        /// Commands that are unknown to this firmware.
        absent: Vec<String>,
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
        /// Factory value of `AT+CTZU`.
        ctzu: u8,
        /// Whether the network sends its time.
        nitz: bool,
        /// Zone of the network, in quarters of an hour.
        zone_quarters: i64,
    }
}

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
                (None, false) => self.0.push(item),
            }
        }
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
        pub(super) struct ProfileLayer { $($field: $layer,)* }

        impl Profile {
            pub(super) fn apply(&mut self, layer: ProfileLayer) { $(self.$field.apply(layer.$field);)* }
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
