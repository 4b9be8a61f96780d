"""A process beside the one that binds: lays out the parts that are named to it on its standard input."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path

from casefile.bind.prepared import make
from casefile.errors import BadInput


def main() -> None:
    """Read ``[[part, digest, slab], ...]`` as JSON; a part that can't be laid out is named by who asked."""
    for source, digest, target in json.load(sys.stdin):
        with suppress(BadInput, OSError):
            make(Path(source), digest, Path(target))


if __name__ == "__main__":
    main()
