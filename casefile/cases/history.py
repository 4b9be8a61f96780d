"""Former states of a case's data (历史): what is written over is kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

from casefile.context import CaseFolder, Context, write_whole

_FOLDER = "history"


def keep(folder: CaseFolder, name: str, data: bytes, context: Context) -> Path:
    """Put a former file aside, under the time and the beginning of its digest."""
    stem, _, suffix = name.rpartition(".")
    moment = context.now().strftime("%Y%m%dT%H%M%S")
    digest = hashlib.sha256(data).hexdigest()
    path = folder.work / _FOLDER / f"{stem}-{moment}-{digest[:8]}.{suffix}"
    if not path.exists():
        write_whole(path, data)
    return path
