"""The LibreOffice pool under crashes, hangs and hostile documents."""

from __future__ import annotations

import datetime as dt
import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest
from docx import Document
from docx.oxml.ns import qn
from PIL import Image

from casefile.context import CHINA_TIME
from casefile.errors import BadInput, MissingTool
from casefile.formats.pdf import pdf_text
from casefile.formats.pdf.pdf_canonical import canonicalise
from casefile.tools import office as module
from casefile.tools.office import Office

MOMENT = dt.datetime(2026, 3, 5, tzinfo=CHINA_TIME)
FAMILIES = ("仿宋", "方正小标宋简体", "楷体", "黑体", "宋体")


@pytest.fixture(scope="module")
def pool() -> Iterator[Office]:
    made = Office(workers=2)
    yield made
    made.close()


def letter(path: Path, text: str, paragraphs: int = 1) -> Path:
    document = Document()
    for number in range(paragraphs):
        run = document.add_paragraph().add_run(f"{text}{number} ABC 123 ")
        run.font.name = "Times New Roman"
        run._element.rPr.rFonts.set(qn("w:eastAsia"), FAMILIES[number % len(FAMILIES)])
    document.save(str(path))
    return path


def digest(pdf: Path) -> str:
    return hashlib.sha256(canonicalise(pdf, MOMENT).data).hexdigest()


def test_same_bytes_from_any_worker_in_any_order(pool: Office, tmp_path: Path) -> None:
    docs = [letter(tmp_path / f"{n}.docx", word, 5 + n) for n, word in enumerate(("立案", "告知", "决定"))]
    jobs = [(doc, tmp_path / f"{doc.stem}-{turn}.pdf") for turn in range(4) for doc in docs]
    pages = pool.render_many(jobs + [(doc, tmp_path / f"{doc.stem}-z.pdf") for doc in reversed(docs)])
    assert all(pages)
    for doc in docs:
        assert len({digest(pdf) for pdf in tmp_path.glob(f"{doc.stem}-*.pdf")}) == 1


def test_killed_in_mid_conversion_the_document_still_comes(pool: Office, tmp_path: Path) -> None:
    big = letter(tmp_path / "big.docx", "当事人未经批准占用土地的事实如下所述。" * 20, 600)
    pool.render(letter(tmp_path / "warm.docx", "热"), tmp_path / "warm.pdf")
    before = set(pool.pids)
    target = tmp_path / "big.pdf"

    def kill() -> None:
        time.sleep(0.4)
        for pid in pool.pids:
            os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    pages = pool.render(big, target)
    killer.join()
    assert pages > 100
    assert len(pdf_text.texts(target)) == pages
    assert not list(tmp_path.glob("*.part"))
    assert pool.render(letter(tmp_path / "next.docx", "后"), tmp_path / "next.pdf") == 1
    assert all(not Path(f"/proc/{pid}").exists() for pid in before - set(pool.pids)), "no zombies"


def test_a_hung_worker_is_replaced(pool: Office, tmp_path: Path) -> None:
    source = letter(tmp_path / "a.docx", "停")
    pool.render_many([(source, tmp_path / f"w{n}.pdf") for n in range(4)])
    for pid in pool.pids:
        os.kill(pid, signal.SIGSTOP)
    assert pool.render(source, tmp_path / "a.pdf", seconds=5) == 1


def test_what_takes_too_long_even_cold_is_given_up(pool: Office, tmp_path: Path) -> None:
    big = letter(tmp_path / "big.docx", "字" * 400, 900)
    with pytest.raises(BadInput) as caught:
        pool.render(big, tmp_path / "big.pdf", seconds=0)
    assert caught.value.code == "OFFICE-TIMEOUT"
    assert not (tmp_path / "big.pdf").exists()


def test_broken_documents_are_named_and_the_rest_rendered(pool: Office, tmp_path: Path) -> None:
    good = letter(tmp_path / "good.docx", "好")
    cut = tmp_path / "cut.docx"
    cut.write_bytes(good.read_bytes()[:15000])
    text = tmp_path / "text.docx"
    text.write_text("no zip")
    broken = tmp_path / "broken.docx"
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(broken, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data[:700] if name == "word/document.xml" else data)
    names = (cut, good, text, broken, tmp_path / "none.docx")
    with pytest.raises(BadInput) as caught:
        pool.render_many([(path, path.with_suffix(".pdf")) for path in names])
    assert {f.subject for f in caught.value.findings} == {p.name for p in names if p != good}
    assert [p.name for p in tmp_path.glob("*.pdf")] == ["good.pdf"]


def test_linked_pictures_are_never_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_OPTIONS = do_PROPFIND = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    secret = tmp_path / "secret.png"
    Image.new("RGB", (40, 40), (255, 0, 0)).save(secret)
    inner = tmp_path / "inner.docx"
    document = Document()
    document.add_paragraph("前")
    document.add_picture(str(secret))
    document.save(str(inner))
    sources = []
    for name, url in (("web", f"http://127.0.0.1:{server.server_port}/x.png"), ("disk", secret.as_uri())):
        source = tmp_path / f"{name}.docx"
        with zipfile.ZipFile(inner) as old, zipfile.ZipFile(source, "w") as new:
            for member in old.namelist():
                data = old.read(member).replace(b"r:embed=", b"r:link=")
                linked = f'Target="{url}" TargetMode="External"'.encode()
                new.writestr(member, data.replace(b'Target="media/image1.png"', linked))
        sources.append(source)

    # The settings alone must do it: the worker keeps its network here.
    worker = tmp_path / "worker.py"
    text = Path(module.__file__).with_name("office_worker.py").read_text(encoding="utf-8")
    worker.write_text(text.replace("    leave_the_network()\n", ""), encoding="utf-8")
    assert "    leave_the_network()\n" in text
    monkeypatch.setattr(module, "_WORKER", worker)
    pool = Office(workers=1)
    try:
        for source in sources:
            pool.render(source, source.with_suffix(".pdf"))
    finally:
        pool.close()
        server.shutdown()
    assert asked == []
    with pikepdf.open(tmp_path / "disk.pdf") as pdf:
        assert not pdf.pages[0].get_images(), "a file of this disk must not be drawn into the page"


def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    source = letter(tmp_path / "a.docx", "亡")
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom casefile.tools.office import Office\n"
        "pool = Office(workers=1)\n"
        f"pool.render(Path({str(source)!r}), Path({str(tmp_path / 'a.pdf')!r}))\n"
        "print(pool.pids[0], pool._folder, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        timeout=60,
        check=False,
    )
    state = Path(f"/proc/{run.stdout.split()[0]}/stat")

    def gone() -> bool:
        try:
            # The kernel takes the memory of a killed process away a moment before its entry.
            return state.read_text().rpartition(")")[2].split()[0] in "ZX"
        except (FileNotFoundError, ProcessLookupError):
            return True

    deadline = time.monotonic() + 30
    while not gone() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert gone(), "only a zombie of init's may be left"


def test_recycled_after_its_share(tmp_path: Path) -> None:
    pool = Office(workers=1, recycle=2)
    try:
        source = letter(tmp_path / "a.docx", "换")
        seen = set()
        for n in range(5):
            pool.render(source, tmp_path / f"{n}.pdf")
            seen.update(pool.pids)
        assert len({digest(tmp_path / f"{n}.pdf") for n in range(5)}) == 1
        folder = pool._folder
    finally:
        pool.close()
    assert not folder.exists()
    assert pool.pids == ()


def test_without_libreoffice_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PROGRAM_FOLDERS", ())
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    pool = Office(workers=1)
    try:
        with pytest.raises(MissingTool) as caught:
            pool.render(letter(tmp_path / "a.docx", "无"), tmp_path / "a.pdf")
        assert caught.value.params["package"] == "libreoffice-writer-nogui"
    finally:
        pool.close()
