//! The library's version.

const fn number(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let (mut at, mut sum) = (0, 0);
    while at < bytes.len() {
        sum = sum * 10 + (bytes[at] - b'0') as u32;
        at += 1;
    }
    sum
}

const VERSION: u32 = number(env!("CARGO_PKG_VERSION_MAJOR")) * 0x1_0000
    + number(env!("CARGO_PKG_VERSION_MINOR")) * 0x100
    + number(env!("CARGO_PKG_VERSION_PATCH"));

/// Version of the library: major * 65536 + minor * 256 + patch. `QUECTEL_AZURE_VERSION` is the same of the header.
#[unsafe(no_mangle)]
pub extern "C" fn quectel_azure_version() -> u32 {
    VERSION
}
