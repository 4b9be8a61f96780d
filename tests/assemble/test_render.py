"""Renderings are kept and given out again, and never one that is damaged, strange or of other fonts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from docx import Document

from casefile.assemble.render import Cache, Job, Rendered, render
from casefile.context import CHINA_TIME, Context
from casefile.errors import BadInput
from casefile.formats.pdf.pdf_canonical import Canonical
from casefile.tools import verapdf
from casefile.tools.fonts import Fonts
from casefile.tools.office import Office

MOMENT = dt.datetime(2026, 3, 5, tzinfo=CHINA_TIME)


def job(folder: Path, name: str, moment: dt.datetime = MOMENT) -> Job:
    source = folder / f"{name}.docx"
    if not source.exists():
        document = Document()
        document.add_paragraph(f"关于{name}的决定 ABC 123")
        document.save(str(source))
    return Job(source, folder / f"{name}.pdf", moment)


def entries(context: Context) -> list[Path]:
    return sorted((context.workspace.root / ".cache" / "render").glob("??/*"))


class Broken:
    """A pool that must not be asked."""

    def render_many(self, *_: Any, **__: Any) -> None:
        raise AssertionError("rendered although it is in the cache")


def test_the_second_time_nothing_is_rendered(context: Context, tmp_path: Path) -> None:
    jobs = [job(tmp_path, "甲"), job(tmp_path, "乙")]
    first = render(jobs, context)
    assert [r.verdict.compliant for r in first] == [True, True]
    context.lend("office", Broken())
    seen: list[int] = []
    for one in jobs:
        one.pdf.unlink()
    second = render(jobs, context, lambda place, _: seen.append(place))
    assert [r.canonical for r in second] == [r.canonical for r in first]
    assert [one.pdf.read_bytes() for one in jobs] == [r.canonical.data for r in first]
    assert all(r.cached for r in second)
    assert seen == [0, 1]


def test_another_moment_and_other_fonts_are_another_rendering(
    context: Context, office: Office, tmp_path: Path
) -> None:
    (first,) = render([job(tmp_path, "甲")], context)
    (later,) = render([job(tmp_path, "甲", MOMENT + dt.timedelta(days=1))], context)
    assert not later.cached
    assert later.canonical.data != first.canonical.data
    context.lend("fonts", Fonts(twins=False))
    (other,) = render([job(tmp_path, "甲")], context)
    assert not other.cached


@pytest.mark.parametrize("harm", ["flipped", "cut", "empty", "swapped"])
def test_a_damaged_entry_is_made_anew(context: Context, tmp_path: Path, harm: str) -> None:
    (good,) = render([job(tmp_path, "甲")], context)
    (path,) = entries(context)
    data = path.read_bytes()
    if harm == "flipped":
        path.write_bytes(data[:-900] + bytes([data[-900] ^ 1]) + data[-899:])
    elif harm == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif harm == "empty":
        path.write_bytes(b"")
    else:
        render([job(tmp_path, "乙")], context)
        (other,) = set(entries(context)) - {path}
        path.write_bytes(other.read_bytes())
    (again,) = render([job(tmp_path, "甲")], context)
    assert not again.cached
    assert again.canonical.data == good.canonical.data
    assert path.read_bytes() == data


def test_what_fails_is_named_and_the_rest_kept(context: Context, tmp_path: Path) -> None:
    good, bad = job(tmp_path, "甲"), job(tmp_path, "乙")
    bad.source.write_bytes(b"no package")
    with pytest.raises(BadInput) as caught:
        render([bad, good], context)
    assert [f.subject for f in caught.value.findings] == ["乙.docx"]
    (kept,) = render([good], context)
    assert kept.cached


def test_nobody_else_can_read_it(context: Context, tmp_path: Path) -> None:
    render([job(tmp_path, "甲")], context)
    (path,) = entries(context)
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.parent.stat().st_mode & 0o077 == 0


def test_the_oldest_go_when_it_is_full(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "render", largest=10_000)
    passed = verapdf.Verdict(True)
    names = [f"{n:064x}" for n in range(5)]
    for name in names:
        cache.put(name, Rendered(Canonical(b"x" * 3000, 1, frozenset(), frozenset()), passed, cached=False))
    assert cache.get(names[0]) is not None, "used again, so no longer the oldest"
    cache.trim()
    assert [name for name in names if cache.get(name)] == [names[0], names[4]]


def test_what_did_not_pass_is_not_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "render")
    page = Canonical(b"x", 1, frozenset(), frozenset())
    for verdict in (verapdf.Verdict(False, ("6.1-1 no",)), verapdf.Verdict(None, reason="TOOL-VERAPDF")):
        cache.put("ab" * 32, Rendered(page, verdict, cached=False))
    assert cache.get("ab" * 32) is None
