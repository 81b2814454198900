//! Parses a part of the mix once, for counting instructions under callgrind: the bytes of the mix, then the bytes of
//! a piece, or 0 to make the mix and parse nothing.

use core::hint::black_box;
use std::process::ExitCode;

use quectel_azure_benches::mix::Mix;
use quectel_azure_benches::score::run_ours;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|it| it.parse());
    let (Some(Ok(bytes)), Some(Ok(step))) = (arguments.next(), arguments.next()) else {
        return ExitCode::FAILURE;
    };
    let mix = Mix::new(bytes);
    if step > 0 {
        run_ours(black_box(&mix.bytes), step, |typed| {
            black_box(typed);
        });
    }
    ExitCode::SUCCESS
}
