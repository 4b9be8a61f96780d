"""Which real font draws which font family of a template: the one map.

The official look of a document (GB/T 9704-2012) names licensed families such as 仿宋 and 方正小标宋简体. Free
fonts stand in for them, in a chain: the first draws, the next ones fill its gaps. A bureau that owns the
licensed fonts puts their files into a folder of ``casefile.toml`` (``fonts.folders``); they then come first.

LibreOffice sees these files and no others, through a private ``fonts.conf``, so that every machine draws the
same pages and no font is swapped in silence. Of the collections it sees the mainland face alone: a rare
character that falls through its chain must not come out in the Japanese form (骨 直 角 边 返 令).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from xml.sax.saxutils import escape

from fontTools.ttLib import TTCollection, TTFont, TTLibError

from casefile import resources
from casefile.context import Context, write_whole
from casefile.errors import MissingTool

_SUFFIXES = {".ttf", ".otf", ".ttc", ".otc"}


@dataclass(frozen=True, slots=True)
class Face:
    """A free font: its family as fontconfig names it, its files (the regular one first) and its package.

    ``index`` is the place of the Simplified Chinese font in a collection. Without an ``optional`` one the
    next of a chain draws. ``twin`` is its TrueType conversion (:mod:`casefile.tools.truetype`), looked at
    first where set-up has made it; ``whole`` says that the twin has every character of the font.
    """

    family: str
    files: tuple[str, ...]
    package: str
    index: int = 0
    optional: bool = False
    twin: Face | None = None
    whole: bool = False


def _twin(family: str, *files: str) -> Face:
    return Face(f"{family} TT", files, "", optional=True)


FANG = Face(
    "FandolFang R",
    ("FandolFang-Regular.otf",),
    "texlive-lang-chinese",
    optional=True,
    twin=_twin("FandolFang R", "FandolFangTT-Regular.ttf"),
    whole=True,
)
KAI = Face("LXGW WenKai", ("LXGWWenKai-Regular.ttf", "LXGWWenKai-Bold.ttf"), "fonts-lxgw-wenkai")
SONG = Face(
    "Noto Serif CJK SC",
    ("NotoSerifCJK-Regular.ttc", "NotoSerifCJK-Bold.ttc"),
    "fonts-noto-cjk",
    index=2,
    twin=_twin("Noto Serif CJK SC", "NotoSerifCJKTT-Regular.ttf", "NotoSerifCJKTT-Bold.ttf"),
)
HEI = Face(
    "Noto Sans CJK SC",
    ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"),
    "fonts-noto-cjk",
    index=2,
    twin=_twin("Noto Sans CJK SC", "NotoSansCJKTT-Regular.ttf", "NotoSansCJKTT-Bold.ttf"),
)
ROMAN = Face(
    "Nimbus Roman",
    (
        "NimbusRoman-Regular.otf",
        "NimbusRoman-Bold.otf",
        "NimbusRoman-Italic.otf",
        "NimbusRoman-BoldItalic.otf",
    ),
    "fonts-urw-base35",
    twin=_twin(
        "Nimbus Roman",
        "NimbusRomanTT-Regular.ttf",
        "NimbusRomanTT-Bold.ttf",
        "NimbusRomanTT-Italic.ttf",
        "NimbusRomanTT-BoldItalic.ttf",
    ),
    whole=True,
)
SANS = Face(
    "Nimbus Sans",
    ("NimbusSans-Regular.otf", "NimbusSans-Bold.otf"),
    "fonts-urw-base35",
    twin=_twin("Nimbus Sans", "NimbusSansTT-Regular.ttf", "NimbusSansTT-Bold.ttf"),
    whole=True,
)
SIGNS = Face("DejaVu Sans", ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"), "fonts-dejavu-core")

FACES = (FANG, KAI, SONG, HEI, ROMAN, SANS, SIGNS)

_FOREIGN = tuple(
    f"Noto {style} CJK {region}"
    for style in ("Serif", "Sans", "Sans Mono")
    for region in ("JP", "KR", "TC", "HK")
)
"""The other faces of the collections, in the forms of other regions."""


@dataclass(frozen=True, slots=True)
class Family:
    """A font family that templates may name: its other names, its chain, and whether it is bold by nature."""

    name: str
    also: tuple[str, ...]
    chain: tuple[Face, ...]
    bold: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every name under which a docx may ask for it."""
        return (self.name, *self.also)


TEMPLATE_FAMILIES = (
    Family("仿宋", ("FangSong", "仿宋_GB2312", "FangSong_GB2312"), (FANG, KAI, SONG, SIGNS)),
    Family(
        "方正小标宋简体",
        ("FZXiaoBiaoSong-B05S", "方正小标宋_GBK", "FZXiaoBiaoSong-B05", "小标宋"),
        (SONG, KAI, SIGNS),
        bold=True,
    ),
    Family("楷体", ("KaiTi", "楷体_GB2312", "KaiTi_GB2312"), (KAI, SONG, SIGNS)),
    Family("黑体", ("SimHei",), (HEI, KAI, SIGNS)),
    Family("宋体", ("SimSun", "NSimSun", "新宋体"), (SONG, KAI, SIGNS)),
    Family("Times New Roman", (), (ROMAN, SONG, KAI, SIGNS)),
)
"""What our templates may use. A template that names another family is complained about."""

_OTHER_FAMILIES = (
    Family("微软雅黑", ("Microsoft YaHei", "等线", "DengXian", "Arial Unicode MS", "华文细黑"), (HEI, SIGNS)),
    Family("Arial", ("Helvetica", "Calibri", "Verdana", "Tahoma", "Segoe UI"), (SANS, HEI, SIGNS)),
)
"""Common families of documents that come from outside; anything else falls to 宋体."""


@dataclass(frozen=True, slots=True)
class MissingGlyph:
    """A character that no font of a chain can draw."""

    char: str

    @property
    def code_point(self) -> str:
        """``U+E863``."""
        return f"U+{ord(self.char):04X}"

    @property
    def private(self) -> bool:
        """True for a character of a private use area, as old GBK systems left them (自造字)."""
        code = ord(self.char)
        return 0xE000 <= code <= 0xF8FF or code >= 0xF0000


@dataclass(frozen=True, slots=True)
class Resolved:
    """The font that draws a template family on this machine, as it is recorded with every issued document.

    ``own`` tells a font of the bureau from a free stand-in.
    """

    family: str
    font: str
    file: str
    version: str
    sha256: str
    own: bool


@dataclass(frozen=True)
class Fonts:
    """The fonts of this machine. ``folders`` are the bureau's own, looked at first.

    Without ``twins`` the free fonts draw as Debian brings them.
    """

    folders: Sequence[Path] = ()
    twins: bool = True
    _coverage: dict[tuple[Path, int], frozenset[int]] = field(default_factory=dict, repr=False, compare=False)
    _unions: dict[str, frozenset[int]] = field(default_factory=dict, repr=False, compare=False)
    _digests: dict[Path, str] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def files(self) -> Mapping[Face, tuple[Path, ...]]:
        """Files of every free font and twin that may draw.

        Raises:
            MissingTool: FONT-MISSING, naming the font and the package that brings it.
        """
        found = {path.name: path for path in reversed(list(self._candidates()))}
        table = {}
        for face in FACES:
            if face.files[0] not in found:
                if face.optional:
                    continue
                raise MissingTool("FONT-MISSING", subject=face.family, package=face.package)
            paths = tuple(found[name] for name in face.files if name in found)
            # A twin with some of its styles only would make the others come out slanted or fattened.
            if (
                self.twins
                and face.twin is not None
                and all(name in found for name in face.twin.files[: len(paths)])
            ):
                table[face.twin] = tuple(found[name] for name in face.twin.files if name in found)
                if face.whole:
                    continue
            table[face] = paths
        return table

    def faces(self, chain: Iterable[Face]) -> tuple[Face, ...]:
        """The faces of a chain that are on this machine, each behind its twin."""
        both = (face for one in chain for face in (one.twin, one) if face is not None)
        return tuple(face for face in both if face in self.files)

    @cached_property
    def own(self) -> Mapping[str, tuple[tuple[Path, int, str], ...]]:
        """The bureau's own fonts by template family: file, place in the file, family name."""
        wanted = {name: family.name for family in TEMPLATE_FAMILIES for name in family.names}
        table: dict[str, list[tuple[Path, int, str]]] = {}
        for path in _font_files(self.folders):
            for index, names in enumerate(_family_names(path)):
                for family in sorted({wanted[name] for name in names if name in wanted}):
                    table.setdefault(family, []).append((path, index, min(n for n in names if n in wanted)))
        return {family: tuple(entries) for family, entries in table.items()}

    def family(self, name: str) -> Family | None:
        """The template family called ``name``, or None when it is not in the map."""
        return next((f for f in TEMPLATE_FAMILIES if name in f.names), None)

    def stand_ins(self) -> tuple[tuple[str, str], ...]:
        """Template families that a free font draws, and which: family, font."""
        drawn = []
        for family in TEMPLATE_FAMILIES:
            if family.name not in self.own:
                drawn.append((family.name, self.faces(family.chain)[0].family.removesuffix(" TT")))
        return tuple(drawn)

    def resolved(self) -> tuple[Resolved, ...]:
        """Which font draws each template family: what is recorded so that a page can be explained later."""
        told = []
        for family in TEMPLATE_FAMILIES:
            entries = self.own.get(family.name, ())
            if entries:
                path, index, _ = entries[0]
            else:
                face = self.faces(family.chain)[0]
                paths = self.files[face]
                # Bold by nature: the second file of a face is its bold one.
                path, index = paths[1 if family.bold and len(paths) > 1 else 0], face.index
            with _opened(path, index) as font:
                name, version = (font["name"].getDebugName(name_id) or "" for name_id in (4, 5))
            told.append(
                Resolved(family.name, name, path.name, version, self._digest(path), own=bool(entries))
            )
        return tuple(told)

    def digest(self, memory: Path | None = None) -> str:
        """One digest of the map and of every font file that it uses: other pages may come from any other.

        ``memory`` is a file that keeps digests between runs; a font is read again when its size or time of
        change is another.
        """
        known = _remembered(memory)
        kept = {}
        parts = []
        for path in sorted({path.resolve() for path, _ in self._used()}):
            state = path.stat()
            # The inode changes when a package manager puts another file in place, whatever time it bears.
            mark = f"{state.st_size} {state.st_mtime_ns} {state.st_ino}"
            before = known.get(str(path), [])
            digest = before[1] if before[:1] == [mark] else self._digest(path)
            kept[str(path)] = [mark, digest]
            parts.append(f"{path.name} {digest}")
        if memory is not None and kept != known:
            write_whole(memory, json.dumps(kept, indent=1).encode())
        rules = "\n".join(self._rules())
        return hashlib.sha256("\n".join([*parts, rules]).encode()).hexdigest()

    def coverage(self, name: str) -> frozenset[int]:
        """Code points that the chain of the family ``name`` can draw.

        Raises:
            KeyError: when the map has no such family.
            MissingTool: FONT-MISSING.
        """
        family = self.family(name)
        if family is None:
            raise KeyError(name)
        if family.name in self._unions:
            return self._unions[family.name]
        covered = [self._covered(path, index) for path, index, _ in self.own.get(family.name, ())]
        faces = self.faces(family.chain)
        covered += [self._covered(self.files[face][0], face.index) for face in faces]
        # Asked for every field of every document; the union of five large sets takes milliseconds.
        return self._unions.setdefault(family.name, frozenset().union(*covered))

    def missing(self, text: str, name: str) -> tuple[MissingGlyph, ...]:
        """Characters of ``text`` that the family ``name`` can't draw, each once, in order.

        Line ends, tabs and blanks need no glyph.
        """
        known = self.coverage(name)
        lost = (c for c in dict.fromkeys(text) if ord(c) not in known and not c.isspace())
        return tuple(MissingGlyph(c) for c in lost)

    @cached_property
    def allowed(self) -> frozenset[str]:
        """PostScript names that a rendered document may embed, lower case, without subset tag and hyphens."""
        names: set[str] = set()
        for path, index in self._used():
            with _opened(path, index) as font:
                given = [font["name"].getDebugName(name_id) for name_id in (4, 6)]
                names.update(plain_name(name) for name in (*given, _outline_name(font)) if name)
        return frozenset(names)

    def write_conf(self, folder: Path) -> Path:
        """Write ``folder/fonts.conf``, which knows these files and no others, and keep its cache beside it.

        Raises:
            MissingTool: FONT-MISSING.
        """
        folder.mkdir(parents=True, exist_ok=True)
        conf = folder / "fonts.conf"
        conf.write_text(self._conf(folder / "cache"), encoding="utf-8")
        return conf

    def _used(self) -> Iterator[tuple[Path, int]]:
        for entries in self.own.values():
            for path, index, _ in entries:
                yield path, index
        for face, paths in self.files.items():
            for path in paths:
                yield path, face.index

    def _conf(self, cache: Path) -> str:
        # Folders as they are with a list of accepted files: LibreOffice 7.4 loses the collections (.ttc)
        # of a folder of symbolic links.
        files = sorted({path.resolve() for path, _ in self._used()})
        rules = [f"<dir>{escape(str(folder))}</dir>" for folder in sorted({path.parent for path in files})]
        accepted = "".join(f"<glob>{escape(_literal(path))}</glob>" for path in files)
        rules.append(
            f"<selectfont><acceptfont>{accepted}</acceptfont>"
            "<rejectfont><glob>*</glob></rejectfont></selectfont>"
        )
        # The other faces of an accepted collection.
        foreign = "".join(
            f'<pattern><patelt name="family"><string>{name}</string></patelt></pattern>' for name in _FOREIGN
        )
        rules.append(f"<selectfont><rejectfont>{foreign}</rejectfont></selectfont>")
        rules += self._rules()
        return (
            '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n'
            f"<cachedir>{escape(str(cache))}</cachedir>\n<cachedir>/var/cache/fontconfig</cachedir>\n"
            + "\n".join(rules)
            + "\n</fontconfig>\n"
        )

    def _rules(self) -> list[str]:
        """The map as fontconfig rules, without any place on this machine."""
        rules = []
        for family in (*TEMPLATE_FAMILIES, *_OTHER_FAMILIES):
            chain = [name for _, _, name in self.own.get(family.name, ())]
            chain += [face.family for face in self.faces(family.chain)]
            prefer = "".join(f"<family>{escape(name)}</family>" for name in chain)
            for name in family.names:
                rules.append(
                    f'<alias binding="same"><family>{escape(name)}</family><prefer>{prefer}</prefer></alias>'
                )
                if family.bold and family.name not in self.own:
                    # An alias picks the family and leaves the weight, so a title would come out thin.
                    rules.append(
                        f'<match target="pattern"><test name="family"><string>{escape(name)}</string></test>'
                        '<edit name="weight" mode="assign" binding="strong"><const>bold</const></edit>'
                        "</match>"
                    )
        last = "".join(f"<string>{face.family}</string>" for face in self.faces((SONG, KAI, SIGNS)))
        rules.append(f'<match target="pattern"><edit name="family" mode="append_last">{last}</edit></match>')
        return rules

    def _candidates(self) -> Iterator[Path]:
        return _font_files((*self.folders, *resources.font_folders()))

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            with path.open("rb") as file:
                self._digests[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._digests[path]

    def _covered(self, path: Path, index: int) -> frozenset[int]:
        key = (path, index)
        if key not in self._coverage:
            with _opened(path, index) as font:
                self._coverage[key] = frozenset(font.getBestCmap())
        return self._coverage[key]


def plain_name(name: str) -> str:
    """A font's name as it is compared: ``ABCDEF+FandolFang-Regular`` is ``fandolfangregular``."""
    bare = name.lstrip("/")
    if len(bare) > 7 and bare[6] == "+" and bare[:6].isalnum():
        bare = bare[7:]
    return "".join(c for c in bare.lower() if c.isalnum())


def _outline_name(font: TTFont) -> str:
    """The name inside the CFF table, which LibreOffice gives to the font that it embeds."""
    table = font.reader.tables.get("CFF ")
    if table is None:
        return ""
    font.reader.file.seek(table.offset)
    head = font.reader.file.read(512)
    # Adobe Technical Note 5176, 5 and 7: header, then the Name INDEX as count, offset size, offsets, data.
    start = head[2]
    size = head[start + 2]
    first, last = (int.from_bytes(head[start + 3 + n * size :][:size], "big") for n in (0, 1))
    count = int.from_bytes(head[start : start + 2], "big")
    data = start + 2 + size * (count + 1)
    name: bytes = head[data + first : data + last]
    return name.decode("latin-1")


def _remembered(memory: Path | None) -> dict[str, list[str]]:
    try:
        found = {} if memory is None else json.loads(memory.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _literal(path: Path) -> str:
    return re.sub(r"([*?\[\\])", r"\\\1", str(path))


def _font_files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        if folder.is_dir():
            yield from sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file())


def _opened(path: Path, index: int) -> TTFont:
    number = index if path.suffix.lower() in {".ttc", ".otc"} else -1
    return TTFont(path, fontNumber=number, lazy=True)


def _family_names(path: Path) -> list[set[str]]:
    """Names of each font in the file; none for a file that is no font."""
    try:
        if path.suffix.lower() in {".ttc", ".otc"}:
            fonts = TTCollection(path, lazy=True).fonts
        else:
            fonts = [TTFont(path, lazy=True)]
        return [
            {record.toUnicode() for record in font["name"].names if record.nameID in (1, 4, 16)}
            for font in fonts
        ]
    except (TTLibError, OSError, UnicodeDecodeError, KeyError, AssertionError):
        return []


def fonts_of(context: Context) -> Fonts:
    """The fonts of this machine, the bureau's own first; read once and kept by the context."""
    folders = tuple(context.workspace.root / folder for folder in context.config.fonts.folders)
    return context.keep("fonts", lambda: Fonts(folders))
