//! The three functions of the loop.

use quectel_azure::Client;

use crate::client::with;
use crate::pointers::{array, array_mut, object_mut};
use crate::{
    QUECTEL_AZURE_ERROR_NULL_POINTER, QUECTEL_AZURE_EVENT_NONE, quectel_azure_client,
    quectel_azure_event, quectel_azure_result,
};

/// Copies the bytes to send next into `out` and sets `len` to how many; 0 when there is nothing to send.
///
/// # Safety
/// `client` as its struct says; `out` points to `out_size` writable bytes, `len` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_poll_transmit(
    client: *mut quectel_azure_client,
    out: *mut u8,
    out_size: usize,
    len: *mut usize,
) -> quectel_azure_result {
    let transmit = |client: &mut Client<'static>| {
        // SAFETY: the caller's promise.
        let (out, len) = unsafe { (array_mut(out, out_size)?, object_mut(len)?) };
        *len = client.poll_transmit(out);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(client, transmit) }
}

/// Sets `at_ms` to when `quectel_azure_client_poll` must be called at the latest; UINT64_MAX while nothing is awaited.
///
/// # Safety
/// `client` as its struct says; `at_ms` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_poll_timeout(
    client: *mut quectel_azure_client,
    at_ms: *mut u64,
) -> quectel_azure_result {
    let timeout = |client: &mut Client<'static>| {
        // SAFETY: the caller's promise.
        let at_ms = unsafe { object_mut(at_ms) }?;
        *at_ms = client.poll_timeout().unwrap_or(u64::MAX);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(client, timeout) }
}

/// Takes bytes from the front of the input and sets `event` to what happened; its kind is
/// `QUECTEL_AZURE_EVENT_NONE` when the input is empty and no deadline has passed.
///
/// `input` and `input_len` are the only parameters of this interface that are read and written: they are moved past
/// the bytes that were taken. Call again with the same two until the kind is `QUECTEL_AZURE_EVENT_NONE`, also without
/// input when a deadline has passed.
///
/// # Safety
/// `client` as its struct says; `*input` points to `*input_len` readable bytes; `event` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quectel_azure_client_poll(
    client: *mut quectel_azure_client,
    now_ms: u64,
    input: *mut *const u8,
    input_len: *mut usize,
    event: *mut quectel_azure_event,
) -> quectel_azure_result {
    let poll = |client: &mut Client<'static>| {
        if event.is_null() {
            return Err(QUECTEL_AZURE_ERROR_NULL_POINTER);
        }
        // SAFETY: the caller's promise.
        let (data, len) = unsafe { (object_mut(input)?, object_mut(input_len)?) };
        // SAFETY: the caller's promise.
        let given = unsafe { array(*data, *len) }?;
        let mut rest = given;
        let found = client.poll(now_ms, &mut rest).map_or(
            quectel_azure_event::new(QUECTEL_AZURE_EVENT_NONE),
            Into::into,
        );
        // SAFETY: not NULL, and the caller promises that it is writable.
        unsafe { event.write(found) };
        *data = data.wrapping_add(given.len() - rest.len());
        *len = rest.len();
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(client, poll) }
}
