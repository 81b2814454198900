//! The client: its storage, and what it can be told to do.

use quectel_azure::{Buffers, Client};

use crate::guard::guarded;
use crate::pointers::{array, array_mut, object, object_mut};
use crate::{
    QUECTEL_AZURE_ERROR_ABI_MISMATCH, QUECTEL_AZURE_ERROR_NOT_INITIALISED,
    QUECTEL_AZURE_ERROR_NULL_POINTER, QUECTEL_AZURE_ERROR_PANIC, QUECTEL_AZURE_OK,
    quectel_azure_config, quectel_azure_message, quectel_azure_result,
};

/// Size of a client in words of 8 bytes. It changes with the layout of any struct of this header, so that a library
/// of another layout is detected.
pub const QUECTEL_AZURE_CLIENT_WORDS: usize = 320;

/// Storage of one client. It belongs to the caller, its content to the library; it must not be moved or copied between
/// init and deinit. Storage that has not been through `quectel_azure_client_init` must be zero before any other call.
/// One thread at a time may use a client.
#[repr(C)]
pub struct quectel_azure_client {
    /// Not for the caller.
    pub opaque: [u64; QUECTEL_AZURE_CLIENT_WORDS],
}

/// Memory that a client works in. It must live as long as the client and must not be used by the caller meanwhile.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct quectel_azure_buffers {
    /// Receive buffer: at least 512 bytes, and room for the longest cloud-to-device message with its topic.
    pub rx: *mut u8,
    /// Its size in bytes.
    pub rx_size: usize,
    /// Transmit buffer: at least 1,024 bytes, and room for the longest payload with 512 bytes more.
    pub tx: *mut u8,
    /// Its size in bytes.
    pub tx_size: usize,
    /// For user names, tokens and topics: at least 1,024 bytes.
    pub scratch: *mut u8,
    /// Its size in bytes.
    pub scratch_size: usize,
}

/// What lies in a client's storage.
#[repr(C)]
struct Stored {
    magic: u64,
    client: Client<'static>,
}

/// Marks a client that is initialised; any other word means that it is not.
const MAGIC: u64 = 0x5145_4341_5A55_5245;

const _: () = assert!(size_of::<Stored>() <= size_of::<quectel_azure_client>());
const _: () = assert!(align_of::<Stored>() <= align_of::<quectel_azure_client>());

/// The client in its storage, if it is initialised.
///
/// # Safety
/// `storage` is NULL or points to storage that was zeroed or given to init, and nobody else uses it meanwhile.
unsafe fn stored<'a>(
    storage: *mut quectel_azure_client,
) -> Result<&'a mut Stored, quectel_azure_result> {
    if storage.is_null() {
        return Err(QUECTEL_AZURE_ERROR_NULL_POINTER);
    }
    // SAFETY: not NULL, and the caller promises that at least this word was written.
    if unsafe { storage.cast::<u64>().read() } != MAGIC {
        return Err(QUECTEL_AZURE_ERROR_NOT_INITIALISED);
    }
    // SAFETY: that word is `Stored::magic`, and it has this value only while a whole `Stored` lies there.
    Ok(unsafe { &mut *storage.cast::<Stored>() })
}

/// Marks storage as not initialised.
///
/// # Safety
/// `storage` is NULL or points to writable storage.
unsafe fn unmark(storage: *mut quectel_azure_client) {
    if !storage.is_null() {
        // SAFETY: not NULL, and the caller promises that it is writable.
        unsafe { storage.cast::<u64>().write(0) };
    }
}

/// Runs `f` on a client; a panic makes the client unusable until it is initialised again.
///
/// # Safety
/// As [`stored`].
pub(crate) unsafe fn with(
    storage: *mut quectel_azure_client,
    f: impl FnOnce(&mut Client<'static>) -> Result<(), quectel_azure_result>,
) -> quectel_azure_result {
    let result = guarded(|| {
        // SAFETY: the caller's promise.
        unsafe { stored(storage) }
            .and_then(|stored| f(&mut stored.client))
            .err()
            .unwrap_or(QUECTEL_AZURE_OK)
    });
    if result == QUECTEL_AZURE_ERROR_PANIC {
        // SAFETY: the caller's promise.
        unsafe { unmark(storage) };
    }
    result
}

/// Initialises a client in storage of the caller. Nothing is sent. If it fails, the client is not initialised.
///
/// `size` is `sizeof *client`. The settings and the struct of the buffers may be forgotten afterwards, but not what
/// they point to. A client that is initialised already must be deinitialised before.
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
    let new = || {
        // SAFETY: the caller's promise, here and below.
        let (config, buffers) = unsafe { (object(config)?, object(buffers)?) };
        // SAFETY: as above.
        let buffers = unsafe {
            Buffers {
                rx: array_mut(buffers.rx, buffers.rx_size)?,
                tx: array_mut(buffers.tx, buffers.tx_size)?,
                scratch: array_mut(buffers.scratch, buffers.scratch_size)?,
            }
        };
        // SAFETY: as above.
        let config = unsafe { config.read() }?;
        let stored = Stored {
            magic: MAGIC,
            client: Client::new(config, buffers)?,
        };
        // SAFETY: large and aligned enough, as asserted above; the caller promises that it is writable.
        unsafe { client.cast::<Stored>().write(stored) };
        Ok(())
    };
    guarded(|| {
        if size != size_of::<quectel_azure_client>() {
            return QUECTEL_AZURE_ERROR_ABI_MISMATCH;
        }
        if client.is_null() {
            return QUECTEL_AZURE_ERROR_NULL_POINTER;
        }
        // SAFETY: not NULL, and the caller promises that it is writable.
        unsafe { unmark(client) };
        new().err().unwrap_or(QUECTEL_AZURE_OK)
    })
}

/// Ends the use of a client and clears its storage, which may hold secrets. The module is told nothing: disconnect
/// before. NULL and clients that are not initialised are left alone.
///
/// # Safety
/// `client` as its struct says, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_deinit(client: *mut quectel_azure_client) {
    guarded(|| {
        // SAFETY: the caller's promise.
        if let Ok(stored) = unsafe { stored(client) } {
            // SAFETY: the content is whole and is not used again.
            unsafe { core::ptr::drop_in_place(stored) };
            // SAFETY: not NULL, as `stored` has shown, and writable.
            unsafe { client.write_bytes(0, 1) };
        }
    });
}

/// Begins the flow, from whatever state the module is in. `QUECTEL_AZURE_EVENT_CONNECTED` or
/// `QUECTEL_AZURE_EVENT_FAILED` ends it.
///
/// # Safety
/// `client` as its struct says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_connect(
    client: *mut quectel_azure_client,
    now_ms: u64,
) -> quectel_azure_result {
    // SAFETY: the caller's promise.
    unsafe { with(client, |client| Ok(client.connect(now_ms)?)) }
}

/// Ends the connection or the running flow and frees the module's MQTT client; `QUECTEL_AZURE_EVENT_DISCONNECTED`
/// follows.
///
/// # Safety
/// `client` as its struct says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_disconnect(
    client: *mut quectel_azure_client,
    now_ms: u64,
) -> quectel_azure_result {
    // SAFETY: the caller's promise.
    unsafe { with(client, |client| Ok(client.disconnect(now_ms)?)) }
}

/// Sends a message to the hub. `QUECTEL_AZURE_EVENT_PUBLISHED` or `QUECTEL_AZURE_EVENT_PUBLISH_FAILED` follows.
///
/// The message and what it points to is copied. `number` is set to the number that the events name it by; it may be
/// NULL.
///
/// # Safety
/// `client` as its struct says; `message` and what it points to is readable; `number` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_publish(
    client: *mut quectel_azure_client,
    now_ms: u64,
    message: *const quectel_azure_message,
    number: *mut u32,
) -> quectel_azure_result {
    let publish = |client: &mut Client<'static>| {
        // SAFETY: the caller's promise.
        let message = unsafe { object(message) }?;
        // SAFETY: the caller's promise.
        let id = unsafe { message.read(|message| Ok(client.publish(now_ms, message)?)) }?;
        // SAFETY: the caller's promise; NULL is allowed.
        if let Ok(number) = unsafe { object_mut(number) } {
            *number = id.number();
        }
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(client, publish) }
}

/// Tells the time in seconds since 1970-01-01 UTC, so that neither module nor network need know it.
///
/// # Safety
/// `client` as its struct says.
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

/// Answers `QUECTEL_AZURE_EVENT_SIGNATURE_NEEDED` with the 32 bytes of the HMAC-SHA256 of its payload.
///
/// # Safety
/// `client` as its struct says; `signature` points to 32 readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_provide_signature(
    client: *mut quectel_azure_client,
    now_ms: u64,
    signature: *const u8,
) -> quectel_azure_result {
    let provide = |client: &mut Client<'static>| {
        // SAFETY: the caller's promise.
        let signature = unsafe { array(signature, 32) }?;
        let signature =
            <&[u8; 32]>::try_from(signature).map_err(|_| QUECTEL_AZURE_ERROR_NULL_POINTER)?;
        Ok(client.provide_signature(now_ms, signature)?)
    };
    // SAFETY: the caller's promise.
    unsafe { with(client, provide) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{quectel_azure_config_init, quectel_azure_config_set_connection_string};

    #[test]
    fn a_panic_makes_the_client_unusable_until_it_is_initialised_again() {
        let text = "HostName=h.example;DeviceId=d;SharedAccessKey=AAECAwQFBgcICQoLDA0ODw==";
        let (mut rx, mut tx, mut scratch) = ([0; 1024], [0; 1024], [0; 1024]);
        let buffers = quectel_azure_buffers {
            rx: rx.as_mut_ptr(),
            rx_size: rx.len(),
            tx: tx.as_mut_ptr(),
            tx_size: tx.len(),
            scratch: scratch.as_mut_ptr(),
            scratch_size: scratch.len(),
        };
        let mut settings = core::mem::MaybeUninit::<quectel_azure_config>::uninit();
        let mut client = quectel_azure_client {
            opaque: [0; QUECTEL_AZURE_CLIENT_WORDS],
        };
        let (settings, client) = (settings.as_mut_ptr(), &raw mut client);
        let init = || {
            // SAFETY: all pointers lead to live variables of this function.
            unsafe {
                let size = size_of::<quectel_azure_config>();
                assert_eq!(quectel_azure_config_init(settings, size), QUECTEL_AZURE_OK);
                let set = quectel_azure_config_set_connection_string(settings, text.into());
                assert_eq!(set, QUECTEL_AZURE_OK);
                quectel_azure_client_init(
                    client,
                    size_of_val(&*client),
                    settings,
                    &raw const buffers,
                )
            }
        };
        assert_eq!(init(), QUECTEL_AZURE_OK);
        // SAFETY: as above.
        unsafe {
            assert_eq!(
                with(client, |_| panic!("on purpose")),
                QUECTEL_AZURE_ERROR_PANIC
            );
            assert_eq!(
                quectel_azure_client_connect(client, 0),
                QUECTEL_AZURE_ERROR_NOT_INITIALISED
            );
        }
        assert_eq!(init(), QUECTEL_AZURE_OK);
        // SAFETY: as above.
        unsafe {
            assert_eq!(quectel_azure_client_connect(client, 0), QUECTEL_AZURE_OK);
            quectel_azure_client_deinit(client);
        }
    }
}
