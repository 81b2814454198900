#!/usr/bin/env bash
# The checks of the C interface; ./ci.sh at the root of the repository calls it as `c`.
#
# What a check needs and the machine lacks is installed from Debian when this runs as root, and skipped otherwise; the
# last lines say what was skipped. UPDATE_GOLDEN=1 rewrites the golden files instead of comparing them.
set -euo pipefail
cd "$(dirname "$0")"

export RUSTUP_AUTO_INSTALL=0
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/../../target}"
out="$CARGO_TARGET_DIR/c"
mkdir -p "$out"
warnings=(-Wall -Wextra -Werror -pedantic -Wconversion -Wundef)
skipped=()

say() { printf '\n--- %s\n' "$*"; }

# need COMMAND PACKAGE: whether COMMAND is there, perhaps by now.
need() {
    command -v "$1" >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        [ -n "${apt_updated:-}" ] || apt-get update -qq >"$out/apt.log" 2>&1 || true
        apt_updated=1
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >>"$out/apt.log" 2>&1 || true
    fi
    command -v "$1" >/dev/null
}

# golden FILE TEXT: compares TEXT with the committed file.
golden() {
    if [ -n "${UPDATE_GOLDEN:-}" ]; then
        printf '%s\n' "$2" >"$1"
    elif ! diff -u "$1" <(printf '%s\n' "$2"); then
        echo "bindings/c/$1 is not what the library says; look at the change and run UPDATE_GOLDEN=1 bindings/c/ci.sh"
        return 1
    fi
}

sources=(examples/*.c tests/*.c)
includes=(-I../../include)

# compile_all COMPILER LANGUAGE STANDARD: the header alone and every source, without linking.
compile_all() {
    printf '#include <quectel_azure.h>\ntypedef int not_empty;\n' |
        "$1" -x "$2" "-std=$3" "${warnings[@]}" "${includes[@]}" -c - -o /dev/null
    local source
    for source in "${sources[@]}"; do
        "$1" -x "$2" "-std=$3" "${warnings[@]}" "${includes[@]}" -c "$source" -o /dev/null
    done
    echo "$1 -std=$3: header and ${#sources[@]} sources"
}

# link_all FOLDER LIBRARY FLAG…: the programs that are run.
link_all() {
    local folder=$1 library=$2
    shift 2
    mkdir -p "$folder"
    local flags=(-std=c99 -g "${warnings[@]}" "${includes[@]}" "$@")
    # The words of the link line are separate arguments.
    # shellcheck disable=SC2046
    set -- "$library" $(cat tests/link-line.txt)
    gcc "${flags[@]}" tests/interface.c "$@" -o "$folder/interface"
    gcc "${flags[@]}" examples/publish.c examples/loop_posix.c "$@" -o "$folder/publish"
    gcc "${flags[@]}" tests/superloop.c examples/loop_superloop.c examples/loop_posix.c "$@" -o "$folder/superloop"
}

# run_all FOLDER [RUNNER]: the programs, against the simulators too.
run_all() {
    ${2:-} "$1/interface"
    C_PROGRAMS=$1 C_RUNNER=${2:-} \
        timeout 600 cargo test --quiet --locked --workspace --test c_programs -- --ignored --test-threads 2
}

say "header"
# Everywhere with the features of the whole workspace, as the other checks build it.
cargo test --quiet --locked --workspace --test header

say "library"
cargo build --quiet --locked -p quectel-azure-c
static="$CARGO_TARGET_DIR/debug/libquectel_azure.a"
shared="$CARGO_TARGET_DIR/debug/libquectel_azure.so"

say "compilers"
for compiler in gcc clang; do
    if need "$compiler" "$compiler"; then
        for standard in c99 c11 c17; do
            compile_all "$compiler" c "$standard"
        done
    else
        skipped+=("$compiler is missing (Debian: $compiler)")
    fi
done
for compiler in g++ clang++; do
    if need "$compiler" "${compiler/clang++/clang}"; then
        compile_all "$compiler" c++ c++11
    else
        skipped+=("$compiler is missing (Debian: ${compiler/clang++/clang})")
    fi
done

if [ "$(uname -sm)" = "Linux x86_64" ]; then
    say "symbols, sizes and link line"
    gcc -std=c99 "${warnings[@]}" "${includes[@]}" tests/layout.c -o "$out/layout"
    symbols=$(nm -D --defined-only "$shared" | awk '{ print $3 }' | sort)
    golden tests/abi.txt "$symbols"$'\n\n'"$("$out/layout")"
    in_static=$(nm --defined-only --extern-only "$static" 2>/dev/null | awk '$3 ~ /^quectel_azure_/ { print $3 }' | sort -u)
    [ "$in_static" = "$symbols" ] || { echo "static and shared library differ in their symbols"; exit 1; }
    printed=$(cargo rustc --quiet --locked -p quectel-azure-c --lib --crate-type staticlib -- --print native-static-libs 2>&1)
    line=$(sed -n 's/.*native-static-libs: //p' <<<"$printed" | tr -s ' ' '\n' | awk '!seen[$0]++' | paste -sd ' ')
    golden tests/link-line.txt "$line"
else
    skipped+=("symbols and link line are compared on 64-bit x86 Linux only")
fi

say "programs"
link_all "$out/plain" "$static"
run_all "$out/plain"
gcc -std=c99 "${includes[@]}" tests/interface.c "$shared" "-Wl,-rpath,$CARGO_TARGET_DIR/debug" -o "$out/interface-shared"
"$out/interface-shared"

say "valgrind"
if need valgrind valgrind; then
    run_all "$out/plain" "valgrind --quiet --error-exitcode=99"
else
    skipped+=("valgrind is missing (Debian: valgrind)")
fi

say "address and undefined behaviour sanitizers, in C and in Rust"
host=$(rustc -vV | sed -n 's/^host: //p')
if [ -n "$(find "$(rustc --print sysroot)/lib/rustlib/$host/lib" -name '*asan*' -print -quit)" ]; then
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address" \
        cargo build --quiet --locked -p quectel-azure-c --target "$host" --target-dir "$CARGO_TARGET_DIR/asan"
    link_all "$out/asan" "$CARGO_TARGET_DIR/asan/$host/debug/libquectel_azure.a" -fsanitize=address,undefined \
        -fno-sanitize-recover=all
    run_all "$out/asan"
else
    skipped+=("this Rust has no address sanitizer")
fi

printf '\n'
[ ${#skipped[@]} -eq 0 ] || printf 'skipped: %s\n' "${skipped[@]}"
[ ${#skipped[@]} -eq 0 ] || [ "${CI:-}" != true ]
