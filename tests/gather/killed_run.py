"""Gathers and binds one case in a process of its own, which may kill itself at its n-th touch of the disk.

    python killed_run.py WORKSPACE CASE_NO [N]

Prints how often it touched the workspace, and then the digest of every part and volume.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from casefile import bind, gather
from casefile.context import CHINA_TIME, Context
from casefile.model.case import Case

_TOUCHES = (
    "open",
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "shutil.rmtree",
    "os.truncate",
)


def main(root: Path, case_no: str, kill_at: int) -> None:
    """Run once."""
    touched = _count(root, kill_at)
    clock = dt.datetime(2026, 11, 20, 9, 0, tzinfo=CHINA_TIME)
    with Context.open(root, now=lambda: clock) as context:
        folder = context.workspace.case(case_no).root
        case = Case(case_no, ("general_penalty",), "示范案", "示范公司", folder, {}, (), "0" * 64)
        with context.locked(case_no):
            parts = gather.gather(case, context).parts
            dossier = bind.bind(case, parts, context)
    made = {part.id: part.sha256 for part in parts}
    made |= {part.id + " on disk": _sha256(part.pdf) for part in parts}
    made |= {volume.pdf.name: _sha256(volume.pdf) for volume in dossier.volumes}
    print(json.dumps({"touched": touched[0], "made": made}))


def _count(root: Path, kill_at: int) -> list[int]:
    touched, inside = [0], str(root)

    def seen(event: str, args: tuple[Any, ...]) -> None:
        if (
            event in _TOUCHES
            and args
            and isinstance(args[0], str | os.PathLike)
            and os.fspath(args[0]).startswith(inside)
        ):
            touched[0] += 1
            if touched[0] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(seen)
    return touched


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0)
