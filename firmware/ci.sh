#!/usr/bin/env bash
# Builds the firmware for a Cortex-M4 and a Cortex-M0 and runs both in QEMU, their UARTs at a simulated module; prints a
# table of sizes. Nothing waits in virtual time: the emulated clocks are the computer's.
#
# The static library is built with an installed Rust target, or with Debian's compiler and library source. What is
# missing is installed from Debian when this runs as root; otherwise the last line says that all was skipped.
set -euo pipefail
cd "$(dirname "$0")"

export RUSTUP_AUTO_INSTALL=0
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/../target}"
out="$CARGO_TARGET_DIR/firmware"
mkdir -p "$out"
# A RUSTFLAGS variable would replace the table of .cargo/config.toml, which chooses the small SHA-256.
unset RUSTFLAGS

skip() {
    printf 'skipped: %s\n' "$*"
    [ "${CI:-}" != true ]
    exit
}

# need FILE PACKAGE…: makes sure that FILE (a path, or a command) is there.
need() {
    local file=$1
    shift
    { [ -e "$file" ] || command -v "$file" >/dev/null; } && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq >"$out/apt.log" 2>&1 || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >>"$out/apt.log" 2>&1 || true
    fi
    [ -e "$file" ] || command -v "$file" >/dev/null || skip "$file is missing (Debian: $*)"
}

# library TARGET: the static library for it.
library() {
    local build=(cargo rustc --quiet --locked -p quectel-azure-c --lib --crate-type staticlib --features panic-handler
        --profile release-firmware --target "$1")
    if [ -d "$(rustc --print sysroot)/lib/rustlib/$1" ]; then
        "${build[@]}"
    else
        need /usr/lib/rustlib/src/rust/library rustc-web rust-web-src
        RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc "${build[@]}" -Zbuild-std=core,compiler_builtins
    fi
}

# c_text FILE: its content as a C string.
c_text() {
    sed 's/[\\"]/\\&/g; s/.*/    "&\\n" \\/' "$1"
}

# settings: what the firmware is compiled with, for the hub that runs.
settings() {
    printf '#define APN "iot.example"\n#define MESSAGE "%s"\n' "$message"
    printf '#define CONNECTION_STRING \\\n    "%s"\n' "$(cat "$out/local-hub-device.txt")"
    printf '#define CA_PEM \\\n%s\n    ""\n' "$(c_text "$out/local-hub-root.pem")"
}

# image BOARD TARGET FLAG…: links the firmware.
image() {
    local board=$1 library="$CARGO_TARGET_DIR/$2/release-firmware/libquectel_azure.a"
    shift 2
    # newlib's objects say nothing about an executable stack; there is none.
    arm-none-eabi-gcc -std=c11 "$@" -mthumb -Os -g -Wall -Wextra -Werror -pedantic -ffunction-sections -fdata-sections \
        -nostartfiles --specs=rdimon.specs -I../include "-I$out" -T "$board.ld" -Wl,--gc-sections -Wl,-z,noexecstack \
        startup.c "board_$board.c" main.c ../bindings/c/examples/loop_superloop.c "$library" -o "$out/$board.elf"
    # The library alone: everything that its functions need.
    local symbols
    mapfile -t symbols < <(sed '/^$/,$d; s/^/-u/' ../bindings/c/tests/abi.txt)
    arm-none-eabi-gcc "$@" -mthumb -nostdlib -r -Wl,--gc-sections "${symbols[@]}" "$library" -o "$out/$board-library.o"
}

# flash FILE: bytes of code and constants.
flash() { arm-none-eabi-size "$1" | awk 'NR == 2 { print $1 + $2 }'; }

# size_of ELF SYMBOL: bytes of a variable.
size_of() { echo $((0x$(arm-none-eabi-nm -S "$1" | awk -v name="$2" '$4 == name { print $2 }'))); }

# run BOARD MACHINE: the firmware at a simulated module; the hub must have the message.
run() {
    local status=0
    "$simulator" sim modem --model ec25 --host "$name:8883=$address" >"$out/$1-modem.log" &
    processes+=($!)
    wait_for "$out/$1-modem.log" 'AT port is tcp:'
    local port
    port=$(sed -n 's/.*AT port is tcp:.*:\([0-9]*\)$/\1/p' "$out/$1-modem.log")
    timeout 120 qemu-system-arm -M "$2" -display none -monitor none -semihosting-config enable=on,target=native \
        -chardev "socket,id=module,host=127.0.0.1,port=$port,server=off" -serial chardev:module \
        -kernel "$out/$1.elf" >"$out/$1.log" </dev/null || status=$?
    if [ "$status" != 0 ]; then
        cat "$out/$1.log" "$out/hub.log"
        echo "$1: the firmware ended with $status"
        return 1
    fi
    arrived=$((arrived + 1))
    [ "$(grep -c -F "telemetry device-1 ${#message} bytes" "$out/hub.log")" = "$arrived" ] ||
        { cat "$out/hub.log"; echo "$1: the message did not arrive"; return 1; }
}

# wait_for FILE TEXT: until a line of it has come, ten seconds at most.
wait_for() {
    local tries
    for tries in $(seq 100); do
        grep -q -F "$2" "$1" && return
        sleep 0.1
    done
    echo "$1 does not say '$2' after $tries tries"
    return 1
}

need arm-none-eabi-gcc gcc-arm-none-eabi libnewlib-arm-none-eabi
need qemu-system-arm qemu-system-arm

message="hello from the firmware"
simulator="$CARGO_TARGET_DIR/debug/quectel-azure"
processes=()
arrived=0
trap '[ ${#processes[@]} -eq 0 ] || kill "${processes[@]}" 2>/dev/null || true' EXIT

library thumbv7em-none-eabihf
library thumbv6m-none-eabi
cargo build --quiet --locked -p quectel-azure-cli --bin quectel-azure

rm -f "$out"/*.log
"$simulator" sim hub --listen 127.0.0.1:0 --out "$out" >"$out/hub.log" &
processes+=($!)
wait_for "$out/hub.log" 'listens on'
read -r name address < <(sed -n 's/^hub \(.*\) listens on \(.*\)$/\1 \2/p' "$out/hub.log")
wait_for "$out/hub.log" 'connection string'
settings >"$out/settings.h"

image mps2 thumbv7em-none-eabihf -mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16
image microbit thumbv6m-none-eabi -mcpu=cortex-m0
run mps2 mps2-an386
run microbit microbit

printf '%-22s %10s %10s %10s %10s\n' "" "library" "firmware" "client" "stack"
for board in mps2 microbit; do
    printf '%-22s %10s %10s %10s %10s\n' "$board" "$(flash "$out/$board-library.o")" "$(flash "$out/$board.elf")" \
        "$(size_of "$out/$board.elf" client)" "$(sed -n 's/^stack: //p' "$out/$board.log")"
done
