//! Writes `docs/benchmarks.md` from what `cargo bench` has left in the target directory, which is the first argument; the second
//! is a file with what `benches/cortex-m/run.sh` has printed.
//! `benches/report.sh` runs it.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a tool of the developers"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use quectel_azure_benches::frames::{self, LENGTHS};
use quectel_azure_benches::mix::Mix;
use quectel_azure_benches::score::{STEPS, Who, run_ours};
use serde_json::Value;

/// At most so many times the split into lines, in the order of [`STEPS`].
const RATIOS: [f64; 3] = [2.3, 3.5, 9.0];
/// At most so many instructions for a byte.
const INSTRUCTIONS: [f64; 3] = [3.5, 5.5, 20.0];
/// At most so many times the cost of a byte in a frame of 64 bytes.
const GROWTH: f64 = 1.3;
/// At most so many nanoseconds to decode a message.
const DECODING_NS: f64 = 100.0;

fn main() {
    let target = PathBuf::from(std::env::args().nth(1).unwrap());
    let mix = Mix::new(16 << 20);
    machine();
    speed(&target, &mix);
    understood(&mix);
    growth(&target);
    rest(&target, &mix);
    if let Some(lines) = std::env::args().nth(2) {
        cortex_m(&std::fs::read_to_string(lines).unwrap());
    }
}

/// Nanoseconds for a byte: of the fastest sample, and of the median.
fn measured(target: &Path, name: &str) -> (f64, f64) {
    let folder = target.join("criterion").join(name).join("new");
    let read = |file: &str| -> Value {
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        serde_json::from_str(&text).unwrap()
    };
    let (benchmark, sample) = (read("benchmark.json"), read("sample.json"));
    let bytes = benchmark["throughput"]["Bytes"].as_f64().unwrap_or(1.0);
    let numbers = |field: &str| -> Vec<f64> {
        let list = sample[field].as_array().unwrap();
        list.iter().map(|number| number.as_f64().unwrap()).collect()
    };
    let mut each: Vec<_> = numbers("times")
        .into_iter()
        .zip(numbers("iters"))
        .map(|(time, runs)| time / runs / bytes)
        .collect();
    each.sort_by(f64::total_cmp);
    (each[0], each[each.len() / 2])
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().to_owned()
}

fn version(name: &str) -> String {
    let wanted = format!("name = \"{name}\"\n");
    // The newest comes last.
    let lock = std::fs::read_to_string("Cargo.lock").unwrap();
    let version = lock.split(&wanted).last().unwrap().lines().next().unwrap();
    version.trim_start_matches("version = ").replace('"', "")
}

fn verdict(is: f64, goal: f64) -> &'static str {
    if is <= goal { "met" } else { "missed" }
}

fn machine() {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |model| {
            model.trim_start_matches([' ', '\t', ':'])
        });
    let hertz = cpu
        .lines()
        .find_map(|line| line.strip_prefix("cpu MHz"))
        .map_or("unknown", |mhz| mhz.trim_start_matches([' ', '\t', ':']));
    let threads = std::thread::available_parallelism().map_or(0, core::num::NonZero::get);
    println!("# Benchmarks\n");
    println!("Written by `benches/report.sh`; nothing here is typed by hand.\n");
    println!(
        "- Machine: {model}, {hertz} MHz, {threads} threads, {}",
        said("uname", &["-sm"])
    );
    println!(
        "- Compiler: {}, profile `bench` (thin LTO, one codegen unit)",
        said("rustc", &["-V"])
    );
    println!(
        "- Beside it: atat {}, at-commands {}, a parser with nom {}, a split at line feeds with memchr {}",
        version("atat"),
        version("at-commands"),
        version("nom"),
        version("memchr"),
    );
    println!(
        "- The mix: 16 MiB, the same in every run: 60 % small URCs (`+QMTPUB`, `+QMTSTAT`, `+CEREG`, `+QIURC`), 30 %"
    );
    println!(
        "  `+QMTRECV` with a length and 50 to 500 bytes of JSON, 10 % responses that end with `OK` or `+CME ERROR`,"
    );
    println!(
        "  with URCs inside some of them. No payload of the mix holds CR or LF, which parsers of lines would not survive."
    );
    println!(
        "- Times are those that the thread ran, of criterion's fastest of 25 to 100 samples, since other work on the"
    );
    println!("  machine only ever adds; the median stands beside it.\n");
}

fn speed(target: &Path, mix: &Mix) {
    let event = mix.bytes.len() as f64 / mix.prints.len() as f64;
    let floor = STEPS
        .iter()
        .map(|(pieces, _)| measured(target, &format!("mix/memchr/{pieces}")).0)
        .fold(f64::INFINITY, f64::min);
    println!("## Framing, classification and typed decoding\n");
    println!(
        "The ratio is to the split of the same bytes, whole, into lines: {:.1} ns for an event of {event:.1} bytes.",
        floor * event
    );
    println!("`atat` and `nom` get 256 KiB of the mix byte by byte.\n");
    println!("| parser | bytes come | ns per event | median | MB/s | ratio | goal |");
    println!("|---|---|---|---|---|---|---|");
    for who in Who::ALL {
        for ((pieces, _), goal) in STEPS.iter().zip(RATIOS) {
            let (fastest, median) = measured(target, &format!("mix/{}/{pieces}", who.name()));
            let ratio = fastest / floor;
            let goal = match who {
                Who::Ours => format!("{goal}: {}", verdict(ratio, goal)),
                _ => String::new(),
            };
            println!(
                "| {} | {pieces} | {:.1} | {:.1} | {:.1} | {ratio:.2} | {goal} |",
                who.name(),
                fastest * event,
                median * event,
                1e3 / fastest,
            );
        }
    }
}

fn understood(mix: &Mix) {
    println!("\n## What they understood\n");
    println!(
        "An event is right if its kind and every value are those of the mix, in the order of the mix.\n"
    );
    println!("| parser | bytes come | events | right | lost or misread | reported wrongly |");
    println!("|---|---|---|---|---|---|");
    for who in Who::ALL {
        for (pieces, step) in STEPS {
            let share = who.share(mix, step).len();
            let score = match share == mix.bytes.len() {
                true => who.score(mix, step),
                false => who.score(&Mix::new(share), step),
            };
            println!(
                "| {} | {pieces} | {} | {} | {} | {} |",
                who.name(),
                score.meant,
                score.right,
                score.lost(),
                score.wrong,
            );
        }
    }
}

fn growth(target: &Path) {
    println!("\n## Cost of a byte by the length of the frame\n");
    println!(
        "Nanoseconds for a byte of `+QMTRECV` lines of one length through the framer, fastest sample.\n"
    );
    print!("| bytes come |");
    LENGTHS.iter().for_each(|length| print!(" {length} B |"));
    println!(" 16 KiB to 64 B | goal |");
    println!("|---|{}", "---|".repeat(LENGTHS.len() + 2));
    for (pieces, _) in STEPS {
        let costs =
            LENGTHS.map(|length| measured(target, &format!("frame length/{pieces}/{length}")).0);
        print!("| {pieces} |");
        costs.iter().for_each(|cost| print!(" {cost:.3} |"));
        let ratio = costs[LENGTHS.len() - 1] / costs[0];
        println!(" {ratio:.2} | {GROWTH}: {} |", verdict(ratio, GROWTH));
    }
}

/// Instructions that callgrind counts for a part of the mix in pieces of `step` bytes; 0 parses nothing.
fn instructions(target: &Path, bytes: usize, step: usize) -> f64 {
    let program = target.join("release/examples/instructions");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([bytes.to_string(), step.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let count = text
        .lines()
        .find_map(|line| line.split("Collected :").nth(1));
    count
        .unwrap_or_else(|| panic!("{text}"))
        .trim()
        .parse()
        .unwrap()
}

fn rest(target: &Path, mix: &Mix) {
    const BYTES: usize = 1 << 20;
    println!("\n## Instructions, allocations, decoding\n");
    println!(
        "Instructions of framing, classification and typed decoding for a byte, counted by callgrind ({}),",
        said("valgrind", &["--version"])
    );
    println!("over 1 MiB of the mix.\n");
    println!("| bytes come | instructions per byte | goal | allocations |");
    println!("|---|---|---|---|");
    let nothing = instructions(target, BYTES, 0);
    for ((pieces, step), goal) in STEPS.iter().zip(INSTRUCTIONS) {
        let each = (instructions(target, BYTES, *step) - nothing) / BYTES as f64;
        let made = allocation_counter::measure(|| run_ours(&mix.bytes, *step, |_| {}));
        println!(
            "| {pieces} | {each:.2} | {goal}: {} | {} |",
            verdict(each, goal),
            made.count_total
        );
    }
    let (fastest, median) = measured(target, "decode_QMTRECV");
    println!(
        "\nTyped decoding of one `+QMTRECV` of {} bytes: {fastest:.1} ns, median {median:.1} ns (goal: {DECODING_NS} ns, {}).",
        frames::one(512).len(),
        verdict(fastest, DECODING_NS),
    );
}

/// What `benches/cortex-m/run.sh` has printed.
fn cortex_m(lines: &str) {
    println!("\n## Cortex-M4\n");
    println!(
        "Framer, final result codes and the five typed URCs of the mix, without the link, built for size: instructions"
    );
    println!(
        "for a byte of 64 KiB of the mix in {}, and the stack",
        said("qemu-system-arm", &["--version"])
            .lines()
            .next()
            .unwrap()
    );
    println!(
        "that was touched; framer and buffer are not on it. `docs/sizes.md` has the flash, and the deepest stack on any\ninput.\n"
    );
    println!("| bytes come | instructions per byte | stack in bytes |");
    println!("|---|---|---|");
    for line in lines.lines() {
        let fields: Vec<_> = line.split('|').collect();
        println!("| {} | {} | {} |", fields[0], fields[2], fields[3]);
    }
}
