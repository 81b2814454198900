use quectel_azure_benches::{mix::Mix, ours::*};
use std::hint::black_box;
use std::time::Instant;
fn floor(data: &[u8]) -> usize {
    let mut n = 0;
    let mut rest = data;
    while let Some(i) = memchr::memchr(b'\n', rest) {
        let mut l = &rest[..i];
        if let [h @ .., b'\r'] = l {
            l = h
        };
        if !l.is_empty() {
            n += 1;
            black_box(l);
        }
        rest = &rest[i + 1..];
    }
    n
}
#[inline(never)]
fn run(data: &[u8], step: usize) -> usize {
    let (mut rx, mut tx) = ([0; BUFFER], [0; 256]);
    let mut o = Ours::new(&mut rx, &mut tx);
    let mut n = 0;
    if step == 1 {
        for b in data {
            o.take(core::slice::from_ref(b), |t| {
                n += 1;
                black_box(t);
            });
        }
    } else {
        for c in data.chunks(step) {
            o.take(c, |t| {
                n += 1;
                black_box(t);
            });
        }
    }
    n
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let size: usize = a.get(2).map_or(16 << 20, |s| s.parse().unwrap());
    let mix = Mix::new(size);
    if let Some(step) = a.get(1).filter(|s| *s != "-") {
        let step: usize = step.parse().unwrap();
        if step == 0 {
            black_box(floor(&mix.bytes));
        } else {
            black_box(run(&mix.bytes, step));
        }
        return;
    }
    // correctness
    for step in [1, 7, 64, 1 << 30] {
        let (mut rx, mut tx) = ([0; BUFFER], [0; 256]);
        let mut o = Ours::new(&mut rx, &mut tx);
        let mut p = vec![];
        for c in mix.bytes.chunks(step) {
            o.take(c, |t| p.push(t.meant().map_or(0, |m| m.print())));
        }
        assert!(p == mix.prints, "step {step}");
    }
    println!(
        "events {} bytes/event {:.1}",
        mix.prints.len(),
        mix.bytes.len() as f64 / mix.prints.len() as f64
    );
    let mut best = [f64::MAX; 4];
    for _ in 0..15 {
        let t = Instant::now();
        black_box(floor(&mix.bytes));
        best[0] = best[0].min(t.elapsed().as_secs_f64());
        for (k, step) in [1 << 30, 64, 1].into_iter().enumerate() {
            let t = Instant::now();
            black_box(run(&mix.bytes, step));
            best[k + 1] = best[k + 1].min(t.elapsed().as_secs_f64());
        }
    }
    let n = mix.prints.len() as f64;
    println!(
        "floor {:.2} ns/event {:.3} ns/B",
        best[0] * 1e9 / n,
        best[0] * 1e9 / mix.bytes.len() as f64
    );
    for (k, w) in ["whole", "64", "byte"].iter().enumerate() {
        println!(
            "{w} {:.1} ns/event ratio {:.2}",
            best[k + 1] * 1e9 / n,
            best[k + 1] / best[0]
        );
    }
}
