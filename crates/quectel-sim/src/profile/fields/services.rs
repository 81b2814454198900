//! Files, TLS, MQTT and sockets.

use serde::Deserialize;

use super::Overlay;

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

/// What `AT+QMTOPEN` shows first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OpenOrder {
    /// `OK`, and the result when it is known.
    OkFirst,
    /// The result, and then `OK` or `ERROR`.
    ResultFirst,
}

group! {
    /// MQTT.
    Mqtt / MqttLayer {
        /// Whether `AT+QMTPUB` takes a length.
        publish_length: bool,
        /// Longest payload of `AT+QMTPUB`, in bytes.
        publish_max: usize,
        /// Whether a publish of QoS 0 may have another identifier than 0.
        qos0_any_id: bool,
        /// Form of `AT+QMTPUBEX`.
        publishex: PublishEx,
        /// Longest payload of `AT+QMTPUBEX`, in bytes.
        publishex_max: usize,
        /// Name of the URC after `AT+QMTPUBEX`.
        publishex_urc: String,
        /// Whether `OK` comes before the result of `AT+QMTOPEN`.
        open_order: OpenOrder,
        /// `+QMTOPEN` result of a failed handshake.
        tls_fail: i64,
        /// `+QMTOPEN` result of a refused connection.
        tcp_fail: i64,
        /// How long the transport under `AT+QMTOPEN` may take, in seconds.
        open_limit_s: u64,
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
