"""What every stage is handed: workspace, settings, clock, and things that are made once and kept."""

from __future__ import annotations

import datetime as dt
import getpass
import os
import re
import shutil
import tempfile
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from casefile import config, resources
from casefile.errors import BadInput, Conflict

CHINA_TIME = dt.timezone(dt.timedelta(hours=8), "CST")

_CASE_NO = re.compile(r"[0-9A-Za-z\u4e00-\u9fff〔〕()\uff08\uff09_-]{1,60}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Workspace:
    """Names and places in a workspace on disk."""

    root: Path

    @property
    def settings(self) -> Path:
        """``casefile.toml``."""
        return self.root / "casefile.toml"

    @property
    def database(self) -> Path:
        """``casefile.db``."""
        return self.root / "casefile.db"

    @property
    def cases(self) -> Path:
        """Folder of all case folders."""
        return self.root / "cases"

    @property
    def archive(self) -> Path:
        """OCFL storage root."""
        return self.root / "archive"

    @property
    def public(self) -> Path:
        """Public editions."""
        return self.root / "public"

    @property
    def templates(self) -> Path:
        """The bureau's own templates."""
        return self.root / "templates"

    @property
    def quarantine(self) -> Path:
        """What was refused, with a note why."""
        return self.root / "quarantine"

    def case(self, case_no: str) -> CaseFolder:
        """The folder of one case.

        Raises:
            BadInput: CASE-NUMBER, when the number can't be the name of a folder.
        """
        name = unicodedata.normalize("NFC", case_no)
        if not _CASE_NO.fullmatch(name):
            raise BadInput("CASE-NUMBER", subject=case_no)
        return CaseFolder(self.cases / name)

    @classmethod
    def create(cls, folder: Path) -> Workspace:
        """Make a workspace with a commented ``casefile.toml``.

        Raises:
            Conflict: WORKSPACE-EXISTS, when there is one already; nothing is overwritten.
        """
        made = cls(folder.absolute())
        if made.settings.exists():
            raise Conflict("WORKSPACE-EXISTS", subject=str(folder))
        for place in (made.cases, made.archive, made.public, made.quarantine):
            place.mkdir(parents=True, exist_ok=True)
        blank = resources.root("templates") / "system" / "casefile.toml"
        write_whole(made.settings, blank.read_bytes())
        return made

    def relative(self, path: Path) -> str:
        """``path`` as it is shown: inside the workspace, with ``/``."""
        try:
            return path.resolve().relative_to(self.root.resolve()).as_posix()
        except ValueError:
            return path.name


@dataclass(frozen=True, slots=True)
class CaseFolder:
    """Names and places in a case folder."""

    root: Path

    @property
    def data(self) -> Path:
        """``case.yaml``, the one truth of the case."""
        return self.root / "case.yaml"

    @property
    def inbox(self) -> Path:
        """Evidence as received; never changed."""
        return self.root / "inbox"

    @property
    def documents(self) -> Path:
        """Drafts and issued documents."""
        return self.root / "documents"

    @property
    def work(self) -> Path:
        """Rebuildable parts and caches."""
        return self.root / "work"


class Progress:
    """Where long work reports; this one is silent."""

    def start(self, task: str, total: int) -> None:
        """Begin ``task`` of ``total`` steps."""

    def step(self, detail: str = "") -> None:
        """One step is done."""

    def done(self) -> None:
        """The task is over."""


@dataclass(slots=True)
class Context:
    """Handed to every stage; close it (or use ``with``) to stop what it keeps running."""

    workspace: Workspace
    config: config.Config
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(CHINA_TIME).replace(microsecond=0)
    progress: Progress = field(default_factory=Progress)
    lang: str = "zh"
    operator: str = field(default_factory=lambda: _login())
    """Who runs the command (经办人): recorded with every number and every issued document."""
    _kept: dict[str, Any] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def open(cls, folder: Path, *, now: Callable[[], dt.datetime] | None = None, lang: str = "zh") -> Context:
        """Open the workspace at ``folder``.

        Raises:
            BadInput: when there is no workspace or its settings are wrong.
        """
        workspace = Workspace(folder.absolute())
        settings = config.load(workspace.settings)
        context = cls(workspace, settings, lang=lang)
        if now is not None:
            context.now = now
        return context

    @classmethod
    def without_workspace(cls, folder: Path, lang: str = "zh") -> Context:
        """For work that needs no bureau: the settings are the defaults, ``folder`` takes what is made."""
        nobody = config.Bureau(
            name="——", short="—", address="", contact="", phone="", government="", court=""
        )
        return cls(Workspace(folder.absolute()), config.Config(bureau=nobody), lang=lang)

    def keep(self, name: str, make: Callable[[], T]) -> T:
        """Make a thing once; anything with ``close()`` is closed with the context."""
        if name not in self._kept:
            made = make()
            self._kept[name] = made
            close = getattr(made, "close", None)
            if callable(close):
                self._stack.callback(close)
        return self._kept[name]  # type: ignore[no-any-return]

    def lend(self, name: str, thing: object) -> None:
        """Use a thing that somebody else made and will close."""
        self._kept[name] = thing

    @contextmanager
    def locked(self, case_no: str, *, new: bool = False) -> Iterator[CaseFolder]:
        """Hold the case alone: two commands on one case don't mix. ``new`` makes the folder of a new case.

        Raises:
            BadInput: CASE-NO-FOLDER; a slip in the number leaves no folder behind.
            Conflict: CASE-LOCKED, when another command holds it.
        """
        folder = self.workspace.case(case_no)
        if not new and not folder.root.is_dir():
            raise BadInput("CASE-NO-FOLDER", subject=case_no)
        folder.work.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.work / ".lock", timeout=0)
        try:
            with lock:
                _sweep(folder)
                yield folder
        except Timeout:
            raise Conflict("CASE-LOCKED", subject=case_no) from None

    def close(self) -> None:
        """Stop everything that was kept."""
        self._stack.close()
        self._kept.clear()

    def __enter__(self) -> Context:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _sweep(folder: CaseFolder) -> None:
    # Nobody else writes while the case is held: a half-written file is one that a killed run left behind.
    for place in (folder.root, *(p for p in (folder.work, folder.documents) if p.is_dir())):
        pattern = ".*.part" if place == folder.root else "**/.*.part"
        for left in place.glob(pattern):
            if left.is_file():
                left.unlink(missing_ok=True)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A machine may run it for a user that it has no name for.
        return ""


@contextmanager
def scratch_folder(beside: Path) -> Iterator[Path]:
    """A folder for unfinished work in ``beside``, so on the same disk; what a killed run left goes first."""
    beside.mkdir(parents=True, exist_ok=True)
    for left in beside.glob(".scratch-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".scratch-", dir=beside, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` so that ``path`` holds either the old bytes or all of the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two threads may write one file, when the same content lies twice in an inbox.
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with beside.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(path.parent)


def move_whole(source: Path, target: Path) -> None:
    """Rename a finished file into place, after its bytes are on disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as data:
        os.fsync(data.fileno())
    source.replace(target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
