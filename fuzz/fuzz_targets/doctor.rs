//! Any log: the doctor's report can be shown, and how the log comes in changes nothing.
#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use quectel_doctor::{Color, ReadError, diagnose_at};

/// 22 November 2026.
const TODAY: i64 = 1_795_305_600;

fuzz_target!(|data: &[u8]| {
    let whole = diagnose_at(data, TODAY);
    let small = BufReader::with_capacity(7, data);
    match (whole, diagnose_at(small, TODAY)) {
        (Ok(whole), Ok(pieces)) => {
            let text = whole.to_text(Color::Off);
            assert_eq!(text, pieces.to_text(Color::Off));
            assert_eq!(whole.to_json(), pieces.to_json());
            assert!(!text.is_empty());
        }
        (Err(ReadError::Io(error)), _) | (_, Err(ReadError::Io(error))) => panic!("{error}"),
        (Err(whole), Err(pieces)) => assert_eq!(whole.to_string(), pieces.to_string()),
        (whole, pieces) => panic!("{} and {}", whole.is_ok(), pieces.is_ok()),
    }
});
