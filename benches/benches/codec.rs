//! Framing, classification and typed decoding, and what they cost by frame length. `benches/report.sh` writes
//! `docs/benchmarks.md` from what this measures.

use core::hint::black_box;
use core::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{
    BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use quectel_azure_benches::frames::{self, LENGTHS};
use quectel_azure_benches::mix::Mix;
use quectel_azure_benches::peers::split;
use quectel_azure_benches::score::{STEPS, Who, run_ours};
use quectel_mqtt::Urc;

/// Time that the thread ran: what else the machine does while it waits does not count.
struct ThreadTime;

fn thread_time() -> Duration {
    let id = nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID;
    id.now().map(Duration::from).unwrap_or_default()
}

impl Measurement for ThreadTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        thread_time()
    }

    fn end(&self, started: Duration) -> Duration {
        thread_time().saturating_sub(started)
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, time: &Duration) -> f64 {
        WallTime.to_f64(time)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn mix(criterion: &mut Criterion<ThreadTime>) {
    let mix = Mix::new(16 << 20);
    let mut group = criterion.benchmark_group("mix");
    group.sampling_mode(SamplingMode::Flat);
    // Samples as short as one run, so that some of them are not disturbed.
    group.measurement_time(Duration::from_millis(300));
    for (pieces, step) in STEPS {
        group.sample_size(100);
        // Again each time, since a machine is not equally quick for minutes.
        group.throughput(Throughput::Bytes(mix.bytes.len() as u64));
        group.bench_function(BenchmarkId::new("memchr", pieces), |b| {
            b.iter(|| {
                split(black_box(&mix.bytes), |line| {
                    black_box(line);
                })
            });
        });
        for who in Who::ALL {
            let bytes = who.share(&mix, step);
            group.sample_size(if who == Who::Ours { 100 } else { 25 });
            group.throughput(Throughput::Bytes(bytes.len() as u64));
            group.bench_function(BenchmarkId::new(who.name(), pieces), |b| match who {
                Who::Ours => b.iter(|| {
                    run_ours(black_box(bytes), step, |typed| {
                        black_box(typed);
                    });
                }),
                _ => b.iter(|| {
                    who.run(black_box(bytes), step, |meant| {
                        black_box(&meant);
                    });
                }),
            });
        }
    }
    group.finish();
}

fn by_frame_length(criterion: &mut Criterion<ThreadTime>) {
    let mut group = criterion.benchmark_group("frame length");
    group.sampling_mode(SamplingMode::Flat);
    group.measurement_time(Duration::from_millis(300));
    for length in LENGTHS {
        let bytes = frames::of(length);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        for (pieces, step) in STEPS {
            group.bench_function(BenchmarkId::new(pieces, length), |b| {
                b.iter(|| black_box(frames::count(black_box(&bytes), step)));
            });
        }
    }
    group.finish();
}

fn decoding(criterion: &mut Criterion<ThreadTime>) {
    let frame = frames::one(512);
    let line = quectel_at::Line::new(frame.trim_ascii());
    assert!(matches!(Urc::parse(line), Some(Urc::Recv(_))));
    criterion.bench_function("decode/QMTRECV", |b| {
        b.iter_batched(
            || black_box(line),
            |line| {
                black_box(Urc::parse(line));
            },
            BatchSize::SmallInput,
        );
    });
}

criterion_group! {
    name = codec;
    config = Criterion::default()
        .with_measurement(ThreadTime)
        .sample_size(40)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = mix, by_frame_length, decoding
}
criterion_main!(codec);
