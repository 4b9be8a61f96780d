"""A process beside the one that binds: lays out the parts that are named to it on its standard input.

It stands among the formats, since a process that imports the whole of binding starts far more slowly.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path

from casefile.errors import BadInput
from casefile.formats.pdf import pdf_slab


def main() -> None:
    """Read ``[[part, digest, slab], ...]`` as JSON; a part that can't be laid out is named by who asked."""
    for source, digest, target in json.load(sys.stdin):
        with suppress(BadInput, OSError):
            pdf_slab.keep(Path(source), digest, Path(target))


if __name__ == "__main__":
    main()
