"""One LibreOffice in its own process, driven through LibreOfficeKit (LOK) by ctypes.

Started by :mod:`casefile.tools.office` as a plain script, so it imports the standard library only and is up
in a blink. It reads one job a line from standard input and answers each with one line on standard output,
both in JSON::

    > {"source": "/…/in.docx", "target": "/…/out.pdf", "filter": "{…}"}
    < {"ok": true, "memory": 238000000}
    < {"ok": false, "stage": "load", "reason": "…"}

LibreOffice owns signal handlers and threads and may write to standard output, so the answers go through a
private copy of that descriptor, and the process is left by ``os._exit`` only.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_size_t, c_void_p
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_LARGEST_FILE = 2_000_000_000


class _OfficeClass(Structure):
    """Head of ``LibreOfficeKitClass`` (LibreOfficeKit.h): the order of the fields is its binary interface."""

    _fields_ = (
        ("size", c_size_t),
        ("destroy", CFUNCTYPE(None, c_void_p)),
        ("document_load", CFUNCTYPE(c_void_p, c_void_p, c_char_p)),
        ("get_error", CFUNCTYPE(c_void_p, c_void_p)),
        ("document_load_with_options", CFUNCTYPE(c_void_p, c_void_p, c_char_p, c_char_p)),
        ("free_error", CFUNCTYPE(None, c_void_p)),
    )


class _DocumentClass(Structure):
    """Head of ``LibreOfficeKitDocumentClass``."""

    _fields_ = (
        ("size", c_size_t),
        ("destroy", CFUNCTYPE(None, c_void_p)),
        ("save_as", CFUNCTYPE(c_int, c_void_p, c_char_p, c_char_p, c_char_p)),
    )


class _Kit:
    """A running LibreOffice."""

    def __init__(self, program: Path, profile: Path) -> None:
        library = ctypes.CDLL(str(program / "libmergedlo.so"), mode=ctypes.RTLD_GLOBAL)
        hook = library.libreofficekit_hook_2
        hook.argtypes = [c_char_p, c_char_p]
        hook.restype = c_void_p
        self._this = hook(str(program).encode(), profile.as_uri().encode())
        if not self._this:
            raise RuntimeError("LibreOfficeKit did not start")
        self._class = ctypes.cast(self._this, POINTER(POINTER(_OfficeClass)))[0][0]

    def convert(self, source: Path, target: Path, options: str) -> dict[str, object]:
        """Load ``source`` and save it as PDF."""
        document = self._class.document_load(self._this, source.as_uri().encode())
        if not document:
            return {"ok": False, "stage": "load", "reason": self._error()}
        members = ctypes.cast(document, POINTER(POINTER(_DocumentClass)))[0][0]
        try:
            done = members.save_as(document, target.as_uri().encode(), b"pdf", options.encode())
            if not done:
                return {"ok": False, "stage": "save", "reason": self._error()}
            return {"ok": True}
        finally:
            members.destroy(document)

    def _error(self) -> str:
        pointer = self._class.get_error(self._this)
        if not pointer:
            return ""
        try:
            return (ctypes.cast(pointer, c_char_p).value or b"").decode("utf-8", "replace")
        finally:
            self._class.free_error(pointer)


def die_with(parent: int) -> None:
    """Ask the kernel to kill this process when its parent goes."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def leave_the_network() -> bool:
    """Move into an empty network namespace: whatever a document links to can't be reached from there.

    Containers and hardened kernels may forbid it; the settings of the profile hold then alone.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWNET) == 0:
        return True
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    try:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    except OSError:
        return True  # files stay readable under their kernel ids; only the names of users are lost
    return True


def _memory() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def work(program: str, profile: str) -> None:
    """Answer jobs until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(line: dict[str, object]) -> None:
        print(json.dumps(line), file=answers, flush=True)

    try:
        kit = _Kit(Path(program), Path(profile))
    except (OSError, RuntimeError, AttributeError) as error:
        answer({"ok": False, "stage": "start", "reason": str(error)})
        os._exit(1)
    answer({"ok": True, "memory": _memory()})
    for line in sys.stdin:
        job = json.loads(line)
        result = kit.convert(Path(job["source"]), Path(job["target"]), job["filter"])
        answer({**result, "memory": _memory()})
    os._exit(0)


def main(mode: str, parent: str, memory: str, program: str, profile: str, *arguments: str) -> None:
    """``work`` answers jobs; ``cold`` becomes a plain ``soffice`` under the same restraints."""
    die_with(int(parent))
    leave_the_network()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    if mode == "cold":
        soffice = str(Path(program) / "soffice.bin")
        os.execv(soffice, [soffice, f"-env:UserInstallation={Path(profile).as_uri()}", *arguments])
    work(program, profile)


if __name__ == "__main__":
    main(*sys.argv[1:])
