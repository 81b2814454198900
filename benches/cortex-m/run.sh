#!/usr/bin/env bash
# What the codec costs on a Cortex-M4 in QEMU: one line for each size of pieces, `pieces|events|instructions per byte|stack`.
# Needs arm-none-eabi-gcc, newlib, qemu-system-arm, and a Rust target or Debian's rustc-web with rust-web-src.
set -euo pipefail
cd "$(dirname "$0")/../.."
export RUSTUP_AUTO_INSTALL=0
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
target=thumbv7em-none-eabihf
out="$CARGO_TARGET_DIR/cortex-m"
mkdir -p "$out"
cargo run --quiet --locked --profile bench -p quectel-azure-benches --example mix -- 65536 >"$out/mix.bin"
cp Cargo.lock nostd-check/Cargo.lock
build=(cargo build --quiet --release --manifest-path nostd-check/Cargo.toml --target "$target"
    --no-default-features --features cost)
if [ -d "$(rustc --print sysroot)/lib/rustlib/$target" ]; then
    "${build[@]}"
else
    RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc "${build[@]}" -Zbuild-std=core,compiler_builtins
fi
arm-none-eabi-gcc -std=gnu11 -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -Os -Wall -Wextra -Werror \
    -nostartfiles --specs=rdimon.specs -DMIX="\"$out/mix.bin\"" -L firmware -T firmware/mps2.ld -Wl,--gc-sections \
    -Wl,-z,noexecstack benches/cortex-m/main.c "$CARGO_TARGET_DIR/$target/release/libnostd_check.a" -o "$out/codec.elf"
timeout 120 qemu-system-arm -M mps2-an386 -display none -monitor none -icount shift=0,sleep=off \
    -semihosting-config enable=on,target=native -kernel "$out/codec.elf" </dev/null
