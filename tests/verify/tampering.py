"""What somebody with access to the disk, but without the bureau's key, can do to an archived object."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

CONTENT = "v1/content"


def flip(path: Path, at: int = -20, mask: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= mask
    path.write_bytes(bytes(data))


def forge(folder: Path, changed: dict[str, bytes]) -> None:
    """Change files of a package and make every unsigned list agree: manifest, checksums, inventory."""
    content = folder / CONTENT
    for name, data in changed.items():
        (content / name).write_bytes(data)
    manifest = (content / "manifest.xml").read_text(encoding="utf-8")
    sums = (content / "checksums.sha256").read_text(encoding="utf-8")
    for name in (*changed, "checksums.sha256"):
        if name in ("manifest.xml", "manifest.xml.p7s", "manifest.xml.tsr"):
            continue
        if name == "checksums.sha256":
            (content / name).write_text(sums, encoding="utf-8")
        data = (content / name).read_bytes()
        line = re.search(rf'<file path="{re.escape(name)}" size="(\d+)" sha256="(\w+)" sm3="(\w+)"', manifest)
        assert line is not None, name
        size, old, sm3 = line.groups()
        new = hashlib.sha256(data).hexdigest()
        forged = line[0].replace(f'size="{size}"', f'size="{len(data)}"').replace(old, new)
        forged = forged.replace(sm3, hashlib.new("sm3", data).hexdigest())
        manifest = manifest.replace(line[0], forged).replace(old, new)
        sums = sums.replace(old, new)
    (content / "manifest.xml").write_text(manifest, encoding="utf-8")
    reindex(folder)


def reindex(folder: Path) -> None:
    """Write the inventory anew for what lies there."""
    table = json.loads((folder / "inventory.json").read_bytes())
    content = folder / CONTENT
    files = sorted(p.relative_to(content).as_posix() for p in content.rglob("*") if p.is_file())
    by_digest: dict[str, list[str]] = {}
    for name in files:
        by_digest.setdefault(hashlib.sha256((content / name).read_bytes()).hexdigest(), []).append(name)
    table["manifest"] = {d: [f"{CONTENT}/{n}" for n in names] for d, names in by_digest.items()}
    table["versions"]["v1"]["state"] = by_digest
    data = json.dumps(table, sort_keys=True, indent=2).encode()
    for place in (folder, folder / "v1"):
        (place / "inventory.json").write_bytes(data)
        sidecar = f"{hashlib.sha256(data).hexdigest()} inventory.json\n"
        (place / "inventory.json.sha256").write_text(sidecar, encoding="ascii")


def back_to(pdf: bytes, signatures: int) -> bytes:
    """Roll a PDF file back to the last revision with so many signatures."""
    ends = [m.end() for m in re.finditer(rb"%%EOF[\r\n]*", pdf)]
    return max((pdf[:end] for end in ends if pdf[:end].count(b"/ByteRange") == signatures), key=len)
