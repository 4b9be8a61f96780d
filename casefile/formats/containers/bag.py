"""A transfer bag after RFC 8493, made by the reference library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import bagit  # what receiving archives check with; public domain


def make(folder: Path, info: Mapping[str, str]) -> None:
    """Turn a folder into a bag: its files move into ``data/``; SHA-256 manifests stand beside."""
    bagit.make_bag(str(folder), dict(info), checksums=["sha256"])
