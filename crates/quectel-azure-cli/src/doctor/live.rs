//! A live module: reads it, and finds the fault by experiment if that is allowed.

use core::time::Duration;
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use quectel_doctor::live::{Effect, Live, Options};
use quectel_doctor::{Report, Severity};
use quectel_serial::quectel_azure::UrcPort;
use quectel_serial::{Port, PortSettings, Reason, Settings, open, urc_port_of};

use super::log::{report_text, with_name};
use super::{DoctorArgs, catalogue, status};
use crate::Status;
use crate::complaint::Complaint;
use crate::console::{Console, Ink, inked};

/// How often a wait looks whether the run is to end.
const LOOK: Duration = Duration::from_millis(50);

/// An AT line is never longer; more is noise.
const LONGEST_LINE: usize = 4096;

pub(super) fn run(
    port: &str,
    args: &DoctorArgs,
    console: &mut Console<'_>,
) -> Result<Status, Complaint> {
    let options = options(port, args, console)?;
    let unreadable = |complaint: Complaint| complaint.unreadable();
    let module = open(port, PortSettings::default().baud(args.baud))
        .map_err(|error| Complaint::from(error).unreadable())?;
    let mut examination = Examination {
        live: Live::new(options),
        port: module,
        partial: Vec::new(),
    };
    examination.run(args, console).map_err(unreadable)?;
    let live = examination.live;
    if let Some(file) = &args.trace {
        save(file, &live)?;
    }
    if !live.has_answered() {
        let silent = Reason::ModuleSilent;
        return Err(unreadable(
            Complaint::failure(format!("{silent} on {port}")).remedy(silent.remedy()),
        ));
    }
    let today = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let report = live.report(i64::try_from(today).unwrap_or(i64::MAX));
    show(port, &report, args.json, console)
}

fn show(
    port: &str,
    report: &Report,
    json: bool,
    console: &mut Console<'_>,
) -> Result<Status, Complaint> {
    let text = if json {
        catalogue::pretty(&with_name(port, report))
    } else {
        report_text(report, console.out_colour)
    };
    catalogue::put(&text, console)?;
    Ok(status(report.worst() == Some(Severity::Error)))
}

fn options(port: &str, args: &DoctorArgs, console: &Console<'_>) -> Result<Options, Complaint> {
    let mut host = args.hub.clone();
    if host.is_none() {
        let text = match (
            &args.device.connection_string,
            &args.device.connection_string_file,
        ) {
            (Some(text), _) => Some(text.clone()),
            (None, Some(file)) => Some(std::fs::read_to_string(file).map_err(|e| {
                Complaint::usage(format!(
                    "cannot read the connection string from {}: {e}",
                    file.display()
                ))
            })?),
            (None, None) => (console.variable)(crate::args::CONNECTION_STRING),
        };
        if let Some(text) = text {
            let settings = Settings::from_connection_string(&text)
                .map_err(|error| Complaint::usage(error.to_string()))?;
            host = Some(settings.gateway.clone().unwrap_or(settings.hub));
        }
    }
    Ok(Options {
        host,
        port: args.device.hub_port,
        pdp: args.module.pdp_context,
        client: args.module.mqtt_client,
        urc_port: match urc_port_of(port) {
            UrcPort::Uart1 => Some("uart1".to_owned()),
            UrcPort::UsbAt => Some("usbat".to_owned()),
            UrcPort::UsbModem => Some("usbmodem".to_owned()),
            _ => None,
        },
    })
}

fn save(file: &Path, live: &Live) -> Result<(), Complaint> {
    std::fs::write(file, live.conversation()).map_err(|e| {
        Complaint::usage(format!(
            "cannot write the conversation to {}: {e}",
            file.display()
        ))
    })
}

struct Examination {
    live: Live,
    port: Box<dyn Port>,
    /// Bytes of a line without its end.
    partial: Vec<u8>,
}

impl Examination {
    fn run(&mut self, args: &DoctorArgs, console: &mut Console<'_>) -> Result<(), Complaint> {
        let _ = self.port.clear();
        let mut stopped = false;
        loop {
            if console.cancel.is_cancelled() && !stopped {
                stopped = true;
                self.live.stop();
                let _ = writeln!(console.err, "cancelled; putting back what was changed");
            }
            if self.live.command().is_some() {
                self.command(args, console, stopped)?;
                continue;
            }
            let plan = self.live.question();
            if plan.is_empty() {
                return Ok(());
            }
            if args.yes || ask(&plan, console) {
                self.live.allow();
            } else {
                self.live.refuse();
            }
        }
    }

    /// Sends one command and waits for its answer.
    fn command(
        &mut self,
        args: &DoctorArgs,
        console: &mut Console<'_>,
        stopped: bool,
    ) -> Result<(), Complaint> {
        let Some(command) = self.live.command() else {
            return Ok(());
        };
        let (text, effect) = (command.text.to_owned(), command.effect);
        let timeout = Duration::from_millis(command.timeout_ms.into());
        let began = Instant::now();
        self.write(format!("{text}\r").as_bytes(), timeout)?;
        let mut last = String::new();
        let answered = loop {
            if began.elapsed() >= timeout {
                break false;
            }
            // What was changed is put back also by a run that is to end.
            if console.cancel.is_cancelled() && !stopped {
                break false;
            }
            if self.read(&text, &mut last)? {
                break true;
            }
        };
        if !answered {
            self.live.timeout();
            last = "no answer".to_owned();
        }
        if args.verbose || effect != Effect::Reads {
            let said = inked(&last, Ink::Faint, console.err_colour);
            let text = crate::complaint::scrub(&text);
            let _ = writeln!(
                console.err,
                "  {text}  {said}  {:.1} s",
                began.elapsed().as_secs_f64()
            );
        }
        Ok(())
    }

    fn write(&mut self, mut bytes: &[u8], timeout: Duration) -> Result<(), Complaint> {
        let began = Instant::now();
        while !bytes.is_empty() {
            let n = self.port.write(bytes, LOOK).map_err(|e| self.gone(&e))?;
            bytes = bytes.get(n..).unwrap_or_default();
            if n == 0 && began.elapsed() > timeout {
                return Err(Complaint::failure(format!(
                    "port {} takes no more bytes",
                    self.port.name()
                ))
                .remedy("check flow control and whether the module is on"));
            }
        }
        Ok(())
    }

    /// Reads what is there; true when the running command is answered.
    fn read(&mut self, command: &str, last: &mut String) -> Result<bool, Complaint> {
        let mut buf = [0; 1024];
        let n = self.port.read(&mut buf, LOOK).map_err(|e| self.gone(&e))?;
        let mut answered = false;
        for byte in buf.get(..n).unwrap_or_default() {
            if !matches!(byte, b'\r' | b'\n') {
                if self.partial.len() < LONGEST_LINE {
                    self.partial.push(*byte);
                }
                continue;
            }
            let line = String::from_utf8_lossy(&self.partial).into_owned();
            self.partial.clear();
            let said = line.trim();
            answered |= self.live.line(said);
            if !said.is_empty() && said != command && (said != "OK" || last.is_empty()) {
                *last = said.to_owned();
            }
        }
        Ok(answered)
    }

    fn gone(&self, error: &std::io::Error) -> Complaint {
        Complaint::failure(format!("port {} failed: {error}", self.port.name()))
            .remedy("check the cable; settings of a spare SSL context may be left: a restart of the module resets them")
    }
}

/// Asks on a terminal; nobody there has said yes.
fn ask(plan: &[String], console: &mut Console<'_>) -> bool {
    let _ = writeln!(console.err, "Next, to find the fault by experiment:");
    for line in plan {
        let _ = writeln!(console.err, "  - {line}");
    }
    if !console.interactive {
        let _ = writeln!(
            console.err,
            "Nobody is there to allow it: only reads were made; --yes allows it."
        );
        return false;
    }
    let _ = write!(console.err, "Go on? [y/N] ");
    let _ = console.err.flush();
    let mut answer = Vec::new();
    let mut byte = [0];
    while answer.len() < 16 && console.input.read(&mut byte).is_ok_and(|n| n == 1) {
        if byte[0] == b'\n' {
            break;
        }
        answer.push(byte[0].to_ascii_lowercase());
    }
    matches!(answer.trim_ascii(), b"y" | b"yes")
}
