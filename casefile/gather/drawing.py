"""An office document on its way into pages: made ready in a worker, drawn by LibreOffice.

What LibreOffice drew is judged in a worker again (:mod:`casefile.gather.routes.office`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from casefile.errors import BadInput
from casefile.tools.office import Office, flat_suffix

Ask = Callable[[dict[str, Any]], dict[str, Any] | None]
"""Asks a worker; None when there is no going on."""


def draw(
    request: Mapping[str, Any], kind: str, stem: Path, ask: Ask, office: Office, seconds: int
) -> dict[str, str] | None:
    """What the worker needs besides to make the part: ``rendered`` and ``told``, files named after ``stem``.

    None when a worker couldn't make the document ready; ``ask`` has then noted why.

    Raises:
        BadInput: OFFICE-UNREADABLE, OFFICE-TIMEOUT, OFFICE-FAILED.
        MissingTool: TOOL-OFFICE, FONT-MISSING.
    """
    rendered, told = stem.with_suffix(".office.pdf"), stem.with_suffix(".told.json")
    wanted = {**request, "op": "ready", "format": kind, "stem": str(stem), "told": str(told)}
    left = [rendered]
    try:
        ready = ask(wanted)
        if ready is None:
            return None
        copy = Path(ready["copy"])
        left.append(copy)
        if not ready["ready"]:
            flat = stem.with_name(f"{stem.name}-read").with_suffix(flat_suffix(copy))
            left.append(flat)
            office.flatten(copy, flat, seconds=seconds)
            ready = ask({**wanted, "flat": str(flat)})
            if ready is None:
                return None
            copy = Path(ready["copy"])
            left.append(copy)
        _render(office, copy, rendered, seconds, warm=ready["warm"])
        left.remove(rendered)
    finally:
        for file in left:
            file.unlink(missing_ok=True)
    return {"rendered": str(rendered), "told": str(told)}


def _render(office: Office, copy: Path, rendered: Path, seconds: int, *, warm: bool) -> None:
    if warm:
        try:
            office.render(copy, rendered, seconds=seconds, tagged=False)
            return
        except BadInput as error:
            if error.code != "OFFICE-UNREADABLE":
                raise
    office.render(copy, rendered, seconds=seconds, tagged=False, warm=False)
