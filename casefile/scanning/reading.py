"""The text of a file, place by place. A picture of text has none: that is said, never passed over."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from casefile.errors import CasefileError
from casefile.formats.containers import archives, zip_bounds
from casefile.formats.identify import sniff
from casefile.formats.office import html_text, mail, office_text, plain_text
from casefile.formats.pdf import pdf_strings, pdf_text
from casefile.formats.pictures import pictures
from casefile.model.finding import NotLookedAt
from casefile.model.text import PageText
from casefile.scanning import eyes

_DEEPEST = 2
_MOST_TEXT = 200_000_000
_MOST_PAGES = 10_000
_OCR_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one file, and what of it could not be.

    ``pictures`` are those of ``not_looked_at`` which stand for the file's own pages: who reads these pages
    off their look makes them good.
    """

    pages: tuple[PageText, ...] = ()
    not_looked_at: tuple[NotLookedAt, ...] = ()
    pictures: tuple[NotLookedAt, ...] = ()


def read(
    path: Path,
    subject: str = "",
    case_no: str = "",
    *,
    password: str = "",
    bounds: zip_bounds.Bounds | None = None,
    inner: bool = True,
    ocr: bool = False,
) -> Reading:
    """Read PDF, Office (docx, xlsx, pptx), plain text, mails and archives; the file name counts as text too.

    ``subject`` is how findings name the file; without ``inner`` what is in an archive or hangs on a mail is
    left alone. With ``ocr`` pages that are pictures, and photographs, are read by character recognition, for
    ten minutes at most. Nothing is written, except that what is inside of a file, or a picture, goes into
    memory-backed or private temporary storage to be read.
    """
    shown = subject or path.name
    reader = _Reader(shown, case_no, bounds or zip_bounds.Bounds(), inner, ocr)
    reader.say("文件名", path.name)
    try:
        reader.file(path, sniff.media_type(path), password)
    except CasefileError as error:
        reader.skip(_REASONS.get(error.code, "文件损坏，读不出文字，未检查"))
    except OSError as error:
        reader.skip(f"文件打不开（{error.strerror}），未检查")
    return Reading(tuple(reader.pages), tuple(reader.skipped), tuple(reader.pictures))


_REASONS = {
    "PDF-LOCKED": "文件有密码，未检查",
    "ZIP-LOCKED": "文件有密码，未检查",
    "ZIP-BOMB": "压缩内容过大，疑似压缩炸弹，未检查",
    "MAIL-BOMB": "附件过多或过大，疑似压缩炸弹，未检查",
    "ZIP-PATH": "压缩包内路径不安全，未检查",
    "EVIDENCE-PATH": "压缩包内路径不安全，未检查",
    "ZIP-METHOD": "压缩方式这里不认识，未检查",
}


class _Reader:
    def __init__(self, subject: str, case_no: str, bounds: zip_bounds.Bounds, inner: bool, ocr: bool) -> None:
        self.subject = subject
        self.case_no = case_no
        self.bounds = bounds
        self.left = bounds
        self.inner = inner
        self.ocr = ocr
        self.until = time.monotonic() + _OCR_SECONDS
        self.pictures: list[NotLookedAt] = []
        self.pages: list[PageText] = []
        self.skipped: list[NotLookedAt] = []

    def say(self, place: str, text: str) -> None:
        if text.strip():
            self.pages.append(PageText(self.subject, place, text, self.case_no))

    def skip(self, reason: str, *, picture: bool = False) -> None:
        self.skipped.append(NotLookedAt(self.subject, reason))
        if picture:
            self.pictures.append(self.skipped[-1])

    def file(self, path: Path, kind: str, password: str = "", place: str = "", depth: int = 0) -> None:
        if kind == sniff.PDF:
            self._pdf(path, password, place, depth)
        elif kind in sniff.OOXML:
            self._office(path, place, depth)
        elif kind in (sniff.EML, sniff.MHTML):
            self._mail(path, place, depth)
        elif kind in (sniff.ZIP, sniff.SEVEN_ZIP):
            if self.inner:
                self._archive(path, kind, password, place, depth)
        elif kind in sniff.READABLE:
            self._text(path, place, marked_up=kind == sniff.HTML)
        elif kind != sniff.EMPTY:
            name = sniff.NAMES.get(kind, kind)
            if not kind.startswith("image/"):
                self.skip(f"{place}{name}：内容不能作为文字读取，未检查")
            elif not (self.ocr and self._picture(path, place)):
                self.skip(f"{place}{name}：图片，没有可读的文字，未检查", picture=depth == 0)

    def _picture(self, path: Path, place: str) -> bool:
        """Read a photograph or scan by way of the pages that it would make; False when it makes none."""
        with tempfile.TemporaryDirectory(dir=_memory()) as folder:
            pages = Path(folder) / "pages.pdf"
            try:
                made = pictures.to_pdf(path, pages, Path(folder))
            except CasefileError:
                return False
            with pdf_text.opened(pages) as reader:
                self._by_look(reader, list(range(1, len(reader) + 1)), place)
            if made.shown < made.frames:
                self.skip(f"{place}只检查了 {made.shown} 幅画面，共 {made.frames} 幅")
        return True

    def _by_look(self, reader: pdf_text.Reader, pages: list[int], place: str) -> None:
        incomplete, late = [], []
        for number in pages:
            if time.monotonic() > self.until:
                late.append(number)
                continue
            found = eyes.read_page(reader, number - 1)
            self.say(f"{place}第{number}页", found.text)
            if not found.complete:
                incomplete.append(number)
        if incomplete:
            self.skip(f"{place}{eyes.listed(incomplete)}{eyes.INCOMPLETE}")
        if late:
            self.skip(f"{place}{eyes.listed(late)}{eyes.LATE}")

    def _pdf(self, path: Path, password: str, place: str, depth: int) -> None:
        unread = []
        with pdf_text.opened(path, password or None) as reader:
            for index in range(min(len(reader), _MOST_PAGES)):
                text = reader.text(index)
                self.say(f"{place}第{index + 1}页", text)
                if eyes.needs_reading(text, reader, index):
                    unread.append(index + 1)
            if len(reader) > _MOST_PAGES:
                self.skip(f"{place}第{_MOST_PAGES + 1}页起未检查：页数过多")
            if unread and self.ocr:
                self._by_look(reader, unread, place)
        if unread and not self.ocr:
            self.skip(f"{place}{eyes.listed(unread)}是图像或文字不可读，未检查", picture=depth == 0)
        strings = pdf_strings.read(path, password)
        self.say(f"{place}属性、书签和批注", strings.text)
        if strings.unread:
            self.skip(f"{place}{strings.unread} 个附件读不出，未检查")
        for name, data in strings.attachments:
            self._inner(f"{place}{name} ", data, depth)

    def _office(self, path: Path, place: str, depth: int) -> None:
        found = office_text.read(path, self.subject, self.bounds)
        for where, text in found.places:
            self.say(f"{place}{where}", text)
        if found.pictures:
            self.skip(f"{place}文档内有 {found.pictures} 张图片，图中文字未检查")
        for number, (_, data) in enumerate(found.embedded, 1):
            self._inner(f"{place}嵌入对象{number} ", data, depth)

    def _mail(self, path: Path, place: str, depth: int) -> None:
        read = mail.read(path, most_bytes=self.bounds.unpacked, most_parts=self.bounds.members)
        names = [one.name for one in read.attachments]
        fields = (read.subject, read.sender, read.recipients, read.copies, *names)
        self.say(f"{place}邮件信息", "\n".join(fields))
        self.say(f"{place}正文", read.text)
        self.say(f"{place}正文", html_text.plain(read.html))
        if not read.whole:
            self.skip(f"{place}邮件有一部分不能解码，未检查")
        for number, one in enumerate(read.attachments if self.inner else (), 1):
            self._inner(f"{place}附件{number} ", one.data, depth)

    def _archive(self, path: Path, kind: str, password: str, place: str, depth: int) -> None:
        if depth >= _DEEPEST:
            self.skip(f"{place}嵌套过深，未检查")
            return
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            members = archives.unpack(path, kind, folder, self.left, password)
            unpacked = sum(one.size for one in members)
            # What lies deeper must keep within the same bounds.
            self.left = zip_bounds.Bounds(self.left.members - len(members), self.left.unpacked - unpacked)
            self.say(f"{place}文件名", "\n".join(one.name for one in members))
            for one in members:
                inside = f"{place}{one.name} "
                if one.problem:
                    self.skip(f"{inside}取不出来，未检查")
                    continue
                try:
                    file = folder / one.stored
                    self.file(file, sniff.media_type(file, one.name), password, inside, depth + 1)
                except CasefileError as error:
                    self.skip(inside + _REASONS.get(error.code, "损坏，读不出文字，未检查"))

    def _text(self, path: Path, place: str, *, marked_up: bool) -> None:
        with path.open("rb") as file:
            data = file.read(_MOST_TEXT + 1)
        if len(data) > _MOST_TEXT:
            self.skip(f"{place}文本过长，未检查")
            return
        text = _decoded(data)
        self.say(f"{place}全文", html_text.plain(text) if marked_up else text)

    def _inner(self, place: str, data: bytes, depth: int) -> None:
        if depth >= _DEEPEST:
            self.skip(f"{place}嵌套过深，未检查")
            return
        # Readers of PDF and zip want a file; memory-backed where the system has such a place.
        with tempfile.NamedTemporaryFile(dir=_memory()) as inner:
            inner.write(data)
            inner.flush()
            path = Path(inner.name)
            try:
                self.file(path, sniff.media_type(path), place=place, depth=depth + 1)
            except CasefileError as error:
                self.skip(place + _REASONS.get(error.code, "损坏，读不出文字，未检查"))


def _memory() -> Path | None:
    shared = Path("/dev/shm")
    return shared if shared.is_dir() else None


def _decoded(data: bytes) -> str:
    # As the pages are made. UTF-16 shows by its mark or its zero bytes; looking for more takes its time.
    if b"\0" in data or data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return plain_text.decoded(data)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")
