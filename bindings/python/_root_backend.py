"""Builds the package of the repository's root, with maturin."""

import os
from pathlib import Path

os.chdir(Path(__file__).resolve().parents[2])

from maturin import *  # noqa: E402,F403
