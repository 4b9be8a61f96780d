"""Files made to choke, stall or mislead their reader cost at most their own part, within time and memory."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attack_files as attack  # type: ignore[import-not-found]
import pikepdf
import pytest
from gather_files import write_drawing  # type: ignore[import-not-found]

from casefile.config import Limits
from casefile.formats.pdf import pdf_bounds, pdf_text
from casefile.gather import received
from casefile.gather.routes import received_signatures
from casefile.gather.workers import Lost, Workers
from casefile.model.terms import Route

Make = Callable[[], bytes]

BOMBS: Mapping[str, Make] = {
    "flate.pdf": attack.flate,
    "flate_twice.pdf": attack.flate_twice,
    "hex_of_flate.pdf": attack.hex_of_flate,
    "run_length.pdf": attack.run_length,
    "lzw_of_flate.pdf": attack.lzw_of_flate,
    "many_filters.pdf": attack.many_filters,
    "absurd_picture.pdf": attack.absurd_picture,
    "absurd_picture_in_reals.pdf": attack.absurd_picture_in_reals,
    "absurd_mask.pdf": attack.absurd_mask,
    "png_bomb.png": attack.png_bomb,
    "jpeg_bomb.jpg": attack.jpeg_bomb,
    "gif_bomb.gif": attack.gif_bomb,
    "tiff_bomb.tif": attack.tiff_bomb,
}

TREES: Mapping[str, tuple[Make, int | str]] = {
    "own_parent.pdf": (attack.own_parent, 1),
    "count_lies.pdf": (attack.count_lies, 1),
    "negative_count.pdf": (attack.negative_count, 1),
    "same_kid.pdf": (attack.same_kid, 3),
    "form_of_itself.pdf": (attack.form_of_itself, 1),
    "glyph_of_itself.pdf": (attack.glyph_of_itself, 1),
    "absurd_inline_picture.pdf": (attack.absurd_inline_picture, 1),
    "absurd_jpx.pdf": (attack.absurd_jpx, 1),
    "absurd_jbig2.pdf": (attack.absurd_jbig2, 1),
    "circular_outline.pdf": (attack.circular_outline, 1),
    "nested_arrays.pdf": (attack.nested_arrays, 1),
    "laughing_metadata.pdf": (attack.laughing_metadata, 1),
    "tree_of_two.pdf": (attack.tree_of_two, "EVIDENCE-NOT-CONVERTED"),
    "no_kids.pdf": (attack.no_kids, "EVIDENCE-NOT-CONVERTED"),
    "zero_pages.pdf": (attack.zero_pages, "EVIDENCE-NO-PAGES"),
    "null_kids.pdf": (attack.null_kids, "EVIDENCE-DAMAGED"),
}
"""How many pages become of it, or why none do."""


def fill(inbox: Path, files: Mapping[str, Make]) -> dict[str, str]:
    for name, make in files.items():
        (inbox / name).write_bytes(make())
    write_drawing(inbox / "good.pdf")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in inbox.iterdir()}


def unharmed(inbox: Path, gathered: Any, before: Mapping[str, str]) -> None:
    assert {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in inbox.iterdir()} == before
    assert sorted(e.path for e in gathered.evidence) == sorted(before)
    good = next(p for p, e in zip(gathered.parts, gathered.evidence, strict=True) if e.path == "good.pdf")
    assert good.route is Route.REPAIRED


def codes(gathered: Any, name: str) -> set[str]:
    return {f.code for f in gathered.findings if f.subject == f"inbox/{name}"}


def test_bombs_are_told_at_the_door(inbox, gather):
    before = fill(inbox, BOMBS)
    spent = time.monotonic()
    gathered = gather()
    assert time.monotonic() - spent < 120
    told = {name: codes(gathered, name) for name in BOMBS}
    assert {name for name, found in told.items() if "EVIDENCE-BOMB" not in found} == set(), told
    unharmed(inbox, gathered, before)


def test_loops_and_lies_in_the_tree_of_pages(inbox, gather):
    before = fill(inbox, {name: make for name, (make, _) in TREES.items()})
    gathered = gather()
    unharmed(inbox, gathered, before)
    found: dict[str, Any] = {}
    for part, evidence in zip(gathered.parts, gathered.evidence, strict=True):
        expected = TREES.get(evidence.path, (None, None))[1]
        if isinstance(expected, int):
            found[evidence.path] = (
                part.pages if part.route is not Route.PLACEHOLDER else codes(gathered, evidence.path)
            )
            with pdf_text.opened(part.pdf) as reader:
                assert len(reader) == part.pages
        elif expected is not None:
            found[evidence.path] = (
                expected if expected in codes(gathered, evidence.path) else codes(gathered, evidence.path)
            )
    assert found == {name: expected for name, (_, expected) in TREES.items()}


def test_what_was_hidden_stays_hidden_and_is_said(inbox, gather):
    (inbox / "hidden.pdf").write_bytes(attack.hidden_annotation())
    gathered = gather()
    assert "PART-HIDDEN-MARKS" in codes(gathered, "hidden.pdf")
    with pdf_text.opened(gathered.parts[0].pdf) as made, pdf_text.opened(inbox / "hidden.pdf") as source:
        seen = made.picture(0, dpi=36, longest=400)
        assert seen.getpixel((10, 50)) == (255, 255, 255)
        assert seen.tobytes() == source.picture(0, dpi=36, longest=400).tobytes()


def test_counting_what_lzw_unpacks_to(tmp_path):
    # 255 codes of 9 bits that are all new: each is one byte longer than the one before.
    codes_of_one = [256, 0, *range(258, 258 + 200), 257]
    bits = "".join(f"{code:09b}" for code in codes_of_one)
    data = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    with pikepdf.new() as pdf:
        stream = pdf.make_stream(data)
        stream.Filter = pikepdf.Name.LZWDecode
        assert pdf_bounds._codes(data, 10**9) == len(stream.read_bytes()) == sum(range(1, 202))


def test_a_large_honest_file_costs_the_check_little(tmp_path):
    noise = os.urandom(30_000_000)
    (tmp_path / "a.pdf").write_bytes(
        attack._picture(b"/Width 5000/Height 2000/BitsPerComponent 8/ColorSpace/DeviceRGB", noise)
    )
    spent = time.process_time()
    pdf_bounds.check(tmp_path / "a.pdf", 250_000_000)
    assert time.process_time() - spent < 1.5


# The worker.


@pytest.fixture
def one_worker(context):
    """A pool of one, with little time and memory, for the stage to use."""
    workers = Workers(Limits(seconds_per_part=15, memory_per_part=3_000_000_000), 1)
    context.lend("gather.workers", workers)
    yield workers
    workers.close()


def test_workers_that_die_or_stop_and_content_without_end(inbox, gather, one_worker):
    files = {
        f"{name}.pdf": attack.page(content=b"0 0 1 rg 20 20 50 50 re f %" + name.encode()) for name in "abcd"
    }
    before = fill(inbox, {name: lambda data=data: data for name, data in files.items()})
    (inbox / "endless.pdf").write_bytes(attack.pattern_of_itself())
    before |= {"endless.pdf": hashlib.sha256((inbox / "endless.pdf").read_bytes()).hexdigest()}
    strikes, done = [signal.SIGKILL, signal.SIGSTOP], threading.Event()
    struck: list[int] = []

    def strike() -> None:
        while strikes and not done.is_set():
            process = one_worker._all[0]._process
            if (
                process is not None
                and process.pid not in struck
                and one_worker._idle.empty()
                and one_worker._all[0]._answered
            ):
                struck.append(process.pid)
                os.kill(process.pid, strikes.pop(0))
            time.sleep(0.002)

    thread = threading.Thread(target=strike)
    thread.start()
    try:
        gathered = gather()
    finally:
        done.set()
        thread.join()
    assert len(struck) == 2
    lost = {
        e.path for e, p in zip(gathered.evidence, gathered.parts, strict=True) if p.route is Route.PLACEHOLDER
    }
    # Who dies is asked once more with a new worker; who hangs may hang for the sake of the file.
    assert "endless.pdf" in lost and len(lost) <= 2
    for name in lost:
        assert codes(gathered, name) & {"EVIDENCE-TOOK-TOO-LONG", "EVIDENCE-KILLED-READER"}
    assert {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in inbox.iterdir()} == before
    assert len(gathered.parts) == len(before)


def test_garbage_instead_of_an_answer(tmp_path, monkeypatch):
    # A reader that was taken over may write anything.
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho '{}'\nread line\nhead -c 200000 /dev/urandom\necho\nsleep 100\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    workers = Workers(Limits(seconds_per_part=5), 1)
    try:
        with pytest.raises(Lost) as lost:
            workers.ask({"op": "look"})
        assert lost.value.reason == "crash"
    finally:
        workers.close()


def test_the_bounds_reach_what_the_worker_starts_and_it_dies_with_it(tmp_path, monkeypatch):
    # In the place of Ghostscript stands a program that writes its bounds down and then sleeps.
    told = tmp_path / "told"
    program = tmp_path / "bin" / "gs"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo 10.0 && exit\nulimit -v > {told}\nulimit -f >> {told}\n'
        f"ulimit -t >> {told}\necho $$ >> {told}\nsleep 100\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    limits = Limits(seconds_per_part=5)
    workers = Workers(limits, 1)
    source = tmp_path / "a.pdf"
    source.write_bytes(attack.nested_page())
    request = {
        "op": "make", "format": "application/pdf", "path": str(source), "name": "a.pdf",
        "state": list(received.state(source)), "target": str(tmp_path / "made.pdf"),
    }  # fmt: skip
    workers.ask({**request, "op": "look"}, seconds=60)
    asked = threading.Thread(target=lambda: workers.ask(request, seconds=60))
    asked.start()
    try:
        until = time.monotonic() + 50
        while not (told.exists() and told.read_text().count("\n") == 4):
            assert time.monotonic() < until
            time.sleep(0.05)
        memory, size, seconds, child = told.read_text().split()
        assert int(memory) == limits.memory_per_part // 1024
        assert int(size) == limits.unpacked_bytes // 512
        assert int(seconds) < 60 * 2 + 60
        workers.close()
        asked.join()
        assert not Path(f"/proc/{child}").exists() or _dead(child)
    finally:
        workers.close()
        asked.join()


def _dead(pid: str) -> bool:
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state in "ZX"


# Signatures.


def signed(fields: int, contents: bytes, byte_range: bytes = b"[0 10 20 30]") -> bytes:
    """A page with so many fields, each of which is signed with the same odd thing."""
    kids = b" ".join(b"%d 0 R" % n for n in range(20, 20 + fields))
    more = {
        1: b"<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[%s]>>>>" % kids,
        10: b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached/ByteRange%s/Contents<%s>>>"
        % (byte_range, contents.hex().encode()),
    }
    for n in range(20, 20 + fields):
        more[n] = b"<</FT/Sig/T(s%d)/V 10 0 R/Type/Annot/Subtype/Widget/Rect[0 0 0 0]/P 3 0 R>>" % n
    return attack.page(more)


HOSTILE_SIGNATURES = {
    "nothing": (1, b"\0" * 100, b"[0 10 20 30]"),
    "range-behind-the-end": (1, b"\x30\x03\x02\x01\x01", b"[0 99999999999 999999999999 99999999]"),
    "range-negative": (1, b"\x30\x03\x02\x01\x01", b"[-5 -10 20 -30]"),
    "deep": (1, b"\x30\x80" * 20_000, b"[0 10 20 30]"),
    "huge": (1, b"\x30\x83\x0f\xff\xf0" + bytes(1_000_000), b"[0 10 20 30]"),
}


@pytest.mark.parametrize("name", HOSTILE_SIGNATURES)
def test_a_hostile_signature_is_unclear_and_never_intact(tmp_path, name):
    source = tmp_path / "signed.pdf"
    source.write_bytes(signed(*HOSTILE_SIGNATURES[name]))
    spent = time.process_time()
    code, facts = received_signatures.judged(source)
    assert time.process_time() - spent < 8
    assert code in ("PART-SIGNATURE-UNCLEAR", "PART-SIGNATURE-CHANGED")
    assert facts


def test_ten_thousand_signatures_are_given_up_in_time(tmp_path, inbox, gather, monkeypatch):
    (tmp_path / "signed.pdf").write_bytes(signed(10_000, b"\x30\x80" + bytes(1000)))
    monkeypatch.setattr(received_signatures, "_MOST_SECONDS", 0.5)
    spent = time.process_time()
    code, _ = received_signatures.judged(tmp_path / "signed.pdf")
    assert time.process_time() - spent < 3
    assert code == "PART-SIGNATURE-UNCLEAR"


# Sizes.


def test_files_of_holes_and_files_over_the_limit(inbox, gather, monkeypatch, context):
    attack.sparse(inbox / "over.pdf", 2_100_000_000, b"%PDF-1.7\n")
    attack.sparse(inbox / "over.jpg", 2_100_000_000, b"\xff\xd8\xff\xe0")
    spent = time.process_time()
    gathered = gather()
    assert time.process_time() - spent < 5
    assert codes(gathered, "over.pdf") == codes(gathered, "over.jpg") == {"EVIDENCE-TOO-BIG"}
    assert (inbox / "over.pdf").stat().st_size == 2_100_000_000
