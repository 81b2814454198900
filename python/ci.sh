#!/usr/bin/env bash
# Every check of the Python package: builds and installs the wheel as a user does, then tests, types, packaging.
#
#   python/ci.sh             all
#   PROFILE=dev python/ci.sh with an unoptimised native module: builds faster
#   PYTHON=python3.9 …       with another interpreter
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
# Not in pyproject.toml: a source distribution has fewer crates than the lock file.
export MATURIN_PEP517_ARGS="--locked${PROFILE:+ --profile $PROFILE}"
venv="$CARGO_TARGET_DIR/venv"
python="$venv/bin/python"

"${PYTHON:-python3}" -m venv --clear "$venv"
"$venv/bin/pip" install --quiet 'maturin>=1.9,<2' 'pytest>=8' 'mypy>=1.15'
PATH="$venv/bin:$PATH"

echo "wheel"
# Both ways to install from a clone give the same files.
for source in . ./bindings/python; do
    "$venv/bin/pip" install --quiet --no-deps --no-build-isolation --force-reinstall "$source"
    "$python" - <<'PYTHON'
import importlib.metadata as metadata
names = {str(path) for path in metadata.files("quectel-azure")}
for name in ("__init__.py", "_native.pyi", "py.typed", "client.py", "aio.py", "sim.py", "errors.py", "pytest_plugin.py"):
    assert f"quectel_azure/{name}" in names, f"the wheel lacks {name}"
# One wheel for every Python from 3.9 on.
assert names & {"quectel_azure/_native.abi3.so", "quectel_azure/_native.pyd"}, names
PYTHON
done

echo "tests"
"$python" -m pytest -q -p no:cacheprovider

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "types: not checked, the mypy of this Python is too old"
    exit
fi
echo "types"
# Away from the sources, so that the installed package is checked.
work="$CARGO_TARGET_DIR/python-types"
mkdir -p "$work"
cd "$work"
"$python" -m mypy --config-file "$root/pyproject.toml" -p quectel_azure
"$python" -m mypy --config-file "$root/pyproject.toml" "$root/python/tests" "$root/python/examples"
rm -rf readme
mkdir readme
"$python" - "$root/README.md" <<'PYTHON'
import pathlib, re, sys
text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
for number, block in enumerate(re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)):
    pathlib.Path("readme", f"readme_{number}.py").write_text(block, encoding="utf-8")
PYTHON
if compgen -G 'readme/*.py' >/dev/null; then
    "$python" -m mypy --config-file "$root/pyproject.toml" readme/*.py
fi
"$python" -m mypy.stubtest --mypy-config-file "$root/pyproject.toml" quectel_azure
