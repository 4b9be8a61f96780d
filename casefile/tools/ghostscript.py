"""Ghostscript, an outside program that rewrites a PDF as PDF/A.

Optional: without it more pages become pictures.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from casefile.errors import BadInput, MissingTool

_PREFIX = """\
%!
[/_objdef {{icc_PDFA}} /type /stream /OBJ pdfmark
[{{icc_PDFA}} << /N 3 >> /PUT pdfmark
[{{icc_PDFA}} ({profile}) (r) file /PUT pdfmark
[/_objdef {{OutputIntent_PDFA}} /type /dict /OBJ pdfmark
[{{OutputIntent_PDFA}} << /Type /OutputIntent /S /GTS_PDFA1 /DestOutputProfile {{icc_PDFA}}
  /OutputConditionIdentifier (sRGB) >> /PUT pdfmark
[{{Catalog}} << /OutputIntents [ {{OutputIntent_PDFA}} ] >> /PUT pdfmark
"""


@cache
def version() -> str:
    """Version of the program; empty when it is not installed."""
    program = shutil.which("gs")
    if program is None:
        return ""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=20)
    return answer.stdout.strip()


def rewrite(source: Path, target: Path, *, seconds: int) -> None:
    """Write ``source`` again as PDF/A-3. Success says nothing yet about what the pages look like.

    Raises:
        MissingTool: TOOL-GHOSTSCRIPT.
        BadInput: GHOSTSCRIPT-FAILED, also when it took more than ``seconds``.
    """
    program = shutil.which("gs")
    if program is None:
        raise MissingTool("TOOL-GHOSTSCRIPT", subject="Ghostscript")
    profile = _profile()
    with tempfile.TemporaryDirectory(prefix="casefile-gs-") as folder:
        prefix = Path(folder) / "prefix.ps"
        prefix.write_text(_PREFIX.format(profile=profile), encoding="utf-8")
        command = [
            program,
            "-q",
            "-dSAFER",
            "-dPDFA=3",
            "-dBATCH",
            "-dNOPAUSE",
            "-dPDFACompatibilityPolicy=1",
            "-sColorConversionStrategy=RGB",
            "-sDEVICE=pdfwrite",
            f"--permit-file-read={profile}",
            "-dAutoRotatePages=/None",
            "-dAutoFilterColorImages=true",
            "-dPassThroughJPEGImages=true",
            "-dColorImageDownsampleThreshold=10",
            f"-sOutputFile={_literal(target)}",
        ]
        # SOURCE_DATE_EPOCH fixes the dates and the file identifier that it writes.
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "0", "TMPDIR": folder, "GS_OPTIONS": ""}
        try:
            done = subprocess.run(
                [*command, str(prefix), str(source)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
                cwd=folder,
                env=environment,
            )
        except (subprocess.TimeoutExpired, OSError) as error:
            raise BadInput("GHOSTSCRIPT-FAILED", subject=source.name, reason=type(error).__name__) from None
    if done.returncode != 0 or not target.is_file():
        raise BadInput("GHOSTSCRIPT-FAILED", subject=source.name, reason=done.returncode)


def _literal(path: Path) -> str:
    # A per cent sign in the name of the output stands for the page number.
    return str(path).replace("%", "%%")


def _profile() -> Path:
    # The sRGB profile that pikepdf ships: one profile for every route.
    spec = find_spec("pikepdf")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "pdfa" / "data" / "sRGB.icc"
