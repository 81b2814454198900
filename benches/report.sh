#!/usr/bin/env bash
# Measures everything and writes docs/benchmarks.md: cargo bench, then instructions under callgrind (Debian: valgrind).
# Takes some minutes; the machine should do nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
command -v valgrind >/dev/null || { echo "valgrind is missing (Debian: valgrind)" >&2; exit 1; }
[ "${1:-}" = --again ] || cargo bench --locked -p quectel-azure-benches --bench codec
cargo build --quiet --locked --profile bench -p quectel-azure-benches --examples
page=$(mktemp)
trap 'rm -f "$page"' EXIT
"$CARGO_TARGET_DIR/release/examples/report" "$CARGO_TARGET_DIR" >"$page"
cp "$page" docs/benchmarks.md
