//! Diagnoses the logs named on the command line, or standard input.

use core::error::Error;
use std::fs::File;
use std::io::{BufReader, Write as _, stdin, stdout};

use quectel_doctor::{Color, diagnose};

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let mut out = stdout().lock();
    if paths.is_empty() {
        out.write_all(diagnose(stdin().lock())?.to_text(Color::Off).as_bytes())?;
    }
    for path in paths {
        let report = diagnose(BufReader::new(File::open(path)?))?;
        out.write_all(report.to_text(Color::Off).as_bytes())?;
    }
    Ok(())
}
