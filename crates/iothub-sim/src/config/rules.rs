//! Switches for what the real service leaves undocumented.

/// Rules where the real service is undocumented or a test needs another value.
///
/// The default is the documented behaviour, and the strict reading where nothing is documented: a
/// simulator should catch a mistake rather than forgive it.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Rules {
    /// Accept `{host}/{device}/api-version=…` without the `?`, as clients of 2016 sent it.
    pub accept_legacy_user_name: bool,
    /// Accept any text as api-version, and a user name without one, as old samples have it.
    pub accept_any_api_version: bool,
    /// Accept a `sig` with raw `+` or `=`.
    pub accept_raw_signature: bool,
    /// Close on a property bag that begins with `?` instead of making it part of the first name.
    pub refuse_question_mark: bool,
    /// Drop a message to a topic that the hub does not have, instead of closing the connection.
    pub ignore_bad_topics: bool,
    /// Answer a bad topic filter by closing the connection instead of SUBACK 0x80.
    pub close_on_bad_filter: bool,
    /// Subscriptions allowed at a time.
    pub max_subscriptions: usize,
    /// How long after its `se` a token still opens a connection, in seconds.
    pub expiry_tolerance_s: u64,
    /// How long after its token's `se` an open connection may stay, in seconds.
    pub expiry_grace_s: u64,
    /// Silence allowed between the TLS handshake and CONNECT, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long a cloud-to-device message stays locked without PUBACK, in milliseconds.
    pub lock_timeout_ms: u64,
    /// Offer certificate renewal over the hub's connection (preview); needs
    /// [`ProvisioningService::issuer`](super::ProvisioningService::issuer) in one of the services.
    pub certificate_renewal: bool,
    /// Bytes that may wait for a client that does not read, before it is dropped.
    pub max_unread: usize,
    /// Limits of a tier; none unless set.
    pub throttle: Option<Throttle>,
}

/// The limits of a hub's tier.
///
/// Telemetry above its rate is acknowledged late, and ends the connection when it would be too late;
/// twin requests are answered with 429; connections above their rate, and all when the day's quota is
/// used up, are refused.
///
/// # Reference
///
/// Azure IoT Hub documentation, "Quotas and throttling"; what devices see of it over MQTT is not
/// documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Throttle {
    /// New connections in a second, for each hub.
    pub connections_per_s: Option<u32>,
    /// Device-to-cloud messages in a second, for each hub.
    pub telemetry_per_s: Option<u32>,
    /// The longest time that a PUBACK may be late, in milliseconds.
    pub longest_delay_ms: u64,
    /// Requests for twins in a second, for each hub.
    pub twin_reads_per_s: Option<u32>,
    /// Changes of reported properties in a second, for each hub.
    pub twin_updates_per_s: Option<u32>,
    /// Device-to-cloud messages of a day (UTC) in blocks of 4 KiB, for each hub.
    pub messages_per_day: Option<u64>,
    /// Registrations in a minute, for all provisioning services together.
    pub registrations_per_min: Option<u32>,
}

impl Default for Throttle {
    /// No limit.
    fn default() -> Self {
        Self {
            connections_per_s: None,
            telemetry_per_s: None,
            longest_delay_ms: 10_000,
            twin_reads_per_s: None,
            twin_updates_per_s: None,
            messages_per_day: None,
            registrations_per_min: None,
        }
    }
}

impl Throttle {
    /// One unit of the tier S1, and the provisioning service's own limit.
    #[must_use]
    pub fn s1() -> Self {
        Self {
            connections_per_s: Some(100),
            telemetry_per_s: Some(100),
            twin_reads_per_s: Some(100),
            twin_updates_per_s: Some(50),
            messages_per_day: Some(400_000),
            registrations_per_min: Some(1000),
            ..Self::default()
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            accept_legacy_user_name: false,
            accept_any_api_version: false,
            accept_raw_signature: false,
            refuse_question_mark: false,
            ignore_bad_topics: false,
            close_on_bad_filter: false,
            max_subscriptions: 5,
            expiry_tolerance_s: 0,
            expiry_grace_s: 0,
            connect_timeout_ms: 30_000,
            lock_timeout_ms: 60_000,
            certificate_renewal: false,
            max_unread: 8 * 1024 * 1024,
            throttle: None,
        }
    }
}
