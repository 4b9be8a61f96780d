"""An archived package on its way out: a transfer bag (移交包) or a ZIP."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from casefile.context import Context, write_whole
from casefile.errors import BadInput, Conflict
from casefile.formats.containers import bag, ocfl
from casefile.package.archive import stored


def export(case_no: str, context: Context, target: Path, *, zipped: bool) -> Path:
    """Write the latest version of a case's object to ``target``, whole or not at all.

    Raises:
        BadInput: PACKAGE-NOT-ARCHIVED.
        Conflict: EXPORT-EXISTS, when there is something at the target; EXPORT-DAMAGED.
    """
    kept = stored(case_no, context)
    if kept is None:
        raise BadInput("PACKAGE-NOT-ARCHIVED", subject=case_no)
    if target.exists():
        raise Conflict("EXPORT-EXISTS", subject=str(target))
    beside = target.with_name(f".{target.name}.part")
    try:
        if zipped:
            _zip(kept.folder, beside)
        else:
            _lay_out(kept.folder, beside)
            bag.make(
                beside,
                {
                    "Source-Organization": context.config.bureau.name,
                    "External-Identifier": kept.object_id,
                    "Internal-Sender-Identifier": case_no,
                    "Bagging-Date": context.now().date().isoformat(),
                },
            )
        beside.rename(target)
    finally:
        if beside.is_dir():
            shutil.rmtree(beside, ignore_errors=True)
        else:
            beside.unlink(missing_ok=True)
    return target


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the newest version, as the inventory says it is: a bag must not bless damage.

    Raises:
        Conflict: EXPORT-DAMAGED, naming the file.
    """
    inventory = ocfl.read_inventory(folder)
    for path, at in sorted(inventory.state.items()):
        try:
            data = (folder / at).read_bytes()
        except OSError:
            data = b""
        if sha256(data).hexdigest() != inventory.manifest[at]:
            raise Conflict("EXPORT-DAMAGED", subject=path)
        yield path, data


def _lay_out(folder: Path, target: Path) -> None:
    for path, data in _files(folder):
        write_whole(target / path, data)


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in _files(folder):
            archive.writestr(path, data)
