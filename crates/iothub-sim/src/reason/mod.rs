//! Why the hub refused or ended a connection: what the real one does not say.

mod code;

use mqtt311::{DecodeError, TopicError};

use crate::{thumbprint::Thumbprint, time::Utc};

/// Why a connection was refused or ended.
///
/// The real hub answers most of these with CONNACK 5 or with silence. The text names what was
/// received, what was expected, and the remedy; [`code`](Self::code) is stable for programs.
///
/// # Reference
///
/// Azure IoT Hub documentation, "Communicate with an IoT hub using the MQTT protocol" and
/// "Understand and resolve Azure IoT Hub errors".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    // The TLS handshake.
    /// The ClientHello has no server name.
    #[error(
        "the TLS ClientHello carries no server name (SNI), so the front end cannot tell which service is meant; switch SNI on in the TLS settings, or use firmware that has it"
    )]
    SniMissing,
    /// SNI names a host that is not served here.
    #[error(
        "SNI asks for `{name}`, which is not served here; connect to the hub's own host name (served: {served})"
    )]
    SniUnknown {
        /// The name received.
        name: String,
        /// The names served, joined by commas.
        served: String,
    },
    /// The first bytes are not TLS.
    #[error(
        "the client does not speak TLS on this port; only MQTT over TLS is offered, switch TLS on for the connection"
    )]
    NotTls,
    /// The handshake failed.
    #[error("TLS handshake failed: {detail}")]
    TlsFailed {
        /// What failed, with a remedy where one is known.
        detail: String,
    },
    /// The handshake was not finished in time.
    #[error("the TLS handshake was not finished within {seconds} s")]
    HandshakeTimeout {
        /// Time allowed, in seconds.
        seconds: u64,
    },

    // The form of MQTT.
    /// The bytes are not MQTT 3.1.1.
    #[error("the bytes are not MQTT 3.1.1: {0}")]
    Malformed(DecodeError),
    /// CONNECT with another protocol level.
    #[error(
        "CONNECT asks for MQTT protocol level {level}; the hub speaks only MQTT 3.1.1 (level 4), set the client to that version"
    )]
    ProtocolLevel {
        /// The level asked for.
        level: u8,
    },
    /// Another packet came before CONNECT.
    #[error("the first packet was {packet}; a connection begins with CONNECT")]
    NotConnect {
        /// Name of the packet.
        packet: &'static str,
    },
    /// Nothing came after the handshake.
    #[error("no CONNECT within {seconds} s after the TLS handshake")]
    NoConnect {
        /// Time allowed, in seconds.
        seconds: u64,
    },
    /// A second CONNECT.
    #[error("a second CONNECT on an open connection; send it once only")]
    SecondConnect,
    /// A packet that only servers send, or that QoS 2 would need.
    #[error("the client sent {packet}, which the hub does not accept from a device")]
    UnexpectedPacket {
        /// Name of the packet.
        packet: &'static str,
    },

    // User name and client id.
    /// CONNECT without user name.
    #[error(
        "CONNECT has no user name; a hub needs `{{hub host}}/{{device id}}/?api-version=2021-04-12`"
    )]
    UserNameMissing,
    /// The user name has not the hub's form.
    #[error(
        "user name `{user_name}` is not `{{hub host}}/{{device id}}/?api-version=2021-04-12` (with module: `{{hub host}}/{{device id}}/{{module id}}/?api-version=…`)"
    )]
    UserNameForm {
        /// The user name received.
        user_name: String,
    },
    /// The user name lacks the `?` before the api-version.
    #[error(
        "user name `{user_name}` has no `?` before `api-version`; write `{{hub host}}/{{device id}}/?api-version=2021-04-12`"
    )]
    UserNameLegacy {
        /// The user name received.
        user_name: String,
    },
    /// The user name has not the provisioning service's form.
    #[error(
        "user name `{user_name}` is not `{{id scope}}/registrations/{{registration id}}/api-version=2019-03-31` (no `?` here, unlike the hub)"
    )]
    ProvisioningUserNameForm {
        /// The user name received.
        user_name: String,
    },
    /// The user name names no hub that exists.
    #[error("user name names the hub `{host}`, which does not exist here (hubs: {hubs})")]
    HubUnknown {
        /// Host in the user name.
        host: String,
        /// Hubs that exist, joined by commas.
        hubs: String,
    },
    /// TLS went to one service, the user name to another.
    #[error(
        "the TLS connection went to `{sni}`, but the user name belongs to `{host}`; connect to the host that the user name names"
    )]
    HostMismatch {
        /// Server name of the TLS connection.
        sni: String,
        /// Service of the user name.
        host: String,
    },
    /// The user name carries no api-version.
    #[error("the user name carries no api-version; append `/?api-version=2021-04-12`")]
    ApiVersionMissing,
    /// The api-version is not one the service knows.
    #[error("api-version `{version}` is unknown; use `{use_instead}`")]
    ApiVersionUnknown {
        /// The api-version received.
        version: String,
        /// One that works.
        use_instead: &'static str,
    },
    /// A model id with an api-version that has no models.
    #[error("a model-id needs api-version 2020-09-30 or later, but the user name says `{version}`")]
    ModelIdNeedsNewer {
        /// The api-version received.
        version: String,
    },
    /// The client id is not the identity's.
    #[error(
        "client id is `{client_id}`, but the user name belongs to `{expected}`; they must agree"
    )]
    ClientId {
        /// The client id received.
        client_id: String,
        /// The one that the user name asks for.
        expected: String,
    },
    /// An id was percent-encoded where it must not be.
    #[error(
        "`{id}` is percent-encoded; ids are written plainly in client id, user name and topics, only the SAS token's `sr` is encoded"
    )]
    IdEncoded {
        /// The id received.
        id: String,
    },
    /// The id collides with the topic rules of MQTT.
    #[error(
        "id `{id}` contains `#` or `+` or begins with `$` and cannot be used in MQTT topics; give the device another id"
    )]
    IdNotForMqtt {
        /// The id.
        id: String,
    },
    /// No such device or module.
    #[error("`{id}` is not registered in the hub `{hub}`{hint}")]
    IdentityUnknown {
        /// Device id, or `device/module`.
        id: String,
        /// Host of the hub.
        hub: String,
        /// A near miss, such as another case.
        hint: String,
    },
    /// The device is disabled.
    #[error("device `{id}` is disabled; enable it in the hub's registry")]
    IdentityDisabled {
        /// Device id.
        id: String,
    },

    // SAS tokens.
    /// Neither password nor client certificate.
    #[error(
        "CONNECT has no password, and `{id}` authenticates with a SAS token; send `SharedAccessSignature sr=…&sig=…&se=…` as password"
    )]
    PasswordMissing {
        /// The identity.
        id: String,
    },
    /// The password is not a SAS token.
    #[error(
        "the password is not a SAS token: {fault} (expected `SharedAccessSignature sr=…&sig=…&se=…`)"
    )]
    TokenForm {
        /// What is wrong.
        fault: &'static str,
    },
    /// The signature was not percent-encoded.
    #[error(
        "the token's `sig` contains a raw `{character}`; percent-encode the base64 (`+` %2B, `/` %2F, `=` %3D)"
    )]
    TokenSignatureRaw {
        /// The first character that must be encoded.
        character: char,
    },
    /// The token's time is over.
    #[error(
        "the SAS token expired at {} and the hub's clock says {} ({} s later); make a new token, and check the device's clock if it was new",
        Utc(*.expired_unix_s), Utc(*.now_unix_s), .now_unix_s.saturating_sub(*.expired_unix_s)
    )]
    TokenExpired {
        /// `se`, seconds since 1970.
        expired_unix_s: u64,
        /// The hub's clock, seconds since 1970.
        now_unix_s: u64,
    },
    /// The token is for something else.
    #[error("the SAS token is for `{scope}`, but this connection needs `{expected}`")]
    TokenScope {
        /// Decoded `sr`.
        scope: String,
        /// What it must be, or lie below.
        expected: String,
    },
    /// The signature was made with another key.
    #[error(
        "the SAS token's signature fits neither the primary nor the secondary key of {of}; use that key, base64-decoded, over `sr` + LF + `se` exactly as sent"
    )]
    TokenSignature {
        /// Whose keys were tried.
        of: String,
    },
    /// `skn` names no policy.
    #[error(
        "the token's `skn` names the policy `{policy}`, which does not exist; leave `skn` out when signing with a device key"
    )]
    TokenPolicyUnknown {
        /// The policy name received.
        policy: String,
    },
    /// The policy does not permit this.
    #[error("the shared access policy `{policy}` has no {permission} permission")]
    TokenPolicyForbids {
        /// The policy.
        policy: String,
        /// What it would need.
        permission: &'static str,
    },

    // The provisioning service.
    /// The id scope is not one that exists.
    #[error("id scope `{id_scope}` does not exist here (id scopes: {known})")]
    IdScopeUnknown {
        /// The id scope received.
        id_scope: String,
        /// Those that exist, joined by commas.
        known: String,
    },
    /// A registration id with characters that are not allowed.
    #[error(
        "`{id}` is not a registration id: 1 to 128 letters, digits and - : . _, the first and last a letter or digit"
    )]
    RegistrationId {
        /// The registration id received.
        id: String,
    },
    /// No enrollment and no group fits.
    #[error("no enrollment and no group of id scope `{id_scope}` fits `{id}`; enroll the device")]
    EnrollmentUnknown {
        /// The registration id.
        id: String,
        /// The id scope.
        id_scope: String,
    },
    /// `skn` in a token for the provisioning service.
    #[error("the token's `skn` is `{policy}`; for the provisioning service it is `registration`")]
    TokenSkn {
        /// The policy name received.
        policy: String,
    },
    /// A token signed with a group's own key.
    #[error(
        "the token is signed with the key of group `{group}` itself; derive the device's key from it: HMAC-SHA256 of the registration id, base64"
    )]
    GroupKey {
        /// The group.
        group: String,
    },
    /// The body of a registration cannot be used.
    #[error("the registration's body is not acceptable: {detail}")]
    RegistrationBody {
        /// What is wrong.
        detail: String,
    },
    /// A certificate signing request cannot be used.
    #[error("the certificate signing request is not acceptable: {detail}")]
    SigningRequest {
        /// What is wrong.
        detail: String,
    },
    /// A status query without an operation that exists.
    #[error("no operation `{operation_id}` is known for `{id}`; register first")]
    OperationUnknown {
        /// The registration id.
        id: String,
        /// The operation id received.
        operation_id: String,
    },
    /// More than five status queries in ten seconds.
    #[error("more than 5 status queries within 10 s; wait as long as `retry-after` says")]
    PolledTooOften,

    // Client certificates.
    /// An X.509 identity without certificate.
    #[error(
        "`{id}` authenticates with an X.509 certificate, but the TLS client presented none; configure client certificate and key in the TLS settings"
    )]
    CertificateMissing {
        /// The identity.
        id: String,
    },
    /// A SAS token for an X.509 identity.
    #[error(
        "`{id}` authenticates with an X.509 certificate, but CONNECT carries a SAS token; leave the password out or empty"
    )]
    PasswordForCertificate {
        /// The identity.
        id: String,
    },
    /// The certificate is not the registered one.
    #[error(
        "the client certificate's thumbprint {sha1} is not registered for `{id}` (SHA-256 {sha256})"
    )]
    CertificateThumbprint {
        /// The identity.
        id: String,
        /// SHA-1 of the certificate presented.
        sha1: Thumbprint,
        /// SHA-256 of the certificate presented.
        sha256: Thumbprint,
    },
    /// The certificate names another device.
    #[error(
        "the client certificate's common name is `{common_name}`, but it must equal the id `{id}`"
    )]
    CertificateCommonName {
        /// Common name of the certificate.
        common_name: String,
        /// Device id or registration id.
        id: String,
    },
    /// No authority of the hub signed the certificate, or it is out of date.
    #[error("the client certificate of `{id}` is not trusted: {detail}")]
    CertificateUntrusted {
        /// The identity.
        id: String,
        /// What is wrong.
        detail: String,
    },

    // While connected.
    /// Another connection of the same identity took its place.
    #[error(
        "another connection with client id `{client_id}` took over; only one connection per identity is allowed"
    )]
    TakenOver {
        /// The client id.
        client_id: String,
    },
    /// Silence for too long.
    #[error(
        "nothing received for {silence_s} s, 1.5 times the keep alive of {keep_alive_s} s; send PINGREQ in time"
    )]
    KeepAlive {
        /// Time allowed, in seconds.
        silence_s: u64,
        /// What CONNECT promised, in seconds.
        keep_alive_s: u16,
    },
    /// QoS 2.
    #[error("{packet} with QoS 2; the hub offers only QoS 0 and 1")]
    Qos2 {
        /// Where it was asked for.
        packet: &'static str,
    },
    /// PUBLISH to a topic that is not the client's.
    #[error("PUBLISH to `{topic}` is not allowed: {hint}")]
    Topic {
        /// The topic received.
        topic: String,
        /// What it should be.
        hint: String,
    },
    /// The topic is no topic name.
    #[error(
        "PUBLISH to `{topic}`: {error}; percent-encode names and values of the property bag (space is %20)"
    )]
    TopicName {
        /// The topic received.
        topic: String,
        /// What is wrong with it.
        error: TopicError,
    },
    /// A property bag with raw characters.
    #[error(
        "property bag `{bag}` contains a raw `{character}`; percent-encode names and values (everything but A-Z a-z 0-9 - . _ ~)"
    )]
    PropertyBag {
        /// The bag received.
        bag: String,
        /// The first character that must be encoded.
        character: char,
    },
    /// A subscription that the hub does not have, with the switch that closes on it.
    #[error("SUBSCRIBE to `{filter}` is not allowed: {hint}")]
    Filter {
        /// The topic filter received.
        filter: String,
        /// What it should be.
        hint: String,
    },
    /// A message above the limit.
    #[error("message of {size} bytes with its properties exceeds {limit} bytes")]
    MessageSize {
        /// Bytes of topic bag and payload.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// More in a second or minute than the configured limit.
    #[error("more than {limit} {what} are not allowed here (rules.throttle); come slower")]
    Throttled {
        /// Of what there are too many, such as `messages a second`.
        what: &'static str,
        /// How many are allowed.
        limit: u32,
    },
    /// The messages of the day are used up.
    #[error(
        "the {limit} messages of this day are used up (rules.throttle); go on tomorrow, or raise the quota"
    )]
    QuotaExceeded {
        /// Messages of 4 KiB allowed.
        limit: u64,
    },
    /// The client does not read.
    #[error("{unread} bytes wait for a client that does not read them")]
    NotReading {
        /// Bytes waiting.
        unread: usize,
    },
    /// DISCONNECT.
    #[error("the client disconnected")]
    Disconnect,
    /// The connection ended without DISCONNECT.
    #[error("the connection was lost without DISCONNECT")]
    Lost,
    /// A test or the service side asked for it.
    #[error("closed on request of the test: {0}")]
    OnRequest(String),
    /// The simulator stops.
    #[error("the hub is being stopped")]
    Stopped,
}
