"""The command ``quectel-azure``, also as ``python -m quectel_azure``."""

from __future__ import annotations

import sys

from . import _native

__all__ = ["main"]


def main() -> int:
    """Runs the command with the arguments of this process; returns its exit status."""
    return _native.run_command(["quectel-azure", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
