//! Writes so many bytes of the mix to standard output.

use std::io::Write as _;

use quectel_azure_benches::mix::Mix;

fn main() -> std::io::Result<()> {
    let bytes = std::env::args().nth(1).and_then(|it| it.parse().ok());
    let bytes = bytes.unwrap_or(1 << 20);
    let mix = Mix::new(bytes);
    std::io::stdout().write_all(&mix.bytes[..bytes])
}
