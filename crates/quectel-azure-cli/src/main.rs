//! The command `quectel-azure`.

#![forbid(unsafe_code)]

fn main() {}
