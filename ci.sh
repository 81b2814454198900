#!/usr/bin/env bash
# Every check of the project.
#
#   ./ci.sh              all checks, in order
#   ./ci.sh test doc     some of them
#   ./ci.sh --list       their names, with what they do
#
# A failed check does not stop the ones after it. What a check needs and the machine lacks is installed from Debian when
# this runs as root, and skipped with a reason otherwise; with CI=true a skipped check counts as failed. Nothing is
# downloaded through rustup, and nothing needs a nightly toolchain.
set -uo pipefail
cd "$(dirname "$0")" || exit 1

export RUSTUP_AUTO_INSTALL=0
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
[ "${CI:-}" != true ] || export CARGO_INCREMENTAL=0
tools="$CARGO_TARGET_DIR/tools"
notes="$CARGO_TARGET_DIR/ci"
skipped=77

# skip REASON: leaves the check; the reason is repeated at the end.
skip() {
    printf '%s\n' "$*" >"$notes/skip"
    exit "$skipped"
}

# debian FILE PACKAGE…: makes sure that FILE (a path, or a command) is there.
debian() {
    local file=$1
    shift
    found "$file" && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        [ -e "$notes/apt-updated" ] || { apt-get update -qq && touch "$notes/apt-updated"; } || skip "apt-get update failed"
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$notes/apt.log" 2>&1 ||
            { tail -n 5 "$notes/apt.log"; skip "apt-get install $* failed"; }
        found "$file" && return
    fi
    skip "$file is missing (Debian: $*)"
}

# with_python: a Python that can make virtual environments.
with_python() {
    debian python3 python3
    python3 -c 'import venv, ensurepip' 2>/dev/null || debian /usr/lib/python3/dist-packages/ensurepip python3-venv
}

found() {
    case $1 in
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

# tool COMMAND CRATE: makes sure that COMMAND is there, building CRATE under the target directory.
tool() {
    PATH="$tools/bin:$PATH"
    command -v "$1" >/dev/null || cargo install --quiet --locked --root "$tools" "$2"
}

# The arguments of one test binary: the same packages and features as `test` builds, so nothing is built twice.
architecture() {
    cargo test --quiet --locked --workspace --test architecture -- "$@"
}

#: fmt          formatting, of the workspace and of the crates outside it
check_fmt() {
    cargo fmt --all --check -- -l
    cargo fmt --manifest-path nostd-check/Cargo.toml --check -- -l
    [ ! -e fuzz/Cargo.toml ] || cargo fmt --manifest-path fuzz/Cargo.toml --check -- -l
}

#: clippy       the lints of Cargo.toml, as errors
check_clippy() {
    debian python3 python3
    cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
}

#: test         unit, integration and documentation tests
check_test() {
    # Programs that share nothing with ours; their tests say when they are missing, and fail where all must be checked.
    [ "${CI:-}" != true ] || {
        debian /usr/sbin/mosquitto mosquitto
        debian gammu gammu
        export REQUIRE_TOOLS=1
    }
    debian python3 python3
    local status=0
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --cargo-quiet --locked --workspace --no-fail-fast --status-level fail --final-status-level fail ||
            status=1
    else
        timeout 1800 cargo test --quiet --locked --workspace --no-fail-fast --all-targets || status=1
    fi
    cargo test --quiet --locked --workspace --doc || status=1
    return "$status"
}

#: narrow       what a processor with little flash runs, on this one: the drivers' tests without the quick ways
check_narrow() {
    RUSTFLAGS="${RUSTFLAGS:-} --cfg narrow" CARGO_TARGET_DIR="$CARGO_TARGET_DIR/narrow" \
        cargo test --quiet --locked -p quectel-at -p quectel-file -p quectel-ssl -p quectel-mqtt -p quectel-azure
}

#: doc          documentation without a warning
check_doc() {
    debian python3 python3
    # The C interface's library has the name of the crate it wraps; its documentation is the header.
    RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --no-deps --workspace --lib --exclude quectel-azure-c
}

#: msrv         rust-version: one for all crates, none of a dependency above it, no newer API (a lint)
check_msrv() {
    architecture msrv
    cargo clippy --quiet --locked --workspace --all-targets -- -A warnings -A clippy::all -D clippy::incompatible_msrv
    # Guards of patterns with let came later (1.95), and the lint knows functions only.
    if grep -rnE '^[^/]*\bif (.* && )?let [^{]* =>' --include='*.rs' benches bindings crates python tests; then
        echo "A guard with let needs a newer Rust than rust-version says: use a match inside."
        return 1
    fi
    local msrv
    msrv=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    if rustup toolchain list 2>/dev/null | grep "^${msrv}[.-]" >/dev/null; then
        cargo "+$msrv" check --quiet --locked --workspace --target-dir "$CARGO_TARGET_DIR/msrv"
    else
        echo "Rust $msrv is not installed here: the lint and the dependencies' own words have to do."
    fi
}

#: deny         licences, sources and duplicate versions of the dependencies; cargo-deny too where it is installed
check_deny() {
    architecture dependencies
    # Without the advisories: their database comes from elsewhere.
    ! command -v cargo-deny >/dev/null || cargo deny --locked check licenses bans sources
}

#: no_std       the no_std crates pull in neither std nor alloc; for any stable toolchain
check_no_std() {
    cp Cargo.lock nostd-check/Cargo.lock
    cargo check --quiet --manifest-path nostd-check/Cargo.toml
}

#: thumb        the no_std crates build for Cortex-M0 (no compare-and-swap) and Cortex-M4
check_thumb() {
    for target in thumbv6m-none-eabi thumbv7em-none-eabihf; do
        firmware_build "$target"
    done
}

# firmware_build TARGET [OPTION…]: nostd-check as a static library, with the user's own target or Debian's compiler and source.
firmware_build() {
    cp Cargo.lock nostd-check/Cargo.lock
    local build=(cargo build --quiet --release --manifest-path nostd-check/Cargo.toml --target "$@")
    if [ -d "$(rustc --print sysroot)/lib/rustlib/$1" ]; then
        "${build[@]}"
    else
        debian /usr/lib/rustlib/src/rust/library rustc-web rust-web-src
        RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc "${build[@]}" -Zbuild-std=core,compiler_builtins
    fi
}

#: size         flash and stack of the roots in nostd-check on Cortex-M, compared with docs/sizes.md (UPDATE_GOLDEN=1 rewrites it)
check_size() {
    debian arm-none-eabi-ld binutils-arm-none-eabi
    debian python3 python3
    local target root name image="$notes/size.elf" page="$notes/sizes.md" bytes limit stack
    {
        echo "# Flash and stack"
        echo
        echo "Bytes of code and constants when nothing but the named thing is compiled and linked, with the compiler's own"
        echo "\`memcpy\`: \`./ci.sh size\`. Growth by more than 5 % is pointed out; \`UPDATE_GOLDEN=1 ./ci.sh size\` rewrites this"
        echo "page. The roots are the functions of \`nostd-check/src/lib.rs\`, a feature for each; no heap, and no statics that"
        echo "are written. The stack is the deepest path of calls, on any input, read from the machine code by"
        echo "\`nostd-check/stack.py\`; what calls through pointers has none."
        echo
        echo "| what | target | bytes | stack |"
        echo "|---|---|---|---|"
    } >"$page"
    [ "${UPDATE_GOLDEN:-}" != 1 ] || { mkdir -p docs && cp "$page" docs/sizes.md; }
    for target in thumbv6m-none-eabi thumbv7em-none-eabihf; do
        for root in $(sed -n 's/.*extern "C" fn \(size_of_[a-z_]*\).*/\1/p' nostd-check/src/lib.rs); do
            firmware_build "$target" --no-default-features --features "${root#size_of_}"
            arm-none-eabi-ld --gc-sections --entry "$root" -o "$image" "$CARGO_TARGET_DIR/$target/release/libnostd_check.a"
            bytes=$(arm-none-eabi-size "$image" | awk 'NR == 2 { print $1 + $2 }')
            name=${root#size_of_}
            stack=$(python3 nostd-check/stack.py "$image" "$root" 2>/dev/null || true)
            echo "| ${name//_/ } | $target | $bytes | $stack |" >>"$page"
            limit=$(awk -F' *[|] *' -v what="${name//_/ }" -v target="$target" \
                '$2 == what && $3 == target { print int($4 * 1.05) }' docs/sizes.md)
            printf '  %-10s %-22s %6d' "${name//_/ }" "$target" "$bytes"
            if [ "${UPDATE_GOLDEN:-}" != 1 ] && [ "$bytes" -gt "${limit:-0}" ]; then
                printf '  over %d, 5 %% more than docs/sizes.md says: UPDATE_GOLDEN=1 ./ci.sh size' "${limit:-0}"
            fi
            echo
        done
    done
    [ "${UPDATE_GOLDEN:-}" != 1 ] || cp "$page" docs/sizes.md
}

#: demo         the demo of README, for every model and both credentials
check_demo() {
    local model auth started
    cargo build --quiet --release --locked --bin quectel-azure
    for model in ec21 ec25 bg96 bg95 ec200u; do
        for auth in sas x509; do
            started=$SECONDS
            if timeout 120 cargo run --quiet --release --locked -- demo --model "$model" --auth "$auth" \
                >"$notes/demo.log" 2>&1 </dev/null; then
                printf '  %-7s %-5s %s s\n' "$model" "$auth" $((SECONDS - started))
            else
                cat "$notes/demo.log"
                echo "demo --model $model --auth $auth failed"
                return 1
            fi
        done
    done
}

#: c            the C interface: header, examples, tests, sanitizers
check_c() {
    debian gcc gcc libc6-dev
    sed -n '/^```c$/,/^```$/{/^```/!p}' README.md |
        gcc -x c -std=c99 -Wall -Wextra -Werror -pedantic -Iinclude -Ibindings/c/examples -fsyntax-only -
    bash bindings/c/ci.sh
}

#: python       the Python package: wheel, tests, types
check_python() {
    with_python
    bash python/ci.sh
}

#: firmware     a firmware in C with the static library, in QEMU on a Cortex-M4 and a Cortex-M0
check_firmware() {
    bash firmware/ci.sh
}

#: hub          the local hub against clients by others: Python's device and service SDKs, mosquitto, a browser
check_hub() {
    with_python
    debian /usr/sbin/mosquitto mosquitto
    debian mosquitto_pub mosquitto-clients
    debian chromium chromium
    debian chromedriver chromium-driver
    local venv="$CARGO_TARGET_DIR/venv-hub"
    cargo build --quiet --locked --workspace --example serve
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r crates/iothub-sim/tests/python/requirements.txt
    IOTHUB_SIM_SERVE="$CARGO_TARGET_DIR/debug/examples/serve" \
        timeout 1200 "$venv/bin/python" -m pytest -q crates/iothub-sim/tests/python
}

#: fuzz_smoke   every fuzz target for ten seconds
check_fuzz_smoke() {
    debian g++ g++
    tool cargo-fuzz cargo-fuzz
    export RUSTC_BOOTSTRAP=1
    unset CARGO_TARGET_DIR
    cargo fuzz build
    local target status=0
    for target in $(cargo fuzz list); do
        local folders=("fuzz/corpus/$target")
        mkdir -p "${folders[0]}"
        [ ! -d "fuzz/seeds/$target" ] || folders+=("fuzz/seeds/$target")
        cargo fuzz run "$target" "${folders[@]}" -- -max_total_time=10 -timeout=10 -verbosity=0 -print_final_stats=1 ||
            status=1
    done
    return "$status"
}

#: bench_smoke  every benchmark, once
check_bench_smoke() {
    cargo bench --quiet --locked -p quectel-azure-benches --benches -- --test
}

checks=(fmt clippy test narrow doc msrv deny no_std thumb size demo c python firmware hub fuzz_smoke)
! compgen -G 'benches/benches/*.rs' >/dev/null || checks+=(bench_smoke)

if [ "${1:-}" = --list ]; then
    for name in "${checks[@]}"; do
        sed -n "s/^#: \($name  *\)/\1/p" ci.sh
    done
    exit
fi
[ $# -eq 0 ] || checks=("$@")
for name in "${checks[@]}"; do
    declare -F "check_$name" >/dev/null || { echo "ci.sh: no check is called $name; see ./ci.sh --list" >&2; exit 2; }
done

mkdir -p "$notes"
trap 'exit 130' INT
passed=0
failures=()
skips=()
table=
for name in "${checks[@]}"; do
    printf '\n=== %s\n' "$name"
    rm -f "$notes/skip"
    started=$SECONDS
    # Not in a condition: that would switch `set -e` off inside.
    (set -e; "check_$name")
    status=$?
    case $status in
    0) word=passed; passed=$((passed + 1)) ;;
    "$skipped") word=skipped; skips+=("$name: $(cat "$notes/skip" 2>/dev/null)") ;;
    *) word=FAILED; failures+=("$name") ;;
    esac
    table+=$(printf '  %-12s %-8s %5d s' "$name" "$word" $((SECONDS - started)))$'\n'
done

printf '\n=== summary\n%s' "$table"
failed=${#failures[@]}
[ "$failed" -eq 0 ] || echo "failed: ${failures[*]}"
[ ${#skips[@]} -eq 0 ] || printf 'skipped %s\n' "${skips[@]}"
counts=", ${#skips[@]} skipped"
if [ ${#skips[@]} -eq 0 ]; then
    counts=
elif [ "${CI:-}" = true ]; then
    echo "a skipped check is a failed one when CI=true"
    failed=$((failed + ${#skips[@]}))
    counts=
fi
echo "$passed passed, $failed failed$counts"
[ "$failed" -eq 0 ]
