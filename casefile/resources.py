"""Where data travels: the only place that knows.

In a checkout ``templates/`` and ``archive_schema/`` stand beside the package; in an installed wheel they
stand in ``casefile/_data/``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from casefile.errors import MissingTool

Kind = Literal["templates", "archive_schema"]

_PACKAGE = Path(__file__).parent


def root(kind: Kind) -> Path:
    """Folder of one kind of data.

    Raises:
        MissingTool: when the installation is incomplete.
    """
    for folder in (_PACKAGE / "_data" / kind, _PACKAGE.parent / kind):
        if folder.is_dir():
            return folder
    raise MissingTool("TOOL-DATA", subject=kind)


def font_folders() -> tuple[Path, ...]:
    """Folders that ``make`` and Debian fill with fonts, best first."""
    return (
        Path(sys.prefix) / "share" / "casefile" / "fonts",
        Path("/usr/share/texlive/texmf-dist/fonts/opentype/public/fandol"),
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
    )
