//! The library's version.

use crate::quectel_azure_result;

const fn number(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let (mut at, mut sum) = (0, 0);
    while at < bytes.len() {
        sum = sum * 10 + (bytes[at] - b'0') as u32;
        at += 1;
    }
    sum
}

/// Version of the library: major × 65536 + minor × 256 + patch, as `QUECTEL_AZURE_VERSION` is for the header.
#[unsafe(no_mangle)]
pub extern "C" fn quectel_azure_version() -> u32 {
    const VERSION: u32 = number(env!("CARGO_PKG_VERSION_MAJOR")) * 65_536
        + number(env!("CARGO_PKG_VERSION_MINOR")) * 256
        + number(env!("CARGO_PKG_VERSION_PATCH"));
    VERSION
}

/// A result that says whether this result is a failure of the module, the network or the hub (1) or a misuse or a
/// wrong setting (0).
#[unsafe(no_mangle)]
pub extern "C" fn quectel_azure_result_is_reason(result: quectel_azure_result) -> i32 {
    i32::from((10..=99).contains(&result))
}
