"""Filling a docx template: compiled once, strict, sandboxed, byte-identical.

docxtpl's defaults print nothing for what is undefined, cut a value at ``<`` and run code that stands in a
template. Only its clean-up of Word's split runs is used here; everything else is done strictly.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

from docxtpl import DocxTemplate
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, nodes, pass_context
from jinja2.runtime import Context as JinjaContext
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from lxml import etree

from casefile.errors import BadInput, Refused
from casefile.formats.office import words

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TEMPLATED = re.compile(r"word/(document|header\d*|footer\d*)\.xml")
_ACTIVE = re.compile(r"vbaProject|vbaData|activeX|embeddings/|oleObject|afchunk", re.IGNORECASE)
_ACTIVE_TYPES = frozenset(
    {
        "vbaproject", "wordvbadata", "vbadata", "oleobject", "afchunk", "control", "activexcontrolbinary",
        "package", "attachedtoolbars", "extensibility", "usercustomization", "webextension",
        "webextensiontaskpanes",
    }
)  # fmt: skip
_FETCHED_TYPES = frozenset(
    {
        "attachedtemplate", "frame", "subdocument", "recipientdata", "externallink", "externallinkpath",
        "transform",
    }
)  # fmt: skip
"""Last words of relationship types, in lower case. Word goes by them, whatever the part is called."""
_ACTIVE_CONTENT = re.compile(r"macroEnabled|vbaProject|activeX|oleObject", re.IGNORECASE)
_ACTIVE_ELEMENTS = frozenset({"altChunk", "control", "subDoc"})
_FIELD = re.compile(r'[\s"“”]*(INCLUDE|DDE|LINK|IMPORT|DATABASE|RD\b)', re.IGNORECASE)
_OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:|//|\\", re.IGNORECASE)
_CLICKED = frozenset({"hyperlink", "hlinkClick"})
"""What may lead outside: it only waits to be clicked."""
_SCHEMES = frozenset({"http", "https", "ftp", "mailto", "tel", "file"})
_CHANGES = frozenset({"ins", "del", "moveFrom", "moveTo", "cellIns", "cellDel", "cellMerge"})
_TAG = re.compile(r"\{\{|\{%")
_STYLE_USED = re.compile(rb'<w:(?:pStyle|rStyle|tblStyle|numStyleLink|styleLink)\s+w:val="([^"]+)"')
_BEFORE_OVERFLOW = frozenset(
    {
        "pStyle", "keepNext", "keepLines", "pageBreakBefore", "framePr", "widowControl", "numPr",
        "suppressLineNumbers", "pBdr", "shd", "tabs", "suppressAutoHyphens", "kinsoku", "wordWrap",
    }
)  # fmt: skip
"""What stands before ``overflowPunct`` in ``w:pPr``: the schema has one order."""
_EPOCH = (1980, 1, 1, 0, 0, 0)

_MEMBERS = 500
_MEMBER_BYTES = 20_000_000
_PACKAGE_BYTES = 60_000_000

_SINK = "printed here"  # not a name that a template can write
_LOOP = frozenset({"index", "index0", "first", "last", "length", "revindex"})

_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.For,
    nodes.If,
    nodes.Filter,
    nodes.Const,
    nodes.Tuple,
    nodes.List,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
    nodes.Add,
    nodes.Sub,
)
_TESTS = frozenset({"none", "defined"})


def root_of(path: str) -> str:
    """The first name of a dotted path."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class Use:
    """A value that a template reads: ``path`` such as ``documents[].name`` with loop variables resolved.

    A loop reads ``documents[]``.
    """

    path: str

    @property
    def root(self) -> str:
        """The field that it belongs to."""
        return root_of(self.path)


@dataclass(frozen=True, slots=True)
class Printed:
    """What one tag printed: the path of the value and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled docx and all that its tags printed."""

    docx: bytes
    printed: tuple[Printed, ...]


@dataclass(frozen=True, slots=True)
class Properties:
    """What the document says of itself; the dates come from the case."""

    title: str
    author: str
    moment: dt.datetime


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a template: a code and what its sentence needs."""

    code: str
    params: Mapping[str, str]


class Template:
    """A docx template, compiled. Made by :func:`load`."""

    def __init__(self, name: str, members: Mapping[str, bytes], sha256: str) -> None:
        self.name = name
        self.sha256 = sha256
        self._members = members
        self._environment = _environment()
        self._tags = DocxTemplate(io.BytesIO())
        self._parts: dict[str, Callable[[Mapping[str, Any]], str]] = {}
        self._uses: dict[Use, None] = {}
        self._reshaped = False
        for part in _filled(members):
            self._compile(part, members[part].decode("utf-8"))

    @property
    def uses(self) -> tuple[Use, ...]:
        """Every value that the template reads, in order of appearance."""
        return tuple(self._uses)

    def render(self, values: Mapping[str, Any], properties: Properties) -> Filled:
        """Fill the template.

        Raises:
            BadInput: TEMPLATE-UNDEFINED, TEMPLATE-FILL or TEMPLATE-RESULT.
            Refused: DOCX-ACTIVE or DOCX-EXTERNAL, for what only the filling puts together.
        """
        sink: list[Printed] = []
        context = {name: _shown(value) for name, value in values.items()}
        context[_SINK] = sink
        made: dict[str, bytes] = {}
        for part, render in self._parts.items():
            try:
                text = render(context)
            except UndefinedError as error:
                raise BadInput("TEMPLATE-UNDEFINED", subject=self.name, variable=_undefined(error)) from None
            except (TemplateError, TypeError, ValueError, AttributeError) as error:
                raise BadInput("TEMPLATE-FILL", subject=self.name, reason=error) from None
            made[part] = self._finished(part, text)
        made.update(_properties(self._members, properties))
        members = {name: made.get(name, data) for name, data in self._members.items()}
        return Filled(_packed(members), tuple(sink))

    def _compile(self, part: str, source: str) -> None:
        # One line a paragraph, so that an error names the paragraph that it is in.
        text = re.sub(r"<w:p([ >])", r"\n<w:p\1", self._tags.patch_xml(source))
        try:
            tree = self._environment.parse(text)
        except TemplateSyntaxError as error:
            raise BadInput(
                "TEMPLATE-SYNTAX", subject=self.name, reason=error.message, place=_place(text, error.lineno)
            ) from None
        self._reshaped = self._reshaped or "colspan" in source or "{%tc" in source
        _refuse_code(tree, self.name, text)
        tracker = _Tracker(self._uses, self.name)
        tracker.visit_body(tree.body, {})
        for node in tree.find_all(nodes.Output):
            node.nodes = [_recorded(child, tracker.printed.get(id(child))) for child in node.nodes]
        code = self._environment.compile(tree, self.name)
        compiled = self._environment.template_class.from_code(self._environment, code, {})
        self._parts[part] = compiled.render

    def _finished(self, part: str, text: str) -> bytes:
        xml = self._tags.resolve_listing(re.sub(r"\n<w:p([ >])", r"<w:p\1", text))
        try:
            root = etree.fromstring(xml.encode("utf-8"), _strict())
        except (etree.XMLSyntaxError, UnicodeEncodeError) as error:
            raise BadInput("TEMPLATE-RESULT", subject=self.name, part=part, reason=error) from None
        _check_content(root, part, self.name, _links(self._members, part))
        if self._reshaped:
            root = self._tags.fix_tables(etree.tostring(root, encoding="unicode"))
        for number, drawing in enumerate(root.iter("{*}docPr"), 1001):
            drawing.set("id", str(number))
        data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
        return data


def load(path: Path) -> Template:
    """Read, check and compile a template.

    Raises:
        BadInput: TEMPLATE-MISSING, DOCX-UNREADABLE or TEMPLATE-SYNTAX.
        Refused: DOCX-BOMB, DOCX-ACTIVE, DOCX-EXTERNAL or TEMPLATE-CODE.
    """
    raw = _bytes(path)
    members = members_of(raw, path.name)
    return Template(path.name, members, hashlib.sha256(raw).hexdigest())


def problems(path: Path, known_font: Callable[[str], bool]) -> list[Problem]:
    """What the eye misses in a template: braces full-width, stray or where nothing fills them, exact rows,
    tracked changes, fonts, ￥.

    Raises:
        BadInput: as :func:`load`.
        Refused: as :func:`load`.
    """
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Problem] = {}

    def add(code: str, **params: str) -> None:
        found.setdefault((code, tuple(sorted(params.items()))), Problem(code, params))

    members = members_of(_bytes(path), path.name)
    filled = _filled(members)
    # The program writes docProps/core.xml anew, so that nothing of the template's is left in it.
    for part in sorted(_xml_parts(members) - {*filled, "docProps/core.xml"}):
        if place := _tagged(etree.fromstring(members[part], _bare_xml())):
            add("TEMPLATE-PART", part=part, place=place)
    if part := _changed(members):
        add("TEMPLATE-TRACKED", part=part)
    for part in filled:
        root = etree.fromstring(members[part], _strict())
        for paragraph in root.iter(f"{{{_W}}}p"):
            text = _text(paragraph)
            outside = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", text, flags=re.DOTALL)
            if "｛" in text or "｝" in text:
                add("TEMPLATE-WIDE-BRACES", place=_short(text))
            elif re.search(r"\{\{|\}\}|\{%|%\}", outside):
                add("TEMPLATE-STRAY-BRACES", place=_short(text))
            if "￥" in text:
                add("TEMPLATE-YEN", place=_short(text))
        for row in root.iter(f"{{{_W}}}tr"):
            exact = row.find(f"{{{_W}}}trPr/{{{_W}}}trHeight[@{{{_W}}}hRule='exact']")
            if exact is not None and "{{" in _text(row):
                add("TEMPLATE-EXACT-ROW", place=_short(_text(row)))
        for fonts in root.iter(f"{{{_W}}}rFonts"):
            for side in ("ascii", "hAnsi", "eastAsia"):
                name = fonts.get(f"{{{_W}}}{side}")
                if name and not known_font(name):
                    add("TEMPLATE-FONT", font=name)
    return list(found.values())


def pruned(raw: bytes, name: str) -> bytes:
    """The docx without the styles that nothing in it uses, and without Word's copies and thumbnails of them.

    Raises:
        BadInput: as :func:`members_of`.
        Refused: as :func:`members_of`.
    """
    members = members_of(raw, name)
    for part in ("word/stylesWithEffects.xml", "docProps/thumbnail.jpeg"):
        if members.pop(part, None) is None:
            continue
        for holder, tag, attribute in (
            ("[Content_Types].xml", "Override", "PartName"),
            ("word/_rels/document.xml.rels", "Relationship", "Target"),
            ("_rels/.rels", "Relationship", "Target"),
        ):
            if holder in members:
                members[holder] = _without(members[holder], tag, attribute, part.rpartition("/")[2])
    if "word/styles.xml" in members:
        members["word/styles.xml"] = _used_styles(members)
    return _packed(members)


def settled(raw: bytes, name: str) -> bytes:
    """The docx with ``w:overflowPunct`` on every paragraph, so that no punctuation is lost on the way to PDF.

    LibreOffice 7.4 reads the property upside down: without it punctuation hangs over the margin, and in a
    justified line it is then left out of the page. For Word it states what holds anyway.

    Raises:
        BadInput: as :func:`members_of`.
        Refused: as :func:`members_of`.
    """
    members = members_of(raw, name)
    for part in _filled(members):
        root = etree.fromstring(members[part], _strict())
        for paragraph in root.iter(f"{{{_W}}}p"):
            _settle(paragraph)
        members[part] = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return _packed(members)


def _settle(paragraph: Any) -> None:
    properties = paragraph.find(f"{{{_W}}}pPr")
    if properties is None:
        properties = etree.Element(f"{{{_W}}}pPr")
        paragraph.insert(0, properties)
    for stated in properties.findall(f"{{{_W}}}overflowPunct"):
        properties.remove(stated)
    before = (n for n, child in enumerate(properties) if etree.QName(child).localname not in _BEFORE_OVERFLOW)
    properties.insert(next(before, len(properties)), etree.Element(f"{{{_W}}}overflowPunct"))


def _without(data: bytes, tag: str, attribute: str, ending: str) -> bytes:
    root = etree.fromstring(data, _strict())
    for element in list(root):
        if etree.QName(element).localname == tag and element.get(attribute, "").endswith(ending):
            root.remove(element)
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return made


def _used_styles(members: Mapping[str, bytes]) -> bytes:
    root = etree.fromstring(members["word/styles.xml"], _strict())
    styles = {s.get(f"{{{_W}}}styleId"): s for s in root.iter(f"{{{_W}}}style")}
    wanted = [i for i, s in styles.items() if s.get(f"{{{_W}}}default") in ("1", "true")]
    for part, data in members.items():
        if part.startswith("word/") and part.endswith(".xml") and part != "word/styles.xml":
            wanted += (m.decode() for m in _STYLE_USED.findall(data))
    kept: set[str | None] = set()
    while wanted:
        one = wanted.pop()
        if one in kept or one not in styles:
            continue
        kept.add(one)
        for link in ("basedOn", "link", "next"):
            wanted += [e.get(f"{{{_W}}}val") for e in styles[one].iter(f"{{{_W}}}{link}")]
    for style_id, style in styles.items():
        if style_id not in kept:
            root.remove(style)
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return made


def members_of(raw: bytes, name: str) -> dict[str, bytes]:
    """The parts of a docx, checked: no bomb, no macro, no link to outside, no DTD, well-formed XML.

    Word goes by the types of relationships and of contents, not by the names of parts; so do the checks.

    Raises:
        BadInput: DOCX-UNREADABLE.
        Refused: DOCX-BOMB, DOCX-NAME, DOCX-ACTIVE or DOCX-EXTERNAL.
    """
    members: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as package:
            infos = package.infolist()
            if len(infos) > _MEMBERS or sum(info.file_size for info in infos) > _PACKAGE_BYTES:
                raise Refused("DOCX-BOMB", subject=name)
            seen: set[str] = set()
            for info in infos:
                # What zipfile makes of a name is not what another reader makes of it.
                if _escapes(info.orig_filename):
                    raise Refused("DOCX-NAME", subject=name, part=info.orig_filename)
                if info.filename.casefold() in seen or info.flag_bits & 1:
                    raise BadInput("DOCX-UNREADABLE", subject=name, reason=info.filename)
                seen.add(info.filename.casefold())
                with package.open(info) as part:
                    data = part.read(_MEMBER_BYTES + 1)
                if len(data) > _MEMBER_BYTES:
                    raise Refused("DOCX-BOMB", subject=name)
                members[info.filename] = data
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise BadInput("DOCX-UNREADABLE", subject=name, reason=error) from None
    except Exception as error:  # zlib.error and lzma's are raised bare by zipfile
        if isinstance(error, (BadInput, Refused)):
            raise
        raise BadInput("DOCX-UNREADABLE", subject=name, reason=error) from None
    if "word/document.xml" not in members:
        raise BadInput("DOCX-UNREADABLE", subject=name, reason="word/document.xml")
    for member in members:
        if _ACTIVE.search(member):
            raise Refused("DOCX-ACTIVE", subject=name, part=member)
    named = {m for m in members if m.casefold().endswith((".xml", ".rels"))}
    # First these: they say what else is XML.
    for member in sorted(named):
        _parsed(member, members[member], name)
    for kind, member in _contents(members):
        if _ACTIVE_CONTENT.search(kind):
            raise Refused("DOCX-ACTIVE", subject=name, part=f"{member}：{kind}")
    for target in _related(members, "", {"officedocument"}):
        if target != "word/document.xml":
            raise BadInput("DOCX-UNREADABLE", subject=name, reason=target)
    filled = _filled(members)
    for member in sorted(named | _xml_parts(members) | {*filled}):
        _check_xml(member, members, name)
    for member in filled:
        try:
            members[member].decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadInput("DOCX-UNREADABLE", subject=name, reason=f"{member}: {error}") from None
    return members


def tracked(raw: bytes, name: str) -> bool:
    """True when insertions, deletions or moves still wait to be accepted or rejected (修订).

    What such a document says depends on who looks at it.

    Raises:
        BadInput: as :func:`members_of`.
        Refused: as :func:`members_of`.
    """
    return bool(_changed(members_of(raw, name)))


def paragraphs(raw: bytes, name: str) -> list[str]:
    """The text of every paragraph of the body, for a docx that a clerk edited.

    Raises:
        BadInput: as :func:`members_of`.
        Refused: as :func:`members_of`.
    """
    root = etree.fromstring(members_of(raw, name)["word/document.xml"], _strict())
    return [text for paragraph in root.iter(f"{{{_W}}}p") if (text := _text(paragraph)).strip()]


def replaced(raw: bytes, name: str, old: str, new: str) -> bytes:
    """The docx with ``old`` replaced wherever it stands in one paragraph, however Word split its runs.

    Raises:
        BadInput: as :func:`members_of`.
        Refused: as :func:`members_of`.
    """
    members = members_of(raw, name)
    for part in _filled(members):
        root = etree.fromstring(members[part], _strict())
        changed = False
        for paragraph in root.iter(f"{{{_W}}}p"):
            texts = list(paragraph.iter(f"{{{_W}}}t"))
            place = _replace_in(texts, old, new)
            while place is not None:
                changed = True
                place = _replace_in(texts, old, new, place)
        if changed:
            members[part] = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return _packed(members)


def _replace_in(texts: Sequence[Any], old: str, new: str, start: int = 0) -> int | None:
    """Replace the first ``old`` from ``start`` on; where to look on, None when there is none."""
    whole = "".join(t.text or "" for t in texts)
    start = whole.find(old, start)
    if start < 0:
        return None
    end, place = start + len(old), 0
    for element in texts:
        text = element.text or ""
        first, last = max(start - place, 0), min(end - place, len(text))
        if first < last:
            element.text = text[:first] + (new if start >= place else "") + text[last:]
            element.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        place += len(text)
    return start + len(new)


class _Tracker:
    """Walks a template with its loop variables and notes each value that is read."""

    def __init__(self, uses: dict[Use, None], name: str) -> None:
        self._uses = uses
        self._name = name
        self.printed: dict[int, str] = {}

    def visit_body(self, body: Sequence[nodes.Node], scope: Mapping[str, str]) -> None:
        for node in body:
            self.visit(node, scope)

    def visit(self, node: nodes.Node, scope: Mapping[str, str]) -> None:
        if isinstance(node, nodes.For):
            if not isinstance(node.target, nodes.Name):
                raise Refused("TEMPLATE-CODE", subject=self._name, what="for a, b in …")
            over = self.path(node.iter, scope)
            if over is None:
                self.visit(node.iter, scope)
            else:
                self._uses.setdefault(Use(f"{over}[]"))
            inner = {**scope, node.target.name: f"{over or ''}[]", "loop": ""}
            if node.test is not None:
                self.visit(node.test, inner)
            self.visit_body(node.body, inner)
            self.visit_body(node.else_, scope)
            return
        if isinstance(node, nodes.Output):
            for child in node.nodes:
                if not isinstance(child, nodes.TemplateData):
                    self.printed[id(child)] = self.path(_bare(child), scope) or ""
        if isinstance(node, nodes.Name | nodes.Getattr):
            path = self.path(node, scope)
            if path:
                self._uses.setdefault(Use(path))
            return
        for below in node.iter_child_nodes():
            self.visit(below, scope)

    def path(self, node: nodes.Node, scope: Mapping[str, str]) -> str | None:
        """Dotted path of a name or an attribute; "" for the loop itself, None for anything else."""
        if isinstance(node, nodes.Name):
            return scope.get(node.name, node.name)
        if isinstance(node, nodes.Getattr):
            parent = self.path(node.node, scope)
            if parent == "":
                if node.attr not in _LOOP:
                    raise Refused("TEMPLATE-CODE", subject=self._name, what=f"loop.{node.attr}")
                return ""
            return None if parent is None else f"{parent}.{node.attr}"
        return None


def _bare(node: nodes.Expr) -> nodes.Expr:
    """The expression without its filters."""
    return _bare(node.node) if isinstance(node, nodes.Filter) and node.node is not None else node


def _recorded(node: nodes.Expr, path: str | None) -> nodes.Expr:
    if path is None:
        return node
    call = nodes.Filter(node, "_recorded", [nodes.Const(path)], [], None, None)
    call.set_lineno(node.lineno)
    return call


def _refuse_code(tree: nodes.Template, name: str, text: str) -> None:
    for node in tree.find_all(nodes.Node):
        what = ""
        if isinstance(node, nodes.Filter) and node.name not in words.FILTERS:
            raise BadInput("TEMPLATE-FILTER", subject=name, filter=node.name, place=_place(text, node.lineno))
        if isinstance(node, nodes.Test):
            what = "" if node.name in _TESTS else f"is {node.name}"
        elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            what = node.attr
        elif isinstance(node, nodes.Name) and node.name.startswith("_"):
            what = node.name
        elif isinstance(node, nodes.For) and node.recursive:
            what = "recursive"
        elif not isinstance(node, _ALLOWED):
            what = type(node).__name__
        if what:
            raise Refused("TEMPLATE-CODE", subject=name, what=what, place=_place(text, node.lineno))


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
    environment.globals.clear()
    environment.filters.clear()
    environment.filters.update(words.FILTERS)
    environment.filters["_recorded"] = _record
    return environment


@pass_context
def _record(context: JinjaContext, value: Any, path: str) -> str:
    if isinstance(value, Undefined):
        return str(value)  # raises, with the name of the variable
    text = words.plain(value)
    context[_SINK].append(Printed(path, text))
    # A line of a long text is a paragraph of its own, with its own indent; docxtpl writes it for \a.
    return text.replace("\n", "\a")


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return words.Record({name: _shown(inner) for name, inner in value.items()})
    if isinstance(value, list | tuple):
        return tuple(_shown(inner) for inner in value)
    return value


def _undefined(error: UndefinedError) -> str:
    message = error.message or ""
    name = re.search(r"'([^']*)' is undefined|has no attribute '([^']*)'", message)
    return next((group for group in name.groups() if group), message) if name else message


def _check_xml(part: str, members: Mapping[str, bytes], name: str) -> None:
    root = _parsed(part, members[part], name)
    if part.casefold().endswith(".rels"):
        for relationship in root.iter("{*}Relationship"):
            _check_relationship(relationship, part, name)
    else:
        _check_content(root, part, name, _links(members, part))


def _parsed(part: str, data: bytes, name: str) -> Any:
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise Refused("DOCX-ACTIVE", subject=name, part=part)
    try:
        root = etree.fromstring(data, _bare_xml())
    except etree.XMLSyntaxError as error:
        raise BadInput("DOCX-UNREADABLE", subject=name, reason=f"{part}: {error}") from None
    if root.getroottree().docinfo.doctype:
        raise Refused("DOCX-ACTIVE", subject=name, part=part)
    return root


def _check_relationship(relationship: Any, part: str, name: str) -> None:
    kind = _kind(relationship)
    if kind in _ACTIVE_TYPES:
        raise Refused("DOCX-ACTIVE", subject=name, part=f"{part}：{kind}")
    if kind in _FETCHED_TYPES or kind.startswith("mailmerge"):
        raise Refused("DOCX-EXTERNAL", subject=name, part=part, kind=kind)
    target = unquote(relationship.get("Target", "")).strip()
    outside = _OUTSIDE.match(target)
    if not _external(relationship):
        # Some readers follow such a target though nothing says that it is outside.
        if outside:
            raise Refused("DOCX-EXTERNAL", subject=name, part=part, kind=f"{kind} {_short(target)}")
        return
    scheme = outside[0].rstrip(":").lower() if outside else ""
    # A hyperlink only waits to be clicked; pictures, templates and frames are fetched on opening.
    if kind != "hyperlink" or (len(scheme) > 1 and scheme not in _SCHEMES and scheme[0].isalpha()):
        raise Refused("DOCX-EXTERNAL", subject=name, part=part, kind=kind)


def _check_content(root: Any, part: str, name: str, links: frozenset[str]) -> None:
    """``links`` are the ids of what leads outside of the part."""
    fields = False
    for element in root.iter("*"):
        space, local = _split(element.tag)
        if local == "OLEObject" or (local in _ACTIVE_ELEMENTS and "wordprocessingml" in space):
            raise Refused("DOCX-ACTIVE", subject=name, part=f"{part}：{local}")
        if local == "mailMerge" and "wordprocessingml" in space:
            # Its connection string needs no relationship.
            raise Refused("DOCX-EXTERNAL", subject=name, part=part, kind=local)
        fields = fields or local in ("instrText", "delInstrText", "fldSimple")
        for key, value in element.attrib.items():
            of, attribute = _split(key)
            related = of.endswith("/relationships") or attribute == "relid"
            misused = value in links and local not in _CLICKED
            fetched = related and (misused or attribute in ("link", "href"))
            # VML names a picture's address without any relationship.
            drawn = local in ("imagedata", "fill", "stroke") and attribute in ("src", "href", "althref")
            if fetched or (drawn and _OUTSIDE.match(value.strip())):
                raise Refused("DOCX-EXTERNAL", subject=name, part=part, kind=f"{local} {attribute}")
    if not fields:
        return
    for story in (root, *root.iter("{*}txbxContent")):
        for code in _codes(story):
            found = _FIELD.match(code)
            if found and found[1].upper() == "DDE":
                raise Refused("DOCX-ACTIVE", subject=name, part=f"{part}：{_short(code)}")
            if found or code == _HIDDEN:
                raise Refused("DOCX-EXTERNAL", subject=name, part=part, kind=_short(code))


_HIDDEN = "{ { } }"
"""A field whose name another field, or one of two alternatives, decides: nobody writes that by accident."""


def _codes(story: Any) -> Iterator[str]:
    """The code of every field of a text, whole, however Word split it over runs and paragraphs.

    Each is given twice when tracked deletions are part of it: with them and without.
    """
    opened = [_Code()]  # the first is for code outside of a field, which belongs to its paragraph
    for element in _within(story):
        local = _split(element.tag)[1]
        if local == "p" and len(opened) == 1:
            yield from opened[0].taken()
        elif local == "fldSimple":
            yield next((v for k, v in element.attrib.items() if _split(k)[1] == "instr"), "")
        elif local in ("instrText", "delInstrText"):
            opened[-1].add(element.text or "", deleted=local == "delInstrText")
        elif local == "AlternateContent":
            if any(_split(e.tag)[1] in ("instrText", "delInstrText", "fldChar") for e in _within(element)):
                yield _HIDDEN
        elif local == "fldChar":
            kind = next((v for k, v in element.attrib.items() if _split(k)[1] == "fldCharType"), "")
            if kind == "begin":
                if len(opened) > 1 and opened[-1].nameless:
                    yield _HIDDEN
                opened.append(_Code())
                continue
            yield from opened[-1].taken()
            if kind == "end" and len(opened) > 1:
                opened.pop()
    for code in opened:
        yield from code.taken()


class _Code:
    """The code of one field so far."""

    def __init__(self) -> None:
        self._whole = self._kept = ""
        self._ended = False

    @property
    def nameless(self) -> bool:
        """True when nothing has named the field yet."""
        return not self._ended and not self._kept.strip()

    def add(self, text: str, *, deleted: bool) -> None:
        self._whole += text
        self._kept += "" if deleted else text

    def taken(self) -> Iterator[str]:
        yield from {self._whole, self._kept}
        self._whole = self._kept = ""
        self._ended = True


def _within(element: Any) -> Iterator[Any]:
    """What is in a text, in order, without the text boxes in it: they are texts of their own."""
    for child in element.iterchildren("*"):
        yield child
        if _split(child.tag)[1] != "txbxContent":
            yield from _within(child)


def _split(name: str) -> tuple[str, str]:
    """Namespace and local name. Word reads the names of two standards, of 2006 and of “strict”."""
    space, _, local = name.rpartition("}")
    return space, local


def _kind(relationship: Any) -> str:
    kind: str = relationship.get("Type", "").strip().rsplit("/", 1)[-1].lower()
    return kind


def _external(relationship: Any) -> bool:
    mode: str = relationship.get("TargetMode", "")
    return mode.strip().lower() == "external"


def _escapes(member: str) -> bool:
    return (
        member.startswith("/")
        or "\\" in member
        or "\0" in member
        or ".." in member.split("/")
        or re.match(r"[A-Za-z]:", member) is not None
    )


def _relationships(members: Mapping[str, bytes], part: str) -> list[Any]:
    folder, _, base = part.rpartition("/")
    wanted = posixpath.join(folder, "_rels", f"{base}.rels").casefold()
    return [
        relationship
        for member, data in members.items()
        if member.casefold() == wanted
        for relationship in etree.fromstring(data, _bare_xml()).iter("{*}Relationship")
    ]


def _links(members: Mapping[str, bytes], part: str) -> frozenset[str]:
    """The ids under which a part leads outside of the package."""
    return frozenset(r.get("Id", "") for r in _relationships(members, part) if _external(r))


def _related(members: Mapping[str, bytes], part: str, kinds: Container[str]) -> Iterator[str]:
    """The members that a part names in relationships of these kinds; "" as part is the package."""
    real = {member.casefold(): member for member in members}
    for relationship in _relationships(members, part):
        if _kind(relationship) in kinds and not _external(relationship):
            target = unquote(relationship.get("Target", "")).strip()
            path = posixpath.normpath(posixpath.join("/", posixpath.dirname(part), target)).lstrip("/")
            yield real.get(path.casefold(), path)


def _filled(members: Mapping[str, bytes]) -> tuple[str, ...]:
    """The parts that tags are filled in: the body, and headers and footers whatever they are called."""
    named = {*_related(members, "word/document.xml", {"header", "footer"})}
    return tuple(part for part in members if part in named or _TEMPLATED.fullmatch(part))


def _contents(members: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Content type and name of every member whose type the package states."""
    stated = next((data for name, data in members.items() if name.casefold() == "[content_types].xml"), None)
    if stated is None:
        return
    root = etree.fromstring(stated, _bare_xml())
    own = {e.get("PartName", "").lstrip("/").casefold(): e for e in root.iter("{*}Override")}
    endings = {e.get("Extension", "").casefold(): e for e in root.iter("{*}Default")}
    for member in members:
        element = own.get(member.casefold())
        if element is None:
            element = endings.get(member.rpartition(".")[2].casefold())
        if element is not None:
            yield element.get("ContentType", ""), member


def _xml_parts(members: Mapping[str, bytes]) -> set[str]:
    """The XML in a package, by name or by stated type, without relationships."""
    typed = {
        part
        for kind, part in _contents(members)
        if kind.lower().endswith(("+xml", "/xml")) and not kind.lower().startswith("image/")
    }
    named = {part for part in members if part.casefold().endswith(".xml")}
    return {part for part in typed | named if not part.casefold().endswith(".rels")}


def _tagged(root: Any) -> str:
    """The first text with a tag in it, or ""."""
    paragraphs = ("".join(p.itertext()) for p in root.iter("{*}p"))
    texts = (text for e in root.iter("*") for text in (e.text or "", e.tail or ""))
    return next((_short(text) for text in (*paragraphs, *texts) if _TAG.search(text)), "")


def _changed(members: Mapping[str, bytes]) -> str:
    """The first part with tracked changes, or ""."""
    for part in sorted(_xml_parts(members)):
        if "glossary/" in part or "comments" in part:
            continue  # printed nowhere, and Word's “accept all” does not reach them
        for element in etree.fromstring(members[part], _bare_xml()).iter("*"):
            space, local = _split(element.tag)
            if local in _CHANGES and "wordprocessingml" in space:
                return part
    return ""


def _bare_xml() -> etree.XMLParser:
    """For looking at XML: a comment in the middle of a word can't hide it."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )


def _strict() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )


def _text(element: Any) -> str:
    return "".join(t.text or "" for t in element.iter(f"{{{_W}}}t"))


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 30 else f"{text[:30]}…"


def _place(text: str, line: int | None) -> str:
    rows = text.split("\n")
    row = rows[line - 1] if line and line <= len(rows) else ""
    return _short(re.sub(r"<[^>]*>", "", row))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise BadInput("TEMPLATE-MISSING", subject=path.name) from None


def _packed(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            package.writestr(info, data, compresslevel=6)
    return out.getvalue()


def _properties(members: Mapping[str, bytes], properties: Properties) -> Iterator[tuple[str, bytes]]:
    moment = properties.moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if "docProps/core.xml" in members:
        core = (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
            ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
            ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            f"<dc:title>{escape(properties.title)}</dc:title><dc:creator>{escape(properties.author)}</dc:creator>"
            f'<dcterms:created xsi:type="dcterms:W3CDTF">{moment}</dcterms:created>'
            f'<dcterms:modified xsi:type="dcterms:W3CDTF">{moment}</dcterms:modified></cp:coreProperties>'
        )
        yield "docProps/core.xml", core.encode("utf-8")
