"""Templates, compiled once in a run and again when their file changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Lock

from casefile import catalogue
from casefile.context import Context
from casefile.formats.office import docx
from casefile.model.catalogue import Catalogue


class Templates:
    """Compiled templates by file."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[tuple[Path, int, int], docx.Template] = {}

    def get(self, path: Path) -> docx.Template:
        """The compiled template at ``path``.

        Raises:
            BadInput: as :func:`casefile.formats.office.docx.load`.
            Refused: as :func:`casefile.formats.office.docx.load`.
        """
        state = path.stat() if path.exists() else None
        key = (path, state.st_mtime_ns if state else 0, state.st_size if state else 0)
        with self._lock:
            if key not in self._known:
                self._known[key] = docx.load(path)
            return self._known[key]


def catalogue_of(context: Context) -> Catalogue:
    """The catalogue of documents, with the bureau's own templates in the place of those that ship."""
    return context.keep("catalogue", lambda: with_own(catalogue.load(), context.workspace.templates))


def with_own(known: Catalogue, folder: Path) -> Catalogue:
    """The catalogue with each template that lies in ``folder`` as ``<type>.docx``."""
    own = {path.stem: path for path in folder.glob("*.docx") if path.stem in known.templates}
    return replace(known, templates={**known.templates, **own}) if own else known


def templates_of(context: Context) -> Templates:
    """The compiled templates of this run."""
    return context.keep("templates", Templates)
