//! The client's functions.

use core::mem::{align_of, size_of};

use quectel_azure::{
    Apn, ApnAuth, Buffers, CaFile, Client, Config, Credential, Delivery, Event, Message, Session, Slots, UrcPort,
};

use crate::guard::guarded;
use crate::pointers::{bytes, bytes_mut, object, text};
use crate::result::*;
use crate::types::*;

/// What lies in a client's storage.
struct Stored {
    magic: u64,
    client: Client<'static>,
}

/// Marks a client that is initialised; any other word means that it is not.
const MAGIC: u64 = 0x5145_4341_5a55_5245;

const _: () = assert!(size_of::<Stored>() <= size_of::<quectel_azure_client>());
const _: () = assert!(align_of::<Stored>() <= align_of::<quectel_azure_client>());

/// The client in its storage, if it is initialised.
///
/// # Safety
/// `storage` is NULL or points to storage that was zeroed or initialised, and nobody else uses it meanwhile.
unsafe fn stored<'a>(storage: *mut quectel_azure_client) -> Result<&'a mut Stored, quectel_azure_result> {
    // SAFETY: the caller's promise.
    let storage = unsafe { object(storage) }.ok_or(QUECTEL_AZURE_ERROR_NULL_POINTER)?;
    let [first, ..] = storage.opaque;
    if first != MAGIC {
        return Err(QUECTEL_AZURE_ERROR_NOT_INITIALISED);
    }
    let stored = core::ptr::from_mut(storage).cast::<Stored>();
    // SAFETY: the magic word stands in `Stored::magic`, its first field, only after init wrote a whole `Stored`.
    Ok(unsafe { &mut *stored })
}

/// Runs `f` on a client; a panic makes the client unusable until it is initialised again.
///
/// # Safety
/// As [`stored`].
unsafe fn with(
    storage: *mut quectel_azure_client,
    f: impl FnOnce(&mut Client<'static>) -> Result<(), quectel_azure_result>,
) -> quectel_azure_result {
    let result = guarded(|| {
        // SAFETY: the caller's promise.
        match unsafe { stored(storage) } {
            Ok(stored) => f(&mut stored.client).err().unwrap_or(QUECTEL_AZURE_OK),
            Err(error) => error,
        }
    });
    if result == QUECTEL_AZURE_ERROR_PANIC
        // SAFETY: the caller's promise.
        && let Some(storage) = unsafe { object(storage) }
    {
        storage.opaque[0] = 0;
    }
    result
}

/// Fills settings with their defaults; hub, device id and credential remain to be set.
///
/// `size` is `sizeof *config`.
///
/// # Safety
/// `config` is NULL or points to writable settings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_config_init(
    config: *mut quectel_azure_config,
    size: usize,
) -> quectel_azure_result {
    guarded(|| {
        if size != size_of::<quectel_azure_config>() {
            return QUECTEL_AZURE_ERROR_ABI_MISMATCH;
        }
        if config.is_null() {
            return QUECTEL_AZURE_ERROR_NULL_POINTER;
        }
        const NONE: quectel_azure_bytes = quectel_azure_bytes::NONE;
        let defaults = Config::new("", "", Credential::ExternalKey);
        let settings = quectel_azure_config {
            hub: NONE,
            device_id: NONE,
            module_id: NONE,
            credential: NONE,
            certificate: NONE,
            private_key: NONE,
            gateway: NONE,
            apn: NONE,
            apn_user: NONE,
            apn_password: NONE,
            sim_pin: NONE,
            ca_pem: NONE,
            ntp_server: quectel_azure_bytes::from(defaults.ntp_server.as_bytes()),
            token_lifetime_s: defaults.token_lifetime_s,
            port: defaults.port,
            keep_alive_s: defaults.keep_alive_s,
            credential_kind: QUECTEL_AZURE_CREDENTIAL_SHARED_ACCESS_KEY,
            apn_auth: 0,
            urc_port: QUECTEL_AZURE_URC_PORT_UART1,
            pdp_context: defaults.slots.pdp,
            ssl_context: defaults.slots.ssl,
            mqtt_client: defaults.slots.mqtt,
            clean_session: 0,
            receive: 1,
        };
        // SAFETY: not NULL; the caller promises that it is writable.
        unsafe { config.write(settings) };
        QUECTEL_AZURE_OK
    })
}

/// Reads the settings of C.
///
/// # Safety
/// All that the settings point to is readable and lives as long as the client.
unsafe fn read_config(c: &quectel_azure_config) -> Result<Config<'static>, quectel_azure_result> {
    // SAFETY: the caller's promise, for this and the following conversions.
    let words = |bytes| unsafe { text(bytes) }.ok_or(QUECTEL_AZURE_ERROR_NOT_UTF8);
    let maybe = |bytes: quectel_azure_bytes| Ok::<_, quectel_azure_result>(Some(words(bytes)?).filter(|t| !t.is_empty()));
    let credential = match c.credential_kind {
        QUECTEL_AZURE_CREDENTIAL_SHARED_ACCESS_KEY => Credential::SharedAccessKey(words(c.credential)?),
        QUECTEL_AZURE_CREDENTIAL_SAS_TOKEN => Credential::SasToken(words(c.credential)?),
        QUECTEL_AZURE_CREDENTIAL_EXTERNAL_KEY => Credential::ExternalKey,
        QUECTEL_AZURE_CREDENTIAL_X509 => Credential::X509 {
            // SAFETY: the caller's promise.
            certificate: unsafe { bytes(c.certificate.data, c.certificate.len) },
            // SAFETY: the caller's promise.
            key: unsafe { bytes(c.private_key.data, c.private_key.len) },
        },
        _ => return Err(QUECTEL_AZURE_ERROR_INVALID_VALUE),
    };
    let mut config = Config::new(words(c.hub)?, words(c.device_id)?, credential);
    config.module_id = maybe(c.module_id)?;
    config.gateway = maybe(c.gateway)?;
    config.sim_pin = maybe(c.sim_pin)?;
    config.ntp_server = words(c.ntp_server)?;
    config.apn = Apn {
        name: words(c.apn)?,
        user: words(c.apn_user)?,
        password: words(c.apn_password)?,
        auth: match c.apn_auth {
            0 => ApnAuth::None,
            1 => ApnAuth::Pap,
            2 => ApnAuth::Chap,
            3 => ApnAuth::PapOrChap,
            _ => return Err(QUECTEL_AZURE_ERROR_INVALID_VALUE),
        },
    };
    if c.ca_pem.len > 0 {
        // SAFETY: the caller's promise.
        config.ca = CaFile { pem: unsafe { bytes(c.ca_pem.data, c.ca_pem.len) }, ..CaFile::default() };
    }
    config.urc_port = match c.urc_port {
        QUECTEL_AZURE_URC_PORT_KEEP => UrcPort::Keep,
        QUECTEL_AZURE_URC_PORT_UART1 => UrcPort::Uart1,
        QUECTEL_AZURE_URC_PORT_USB_AT => UrcPort::UsbAt,
        QUECTEL_AZURE_URC_PORT_USB_MODEM => UrcPort::UsbModem,
        QUECTEL_AZURE_URC_PORT_ALL => UrcPort::All,
        _ => return Err(QUECTEL_AZURE_ERROR_INVALID_VALUE),
    };
    config.slots = Slots { pdp: c.pdp_context, ssl: c.ssl_context, mqtt: c.mqtt_client };
    config.port = c.port;
    config.keep_alive_s = c.keep_alive_s;
    config.token_lifetime_s = c.token_lifetime_s;
    config.session = if c.clean_session == 0 { Session::Persistent } else { Session::Clean };
    config.receive = c.receive != 0;
    Ok(config)
}

/// Initialises a client in storage of the caller. Nothing is sent.
///
/// `size` is `sizeof *client`. The settings may be forgotten afterwards, but not what they point to.
///
/// # Safety
/// `client` points to writable storage; settings and buffers are as their structs say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_init(
    client: *mut quectel_azure_client,
    size: usize,
    config: *const quectel_azure_config,
    buffers: *const quectel_azure_buffers,
) -> quectel_azure_result {
    guarded(|| {
        if size != size_of::<quectel_azure_client>() {
            return QUECTEL_AZURE_ERROR_ABI_MISMATCH;
        }
        if client.is_null() {
            return QUECTEL_AZURE_ERROR_NULL_POINTER;
        }
        // SAFETY: the caller's promise; NULL becomes None.
        let (Some(settings), Some(memory)) = (unsafe { config.as_ref() }, unsafe { buffers.as_ref() }) else {
            return QUECTEL_AZURE_ERROR_NULL_POINTER;
        };
        // SAFETY: the caller's promise.
        let settings = match unsafe { read_config(settings) } {
            Ok(settings) => settings,
            Err(error) => return error,
        };
        // SAFETY: the caller's promise.
        let buffers = unsafe {
            Buffers {
                rx: bytes_mut(memory.rx, memory.rx_size),
                tx: bytes_mut(memory.tx, memory.tx_size),
                scratch: bytes_mut(memory.scratch, memory.scratch_size),
            }
        };
        match Client::new(settings, buffers) {
            Ok(new) => {
                // SAFETY: not NULL, large and aligned enough (asserted above); the caller promises that it is writable.
                unsafe { client.cast::<Stored>().write(Stored { magic: MAGIC, client: new }) };
                QUECTEL_AZURE_OK
            }
            Err(error) => crate::result::config(error),
        }
    })
}

/// Ends the use of a client and clears its storage, which holds the key. NULL and clients that are not initialised
/// are left alone.
///
/// # Safety
/// `client` is NULL or points to storage that was zeroed or initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_deinit(client: *mut quectel_azure_client) {
    guarded(|| {
        // SAFETY: the caller's promise.
        if let Ok(stored) = unsafe { stored(client) } {
            stored.magic = 0;
            // SAFETY: the content is whole and is not used again.
            unsafe { core::ptr::drop_in_place(&raw mut stored.client) };
            // SAFETY: `stored` has shown that it is not NULL.
            unsafe { client.write_bytes(0, 1) };
        }
        QUECTEL_AZURE_OK
    });
}

/// Begins the flow, from whatever state the module is in. `now_ms` is monotonic, in milliseconds.
///
/// # Safety
/// `client` is NULL or points to storage that was zeroed or initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_connect(
    client: *mut quectel_azure_client,
    now_ms: u64,
) -> quectel_azure_result {
    // SAFETY: the caller's promise.
    unsafe { with(client, |client| client.connect(now_ms).map_err(misuse)) }
}

/// Ends the connection or the running flow; `QUECTEL_AZURE_EVENT_DISCONNECTED` follows.
///
/// # Safety
/// `client` is NULL or points to storage that was zeroed or initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_disconnect(
    client: *mut quectel_azure_client,
    now_ms: u64,
) -> quectel_azure_result {
    // SAFETY: the caller's promise.
    unsafe { with(client, |client| client.disconnect(now_ms).map_err(misuse)) }
}

/// Sends a message to the hub. `message_id` is its number, for `QUECTEL_AZURE_EVENT_PUBLISHED`; it may be NULL.
///
/// # Safety
/// `client` is NULL or points to storage that was zeroed or initialised; `message` and what it points to is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_publish(
    client: *mut quectel_azure_client,
    now_ms: u64,
    message: *const quectel_azure_message,
    message_id: *mut u32,
) -> quectel_azure_result {
    let publish = |client: &mut Client<'static>| {
        // SAFETY: the caller's promise, for this and the following conversions.
        let c = unsafe { message.as_ref() }.ok_or(QUECTEL_AZURE_ERROR_NULL_POINTER)?;
        // SAFETY: as above.
        let words = |bytes| unsafe { text(bytes) }.ok_or(QUECTEL_AZURE_ERROR_NOT_UTF8);
        let mut properties = [("", ""); QUECTEL_AZURE_MAX_PROPERTIES];
        let room = properties.get_mut(..c.property_count).ok_or(QUECTEL_AZURE_ERROR_DOES_NOT_FIT)?;
        if c.properties.is_null() && !room.is_empty() {
            return Err(QUECTEL_AZURE_ERROR_NULL_POINTER);
        }
        for (n, slot) in room.iter_mut().enumerate() {
            // SAFETY: not NULL, and there are `property_count` of them.
            let property = unsafe { &*c.properties.add(n) };
            *slot = (words(property.name)?, words(property.value)?);
        }
        // SAFETY: as above.
        let mut message = Message::new(unsafe { bytes(c.payload.data, c.payload.len) }).properties(room);
        message.content_type = Some(words(c.content_type)?).filter(|text| !text.is_empty());
        message.content_encoding = Some(words(c.content_encoding)?).filter(|text| !text.is_empty());
        message.delivery = match c.qos {
            0 => Delivery::AtMostOnce,
            1 => Delivery::AtLeastOnce,
            _ => return Err(QUECTEL_AZURE_ERROR_INVALID_VALUE),
        };
        let id = client.publish(now_ms, &message).map_err(misuse)?;
        // SAFETY: the caller's promise; NULL becomes None.
        if let Some(out) = unsafe { object(message_id) } {
            *out = id.number();
        }
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(client, publish) }
}

/// Tells the time, in unix seconds, so that the module's clock need not be trusted.
///
/// # Safety
/// `client` is NULL or points to storage that was zeroed or initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_set_unix_time(
    client: *mut quectel_azure_client,
    now_ms: u64,
    unix_s: u64,
) -> quectel_azure_result {
    let set = |client: &mut Client<'static>| {
        client.set_unix_time(now_ms, unix_s);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(client, set) }
}

/// Answers `QUECTEL_AZURE_EVENT_SIGNATURE_NEEDED` with the 32 bytes of an HMAC-SHA256.
///
/// # Safety
/// `client` is NULL or points to storage that was zeroed or initialised; `signature` points to 32 readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_provide_signature(
    client: *mut quectel_azure_client,
    now_ms: u64,
    signature: *const u8,
) -> quectel_azure_result {
    let provide = |client: &mut Client<'static>| {
        // SAFETY: the caller's promise.
        let signature = unsafe { bytes(signature, 32) };
        let signature = <&[u8; 32]>::try_from(signature).map_err(|_| QUECTEL_AZURE_ERROR_NULL_POINTER)?;
        client.provide_signature(now_ms, signature).map_err(misuse)
    };
    // SAFETY: the caller's promise.
    unsafe { with(client, provide) }
}

/// Copies the bytes to send next into `out` and sets `len` to how many; 0 when there is nothing to send.
///
/// # Safety
/// `client` is NULL or points to storage that was zeroed or initialised; `out` points to `out_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_poll_transmit(
    client: *mut quectel_azure_client,
    out: *mut u8,
    out_size: usize,
    len: *mut usize,
) -> quectel_azure_result {
    let transmit = |client: &mut Client<'static>| {
        // SAFETY: the caller's promise.
        let (out, len) = unsafe { (bytes_mut(out, out_size), object(len)) };
        *len.ok_or(QUECTEL_AZURE_ERROR_NULL_POINTER)? = client.poll_transmit(out);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(client, transmit) }
}

/// Sets `at_ms` to when `quectel_azure_client_poll` must be called at the latest, UINT64_MAX while nothing is awaited.
///
/// # Safety
/// `client` is NULL or points to storage that was zeroed or initialised; `at_ms` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_poll_timeout(
    client: *mut quectel_azure_client,
    at_ms: *mut u64,
) -> quectel_azure_result {
    let timeout = |client: &mut Client<'static>| {
        // SAFETY: the caller's promise.
        let at_ms = unsafe { object(at_ms) }.ok_or(QUECTEL_AZURE_ERROR_NULL_POINTER)?;
        *at_ms = client.poll_timeout().unwrap_or(u64::MAX);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(client, timeout) }
}

/// Takes bytes from the front of the input and fills one event; its kind is 0 when the input is empty and no deadline
/// has passed.
///
/// `input` and `input_len` are both input and output: they are moved past the bytes that were taken. Call it again
/// with the same two until the kind is 0. The event's pointers point into the client's buffers or into the input.
///
/// # Safety
/// `client` is NULL or points to storage that was zeroed or initialised; `*input` points to `*input_len` readable
/// bytes; `event` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_poll(
    client: *mut quectel_azure_client,
    now_ms: u64,
    input: *mut *const u8,
    input_len: *mut usize,
    event: *mut quectel_azure_event,
) -> quectel_azure_result {
    let poll = |client: &mut Client<'static>| {
        // SAFETY: the caller's promise; NULL becomes None.
        let (Some(data), Some(len)) = (unsafe { object(input) }, unsafe { object(input_len) }) else {
            return Err(QUECTEL_AZURE_ERROR_NULL_POINTER);
        };
        if event.is_null() {
            return Err(QUECTEL_AZURE_ERROR_NULL_POINTER);
        }
        // SAFETY: the caller's promise.
        let mut rest = unsafe { bytes(*data, *len) };
        let found = client.poll(now_ms, &mut rest).map_or(quectel_azure_event::new(0), translate);
        // SAFETY: not NULL; the caller promises that it is writable.
        unsafe { event.write(found) };
        if *len > 0 {
            *data = rest.as_ptr();
            *len = rest.len();
        }
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(client, poll) }
}

fn translate(event: Event<'_>) -> quectel_azure_event {
    let out = |kind| quectel_azure_event::new(kind);
    let bytes = |text: &str| quectel_azure_bytes::from(text.as_bytes());
    match event {
        Event::Step(step) => quectel_azure_event { step: bytes(step.name()), ..out(QUECTEL_AZURE_EVENT_STEP) },
        Event::Identified(module) => quectel_azure_event {
            model: bytes(module.model),
            revision: bytes(module.revision),
            ..out(QUECTEL_AZURE_EVENT_IDENTIFIED)
        },
        Event::SignatureNeeded { to_sign } => {
            quectel_azure_event { payload: to_sign.into(), ..out(QUECTEL_AZURE_EVENT_SIGNATURE_NEEDED) }
        }
        Event::Warning(warning) => {
            quectel_azure_event { line: bytes(warning.text()), ..out(QUECTEL_AZURE_EVENT_WARNING) }
        }
        Event::Connected => out(QUECTEL_AZURE_EVENT_CONNECTED),
        Event::Published(id) => {
            quectel_azure_event { message_id: id.number(), ..out(QUECTEL_AZURE_EVENT_PUBLISHED) }
        }
        Event::PublishFailed { id, reason: why } => quectel_azure_event {
            message_id: id.number(),
            result: reason(why),
            ..out(QUECTEL_AZURE_EVENT_PUBLISH_FAILED)
        },
        Event::Message(message) => quectel_azure_event {
            topic: bytes(message.topic),
            payload: message.payload.into(),
            ..out(QUECTEL_AZURE_EVENT_MESSAGE)
        },
        Event::Disconnected => out(QUECTEL_AZURE_EVENT_DISCONNECTED),
        Event::Failed(failure) => quectel_azure_event {
            step: bytes(failure.step.name()),
            result: reason(failure.reason),
            line: failure.line.bytes().into(),
            ..out(QUECTEL_AZURE_EVENT_FAILED)
        },
        Event::Urc(line) => quectel_azure_event { line: line.bytes().into(), ..out(QUECTEL_AZURE_EVENT_URC) },
        _ => out(QUECTEL_AZURE_EVENT_URC),
    }
}
