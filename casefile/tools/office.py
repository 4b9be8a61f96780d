"""Office documents to PDF/A: a pool of LibreOffice workers that outlives crashes, hangs and hostile files.

Each worker is a process of its own (:mod:`casefile.tools.office_worker`) with a fresh profile and a folder
for temporary files; all share one ``fonts.conf``. A worker that dies or hangs is killed and its document
tried once more in a cold ``soffice``. LibreOffice's word is never taken for success: the output must exist
and have pages.

Documents are hostile: the profile switches macros off and blocks whatever a document links to, on the network
and on this disk, and where the kernel allows it a worker has no network at all.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
import weakref
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import Queue
from threading import Lock

import pikepdf

from casefile.context import Context, write_whole
from casefile.errors import BadInput, CasefileError, MissingTool
from casefile.model.finding import Finding
from casefile.tools.fonts import Fonts, fonts_of

_PROGRAM_FOLDERS = (
    Path("/usr/lib/libreoffice/program"),
    Path("/usr/lib64/libreoffice/program"),
    Path("/opt/libreoffice/program"),
)
_WORKER = Path(__file__).with_name("office_worker.py")
_START_SECONDS = 60
_RESTART = 81  # soffice.bin asks to be started again, as it does once with a new profile
_COLD_STARTS = 3
_VERSION = re.compile(rb'"ooSetupVersionAboutBox"[^>]*>\s*<value>([^<]*)<')
_ZIPPED = {".docx", ".docm", ".xlsx", ".xlsm", ".pptx", ".odt", ".ods", ".odp"}

# Office.Common/Security: level 3 is "very high", and DisableMacrosExecution ends what trusted places would
# still allow. BlockUntrustedRefererLinks is what keeps linked pictures, from http: and file: alike, unread;
# "never update links" alone did not (LibreOffice 7.4.7).
_SETTINGS = (
    ("/org.openoffice.Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("/org.openoffice.Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "ExecutePlugins", "false"),
    ("/org.openoffice.Office.Common/Save/Document", "AutoSave", "false"),
    ("/org.openoffice.Office.Common/Misc", "FirstRun", "false"),
    ("/org.openoffice.Office.Writer/Content/Update", "Link", "0"),
    ("/org.openoffice.Office.Calc/Content/Update", "Link", "2"),
    ("/org.openoffice.Office.Linguistic/General", "DefaultLocale_CJK", "zh-CN"),
    ("/org.openoffice.Setup/L10N", "ooSetupSystemLocale", "zh-CN"),
    (
        "/org.openoffice.Office.Jobs/Jobs/org.openoffice.Office.Jobs:Job['UpdateCheck']/Arguments",
        "AutoCheckEnabled",
        "false",
    ),
    # Nobody types here: no spelling in red, no words kept for completion.
    ("/org.openoffice.Office.Linguistic/SpellChecking", "IsSpellAuto", "false"),
    ("/org.openoffice.Office.Writer/AutoFunction/Completion", "Enable", "false"),
    ("/org.openoffice.Office.Writer/AutoFunction/Completion", "CollectWords", "false"),
    # Nobody else opens the copy that a worker was given, so no lock file beside it.
    ("/org.openoffice.Office.Common/Misc", "UseLocking", "false"),
    ("/org.openoffice.Office.Common/Misc", "UseDocumentOOoLockFile", "false"),
    ("/org.openoffice.Office.Common/Misc", "UseDocumentSystemFileLocking", "false"),
)

# LibreOfficeKit draws a whole window for each document that it loads: the panels of its side bar and its menu
# take a quarter of the time. A panel that another version does not know is passed over.
_PANELS = (
    "StylesPropertyPanel",
    "TextPropertyPanel",
    "ParaPropertyPanel",
    "ListsPropertyPanel",
    "EmptyPanel",
)
_BARS = ("private:resource/statusbar/statusbar", "private:resource/menubar/menubar")
_WINDOWS = ("WriterWindowState", "CalcWindowState")
_MODULES = ("swriter", "scalc")
_NO_MENU = '<menu:menubar xmlns:menu="http://openoffice.org/2001/menu" menu:id="menubar"/>'


class _Died(Exception):
    """The worker is gone or of no more use: ``stage`` is ``crash``, ``hang``, ``start`` or ``save``."""

    def __init__(self, stage: str, reason: str = "") -> None:
        super().__init__(stage, reason)
        self.stage = stage
        self.reason = reason


class _Unreadable(Exception):
    """LibreOffice looked at the document and can't read it; the worker is well."""


class Office:
    """A pool of LibreOffice workers. Thread-safe; workers start when they are first needed.

    ``recycle`` is the number of documents after which a worker is replaced, since LibreOffice grows by about
    half a megabyte a document. ``memory`` limits the address space of one worker, in bytes.
    """

    def __init__(
        self,
        workers: int = 2,
        *,
        fonts: Fonts | None = None,
        fonts_conf: Path | None = None,
        recycle: int = 200,
        memory: int = 4_000_000_000,
    ) -> None:
        self._fonts = fonts or Fonts()
        self._conf = fonts_conf
        self._recycle = recycle
        self._memory = memory
        self._folder = Path(tempfile.mkdtemp(prefix="casefile-office-"))
        self._lock = Lock()
        # The kernel's "die with your parent" means the thread that started the child, so workers are started
        # by one thread that lives as long as the pool.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="office-starter")
        self._workers = [_Worker(self._folder / f"worker-{n}") for n in range(workers)]
        self._idle: Queue[_Worker] = Queue()
        self._numbers = itertools.count()
        for worker in self._workers:
            self._idle.put(worker)
        self._close = weakref.finalize(self, _close, tuple(self._workers), self._starter, self._folder)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that run."""
        return tuple(w.process.pid for w in self._workers if w.process is not None)

    def render(
        self, source: Path, pdf: Path, *, seconds: int = 120, pdfa: int = 3, tagged: bool = True,
        warm: bool = True,
    ) -> int:  # fmt: skip
        """Write ``source`` as PDF/A to ``pdf``; returns the number of pages.

        ``seconds`` limits one attempt. ``pdfa`` is the part of ISO 19005 (level b). Without ``warm`` the
        document goes to a cold ``soffice`` at once: the warm workers draw a window for each document, and of
        LibreOffice without graphics the windows of sheets, slides and comments are missing.

        Raises:
            BadInput: OFFICE-UNREADABLE, OFFICE-TIMEOUT or OFFICE-FAILED.
            MissingTool: TOOL-OFFICE or FONT-MISSING.
        """
        options = _filter_options(pdfa, tagged)
        with self._job(source) as (worker, copy, output):
            try:
                if not warm:
                    raise _Died("start")
                self._ready(worker)
                worker.convert(copy, output, options, seconds)
                worker.done += 1
            except _Unreadable as refusal:
                # The next document would often bring such a worker down.
                worker.stop()
                raise BadInput("OFFICE-UNREADABLE", subject=source.name, reason=refusal) from None
            except _Died:
                worker.stop()
                kind = f"pdf:{_export_filter(copy)}:{options}"
                self._convert_cold(worker, copy, output, kind, seconds, source.name)
            taken = self._folder / f"taken-{next(self._numbers)}.pdf"
            with suppress(FileNotFoundError):
                output.replace(taken)
        # The worker is free for the next document while this one is looked at and forced to the disk.
        try:
            pages = _pages(taken, source.name)
            write_whole(pdf, taken.read_bytes())
        finally:
            taken.unlink(missing_ok=True)
        return pages

    def flatten(self, source: Path, flat: Path, *, seconds: int = 120) -> None:
        """Write what LibreOffice reads of ``source`` as one XML (ODF 1.3), without drawing it.

        Raises:
            BadInput: OFFICE-UNREADABLE, OFFICE-TIMEOUT or OFFICE-FAILED.
            MissingTool: TOOL-OFFICE or FONT-MISSING.
        """
        with self._job(source) as (worker, copy, output):
            worker.stop()
            xml = output.with_suffix(flat_suffix(copy))
            self._convert_cold(worker, copy, xml, xml.suffix[1:], seconds, source.name)
            if not xml.is_file():
                raise BadInput("OFFICE-FAILED", subject=source.name)
            shutil.move(xml, flat)

    @contextmanager
    def _job(self, source: Path) -> Iterator[tuple[_Worker, Path, Path]]:
        if source.suffix.lower() in _ZIPPED and not zipfile.is_zipfile(source):
            # LibreOffice takes a text file of that name for a text and converts it without a word.
            raise BadInput("OFFICE-UNREADABLE", subject=source.name, reason="not a zip package")
        with self._one() as worker, worker.job(source) as (copy, output):
            try:
                yield worker, copy, output
            finally:
                if worker.done >= self._recycle:
                    worker.stop()

    def render_many(
        self,
        jobs: Sequence[tuple[Path, Path]],
        *,
        seconds: int = 120,
        pdfa: int = 3,
        tagged: bool = True,
        then: Callable[[int], None] | None = None,
    ) -> tuple[int, ...]:
        """Render every ``(source, pdf)`` with all workers at once; returns their page counts.

        ``then`` is called with the place of a job in ``jobs`` when its PDF is there, in a thread of its own
        turn, so that what follows overlaps with what is still rendered.

        All jobs are tried. When any fails, its error is raised at the end, with one finding for each.

        Raises:
            BadInput: as of :meth:`render`.
            MissingTool: as of :meth:`render`.
        """

        def one(place: int) -> int | CasefileError:
            source, pdf = jobs[place]
            try:
                pages = self.render(source, pdf, seconds=seconds, pdfa=pdfa, tagged=tagged)
                if then is not None:
                    then(place)
                return pages
            except CasefileError as error:
                return error

        # Twice the workers, so that none waits while a thread is busy with ``then``.
        with ThreadPoolExecutor(max_workers=2 * len(self._workers)) as threads:
            results = list(threads.map(one, range(len(jobs))))
        failed = [result for result in results if isinstance(result, CasefileError)]
        if failed:
            first = failed[0]
            first.findings = tuple(Finding(e.code, subject=e.subject, params=e.params) for e in failed)
            raise first
        return tuple(result for result in results if isinstance(result, int))

    def close(self) -> None:
        """Stop the workers and remove their folders."""
        self._close()

    @contextmanager
    def _one(self) -> Iterator[_Worker]:
        if not self._close.alive:
            raise RuntimeError("the pool is closed")
        worker = self._idle.get()
        try:
            yield worker
        finally:
            self._idle.put(worker)

    def _ready(self, worker: _Worker) -> None:
        if worker.process is not None and worker.process.poll() is None:
            return
        worker.stop()
        worker.fresh()
        command = self._command("work", worker)
        environment = self._environment(worker)
        worker.process = self._starter.submit(
            subprocess.Popen,
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=worker.folder,
            bufsize=0,
        ).result()
        greeting = worker.answer(_START_SECONDS)
        if not greeting["ok"]:
            raise _Died("start", str(greeting.get("reason", "")))

    def _convert_cold(
        self, worker: _Worker, copy: Path, output: Path, kind: str, seconds: int, name: str
    ) -> None:
        settled = self._folder / "settled"
        worker.fresh(settled if settled.is_dir() else None)
        command = self._command(
            "cold",
            worker,
            "--headless",
            "--norestore",
            *(["--infilter=HTML (StarWriter)"] if copy.suffix == ".html" else []),
            "--convert-to",
            kind,
            "--outdir",
            str(output.parent),
            str(copy),
        )
        output.unlink(missing_ok=True)
        deadline = time.monotonic() + seconds
        code = _RESTART
        for _ in range(_COLD_STARTS):
            if code != _RESTART:
                break
            process = self._starter.submit(
                subprocess.Popen,
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self._environment(worker),
                cwd=worker.folder,
            ).result()
            try:
                code = process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise BadInput("OFFICE-TIMEOUT", subject=name, seconds=seconds) from None
            finally:
                process.kill()
                process.wait()
            if code == _RESTART:
                self._keep_settled(worker, settled)

    def _keep_settled(self, worker: _Worker, settled: Path) -> None:
        """Keep a profile that LibreOffice has once been started with: the next cold start is the only one."""
        with self._lock:
            if not settled.is_dir():
                beside = settled.with_name("settling")
                shutil.copytree(worker.profile, beside)
                beside.rename(settled)

    def _command(self, mode: str, worker: _Worker, *arguments: str) -> list[str]:
        return [
            sys.executable,
            "-I",
            "-S",
            str(_WORKER),
            mode,
            str(os.getpid()),
            str(self._memory),
            str(_program()),
            str(worker.profile),
            *arguments,
        ]

    def _environment(self, worker: _Worker) -> dict[str, str]:
        with self._lock:
            if self._conf is None:
                self._conf = self._fonts.write_conf(self._folder / "fonts")
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(worker.folder),
            "TMPDIR": str(worker.temporary),
            "LANG": "C.UTF-8",
            "TZ": "Asia/Shanghai",
            "SAL_USE_VCLPLUGIN": "svp",
            "FONTCONFIG_FILE": str(self._conf),
            # What a start would look for in vain: extensions, printers, graphics cards.
            "DISABLE_EXTENSION_SYNCHRONIZATION": "1",
            "SAL_DISABLE_PRINTERLIST": "1",
            "SAL_DISABLE_OPENCL": "1",
        }


def office_of(context: Context) -> Office:
    """The workspace's pool, with the bureau's own fonts first; made once and kept by the context."""
    return context.keep("office", lambda: Office(fonts=fonts_of(context)))


class _Worker:
    """One process and its folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.profile = folder / "profile"
        self.temporary = folder / "tmp"
        self.process: subprocess.Popen[bytes] | None = None
        self.done = 0

    def fresh(self, settled: Path | None = None) -> None:
        """Empty folders and a new profile, or a copy of a ``settled`` one.

        What a dead LibreOffice left, or a document, must not reach the next.
        """
        for folder in (self.profile, self.temporary):
            shutil.rmtree(folder, ignore_errors=True)
        self.temporary.mkdir(parents=True)
        self.done = 0
        if settled is not None:
            shutil.copytree(settled, self.profile)
            return
        self.profile.mkdir(parents=True)
        user = self.profile / "user"
        user.mkdir()
        # A profile of an older version makes LibreOffice try out its graphics, which takes 0.4 seconds.
        version = ("/org.openoffice.Setup/Product", "ooSetupLastVersion", ".".join(engine().number[:2]))
        settings = _registry((*_SETTINGS, version))
        (user / "registrymodifications.xcu").write_text(settings, encoding="utf-8")
        for module in _MODULES:
            menu = user / "config" / "soffice.cfg" / "modules" / module / "menubar" / "menubar.xml"
            menu.parent.mkdir(parents=True)
            menu.write_text(_NO_MENU, encoding="utf-8")

    @contextmanager
    def job(self, source: Path) -> Iterator[tuple[Path, Path]]:
        """A plain name for the document and a place for the PDF, for as long as the job takes."""
        folder = self.folder / "job"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        copy = folder / f"document{source.suffix.lower()}"
        try:
            shutil.copyfile(source, copy)
            yield copy, folder / "document.pdf"
        except FileNotFoundError:
            raise BadInput("OFFICE-UNREADABLE", subject=source.name, reason="no such file") from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def convert(self, source: Path, target: Path, options: str, seconds: float) -> None:
        """Send the job and wait for its answer."""
        if self.process is None or self.process.stdin is None:
            raise _Died("crash")
        job = {"source": str(source), "target": str(target), "filter": options}
        try:
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
        except OSError:
            raise _Died("crash") from None
        answer = self.answer(seconds)
        if answer["ok"]:
            return
        if answer["stage"] == "load":
            raise _Unreadable(str(answer["reason"]) or "unknown format")
        raise _Died(str(answer["stage"]), str(answer["reason"]))

    def answer(self, seconds: float) -> Mapping[str, object]:
        """The next line of the worker; a closed pipe means that it died."""
        if self.process is None or self.process.stdout is None:
            raise _Died("crash")
        pipe = self.process.stdout.fileno()
        deadline = time.monotonic() + seconds
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise _Died("hang")
                chunk = os.read(pipe, 65536)
                if not chunk:
                    raise _Died("crash")
                line += chunk
        answer: Mapping[str, object] = json.loads(line)
        return answer

    def stop(self) -> None:
        """Kill the process and collect it, so that no zombie stays."""
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _close(workers: Sequence[_Worker], starter: ThreadPoolExecutor, folder: Path) -> None:
    for worker in workers:
        worker.stop()
    starter.shutdown(wait=False)
    shutil.rmtree(folder, ignore_errors=True)


def _program() -> Path:
    """LibreOffice's program folder.

    Raises:
        MissingTool: TOOL-OFFICE.
    """
    folders = list(_PROGRAM_FOLDERS)
    command = shutil.which("soffice")
    if command is not None:
        folders.insert(0, Path(command).resolve().parent)
    for folder in folders:
        if (folder / "libmergedlo.so").is_file() and (folder / "soffice.bin").is_file():
            return folder
    raise MissingTool("TOOL-OFFICE", subject="LibreOffice", package="libreoffice-writer-nogui")


@dataclass(frozen=True, slots=True)
class Engine:
    """The LibreOffice of this machine: its version, and a digest of it and of our settings."""

    version: str
    digest: str

    @property
    def number(self) -> list[str]:
        """The version as its parts."""
        return self.version.rpartition(" ")[2].split(".")


@cache
def engine() -> Engine:
    """The LibreOffice that renders.

    Raises:
        MissingTool: TOOL-OFFICE.
    """
    program = _program()
    registry = program.parent / "share" / "registry" / "main.xcd"
    try:
        about = _VERSION.search(registry.read_bytes())
    except FileNotFoundError:
        about = None
    version = about[1].decode("utf-8", "replace") if about else ""
    library = (program / "libmergedlo.so").stat()
    # A security update of the distribution may keep the version; the library is another one.
    state = (str(library.st_size), str(library.st_mtime_ns))
    parts = (version, *state, _registry(_SETTINGS), _filter_options(3, tagged=True))
    return Engine(f"LibreOffice {version}".strip(), hashlib.sha256("\n".join(parts).encode()).hexdigest())


def _filter_options(pdfa: int, tagged: bool) -> str:
    return json.dumps(
        {
            "SelectPdfVersion": {"type": "long", "value": str(pdfa)},
            "UseTaggedPDF": {"type": "boolean", "value": str(tagged).lower()},
        },
        separators=(",", ":"),
    )


_SHEETS = frozenset({".xlsx", ".xlsm", ".xls", ".ods", ".fods", ".csv", ".xlsb"})
_SLIDES = frozenset({".pptx", ".pptm", ".ppt", ".odp", ".fodp"})


def _export_filter(source: Path) -> str:
    if source.suffix in _SHEETS:
        return "calc_pdf_Export"
    return "impress_pdf_Export" if source.suffix in _SLIDES else "writer_pdf_Export"


def flat_suffix(source: Path) -> str:
    """The name ending of the flat XML (ODF 1.3) of such a document."""
    if source.suffix in _SHEETS:
        return ".fods"
    return ".fodp" if source.suffix in _SLIDES else ".fodt"


def _registry(settings: Sequence[tuple[str, str, str]]) -> str:
    items = "".join(
        f'<item oor:path="{path}">{_property(name, value)}</item>' for path, name, value in settings
    )
    panels = "".join(f'<node oor:name="{name}" oor:op="remove"/>' for name in _PANELS)
    items += f'<item oor:path="/org.openoffice.Office.UI.Sidebar/Content/PanelList">{panels}</item>'
    hidden = "".join(
        f'<node oor:name="{name}" oor:op="replace">{_property("Visible", "false")}</node>' for name in _BARS
    )
    for window in _WINDOWS:
        items += f'<item oor:path="/org.openoffice.Office.UI.{window}/UIElements/States">{hidden}</item>'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<oor:items xmlns:oor="http://openoffice.org/2001/registry" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"{items}</oor:items>"
    )


def _property(name: str, value: str) -> str:
    return f'<prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop>'


def _pages(output: Path, name: str) -> int:
    try:
        with pikepdf.open(output) as pdf:
            pages = len(pdf.pages)
    except (FileNotFoundError, pikepdf.PdfError):
        pages = 0
    if pages == 0:
        raise BadInput("OFFICE-FAILED", subject=name)
    return pages
