#!/usr/bin/env bash
# Measures everything and writes docs/benchmarks.md: cargo bench, then instructions under callgrind (Debian: valgrind)
# and on a Cortex-M4 in QEMU (benches/cortex-m/run.sh names what that needs). Takes some minutes; the machine should do
# nothing else. `--again` keeps the times of the last run.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
command -v valgrind >/dev/null || { echo "valgrind is missing (Debian: valgrind)" >&2; exit 1; }
[ "${1:-}" = --again ] || cargo bench --locked -p quectel-azure-benches --bench codec
cargo build --quiet --locked --profile bench -p quectel-azure-benches --examples
page=$(mktemp)
cortex_m=$(mktemp)
trap 'rm -f "$page" "$cortex_m"' EXIT
benches/cortex-m/run.sh >"$cortex_m"
"$CARGO_TARGET_DIR/release/examples/report" "$CARGO_TARGET_DIR" "$cortex_m" >"$page"
cp "$page" docs/benchmarks.md
