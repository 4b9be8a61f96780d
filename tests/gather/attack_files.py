"""Files made to choke, stall or mislead whoever opens them. Each function writes one."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

Objects = dict[int, bytes]

_LEAF = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources 5 0 R>>"
_SQUARE = b"1 0 0 rg 50 50 100 100 re f"


def stream(data: bytes, keys: bytes = b"") -> bytes:
    """A stream object."""
    return b"<<" + keys + b"/Length %d>>\nstream\n" % len(data) + data + b"\nendstream"


def packed(data: bytes, keys: bytes = b"") -> bytes:
    """A stream object, deflated."""
    return stream(zlib.compress(data, 9), keys + b"/Filter/FlateDecode")


def zeros(size: int, *, layers: int = 1) -> bytes:
    """Zeros, deflated as often as asked: one block again and again, so that making it costs nothing."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = engine.compress(bytes(1 << 20)) + engine.flush(zlib.Z_FULL_FLUSH)
    total = (size >> 20) << 20
    data = b"\x78\xda" + block * (size >> 20) + b"\x03\x00" + struct.pack(">I", total % 65521 << 16 | 1)
    for _ in range(layers - 1):
        data = zlib.compress(data, 9)
    return data


def pdf(objects: Objects, trailer: bytes = b"") -> bytes:
    """A file of these objects, with a table that finds them."""
    out = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    size = max(objects) + 1
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 00000 f \n"
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)
    return bytes(out)


def page(more: Objects | None = None, *, leaf: bytes = _LEAF, content: bytes = _SQUARE) -> bytes:
    """One page with a red square, and whatever else is given in its place."""
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: leaf,
        4: stream(content),
        5: b"<<>>",
    }
    return pdf(objects | (more or {}))


# Streams that unpack to more than they should.


def flate() -> bytes:
    """300 MB of zeros for a page."""
    return page({4: stream(zeros(300 << 20), b"/Filter/FlateDecode")})


def flate_twice() -> bytes:
    """300 MB of zeros, deflated twice: 1 kB."""
    data = zeros(300 << 20, layers=2)
    return page({4: stream(data, b"/Filter[/FlateDecode/FlateDecode]")})


def hex_of_flate() -> bytes:
    """A bomb behind a harmless filter."""
    data = zeros(300 << 20, layers=2).hex().encode() + b">"
    return page({4: stream(data, b"/Filter[/ASCIIHexDecode/FlateDecode/FlateDecode]")})


def run_length() -> bytes:
    """Run lengths in deflate: 64 times more than deflate alone."""
    runs = zlib.compress(b"\x81\x00" * (4 << 20), 9)
    return page({4: stream(runs, b"/Filter[/FlateDecode/RunLengthDecode]")})


def lzw_of_flate() -> bytes:
    """LZW made of deflated zeros: codes that all mean zero."""
    return page({4: stream(zeros(64 << 20), b"/Filter[/FlateDecode/LZWDecode]")})


def many_filters() -> bytes:
    """The same filter a thousand times."""
    data = stream(b"0" * 1000 + b">", b"/Filter[" + b"/ASCIIHexDecode" * 1000 + b"]")
    return page({4: data})


def many_bombs() -> bytes:
    """Each stream is within bounds, all of them together are not."""
    data = zeros(200 << 20)
    kids = b" ".join(b"%d 0 R" % n for n in range(10, 70))
    more: Objects = {2: b"<</Type/Pages/Kids[%s]/Count 60>>" % kids}
    for n in range(60):
        more[10 + n] = _LEAF.replace(b"4 0 R", b"%d 0 R" % (100 + n))
        more[100 + n] = stream(data, b"/Filter/FlateDecode")
    return page(more)


def object_stream() -> bytes:
    """A bomb where the objects lie: read before anything can be asked."""
    return _by_stream(zeros(1 << 30), b"/Type/ObjStm/N 1/First 4")


def xref_stream() -> bytes:
    """A bomb where the table lies."""
    body = b"%PDF-1.7\n"
    data = stream(zeros(1 << 30), b"/Type/XRef/Size 5000000/W[1 8 8]/Root 1 0 R/Filter/FlateDecode")
    return body + b"7 0 obj\n" + data + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(body)


def _by_stream(data: bytes, keys: bytes) -> bytes:
    out = bytearray(b"%PDF-1.7\n")
    places = {2: len(out)}
    out += b"2 0 obj\n" + stream(data, keys + b"/Filter/FlateDecode") + b"\nendobj\n"
    start = len(out)
    table = struct.pack(">BIB", 0, 0, 255) + struct.pack(">BIB", 2, 2, 0)
    table += struct.pack(">BIB", 1, places[2], 0) + struct.pack(">BIB", 1, start, 0)
    keys = b"/Type/XRef/Size 4/W[1 4 1]/Root 1 0 R"
    out += b"3 0 obj\n" + stream(table, keys) + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


# Content that takes for ever.


def operators() -> bytes:
    """Two million squares on one page."""
    return page({4: packed(b"1 0 0 rg\n" + b"50 50 100 100 re f\n" * 2_000_000)})


def text_operators() -> bytes:
    """A million pieces of text."""
    font = b"<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    return page({4: packed(b"BT /F1 9 Tf 50 50 Td " + b"(a) Tj " * 1_000_000 + b"ET"), 5: font})


def laughs() -> bytes:
    """Ten forms, each of which draws the next ten times."""
    more: Objects = {5: b"<</XObject<</X 10 0 R>>>>", 4: stream(b"/X Do")}
    for n in range(10):
        last = n == 9
        keys = b"/Type/XObject/Subtype/Form/BBox[0 0 200 200]"
        keys += b"" if last else b"/Resources<</XObject<</X %d 0 R>>>>" % (11 + n)
        more[10 + n] = stream(_SQUARE if last else b"/X Do\n" * 10, keys)
    return page(more)


def form_of_itself() -> bytes:
    """A form that draws itself."""
    keys = b"/Type/XObject/Subtype/Form/BBox[0 0 200 200]/Resources<</XObject<</X 10 0 R>>>>"
    return page(
        {
            5: b"<</XObject<</X 10 0 R>>>>",
            4: stream(_SQUARE + b" /X Do"),
            10: stream(_SQUARE + b" /X Do", keys),
        }
    )


def glyph_of_itself() -> bytes:
    """A Type 3 font whose glyph is written in the font."""
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 1000 1000]/FontMatrix[.001 0 0 .001 0 0]/FirstChar 97"
        b"/LastChar 97/Widths[1000]/Encoding<</Differences[97/a]>>/CharProcs<</a 11 0 R>>"
        b"/Resources<</Font<</F1 10 0 R>>>>>>"
    )
    glyph = stream(b"1000 0 0 0 1000 1000 d1 BT /F1 1000 Tf (aaaaaaaaaa) Tj ET 0 0 500 500 re f")
    content = stream(b"BT /F1 40 Tf 20 20 Td (a) Tj ET")
    return page({5: b"<</Font<</F1 10 0 R>>>>", 4: content, 10: font, 11: glyph})


def pattern_of_itself() -> bytes:
    """A pattern painted with itself in steps of a thousandth."""
    keys = (
        b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep .001/YStep .001"
        b"/Resources<</Pattern<</P 10 0 R>>>>"
    )
    tile = b"/Pattern cs /P scn 0 0 1 1 re f"
    content = stream(b"/Pattern cs /P scn 0 0 200 200 re f " + _SQUARE)
    return page({5: b"<</Pattern<</P 10 0 R>>>>", 4: content, 10: stream(tile, keys)})


# Pictures in pages.


def _picture(keys: bytes, data: bytes = b"\0") -> bytes:
    image = stream(data, b"/Type/XObject/Subtype/Image" + keys)
    content = stream(_SQUARE + b" q 20 0 0 20 0 0 cm /I Do Q")
    return page({5: b"<</XObject<</I 10 0 R>>>>", 4: content, 10: image})


def absurd_picture() -> bytes:
    """A picture of 100 000 x 100 000 pixels in one byte."""
    return _picture(b"/Width 100000/Height 100000/BitsPerComponent 8/ColorSpace/DeviceRGB")


def absurd_picture_in_reals() -> bytes:
    """The same, with sides that are no integers."""
    return _picture(b"/Width 100000.0/Height 100000.0/BitsPerComponent 8/ColorSpace/DeviceRGB")


def absurd_mask() -> bytes:
    """The same as a mask of another picture."""
    keys = b"/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray/SMask 11 0 R"
    mask = stream(
        b"\0",
        b"/Type/XObject/Subtype/Image/Width 2000000000/Height 2000000000/BitsPerComponent 8/ColorSpace/DeviceGray",
    )
    image = stream(b"\0", b"/Type/XObject/Subtype/Image" + keys)
    content = stream(_SQUARE + b" q 20 0 0 20 0 0 cm /I Do Q")
    return page({5: b"<</XObject<</I 10 0 R>>>>", 4: content, 10: image, 11: mask})


def absurd_inline_picture() -> bytes:
    """The same in the content of the page."""
    return page(content=_SQUARE + b" BI /W 100000 /H 100000 /BPC 8 /CS /RGB ID \0 EI")


def jp2(width: int, height: int) -> bytes:
    """A JPEG 2000 codestream that promises this size in tiles of one pixel."""
    size = struct.pack(">HHIIIIIIIIH", 41, 0, width, height, 0, 0, 1, 1, 0, 0, 1) + b"\x07\x01\x01"
    coding = b"\xff\x52\x00\x0c\x00\x00\x00\x01\x00\x05\x04\x04\x00\x00"
    quantity = b"\xff\x5c\x00\x13\x40" + b"\x40\x48\x48\x50" * 4
    return (
        b"\xff\x4f\xff\x51" + size + coding + quantity + b"\xff\x90\x00\x0a\0\0\0\0\0\0\0\1\xff\x93\0\xff\xd9"
    )


def absurd_jpx() -> bytes:
    """A JPEG 2000 picture whose own head is absurd; the page says 10 x 10."""
    return _picture(b"/Width 10/Height 10/Filter/JPXDecode", jp2(2**31, 2**31))


def tiles_jpx() -> bytes:
    """A JPEG 2000 picture of a hundred million tiles."""
    return _picture(b"/Width 10000/Height 10000/Filter/JPXDecode", jp2(10_000, 10_000))


def absurd_jbig2() -> bytes:
    """A JBIG2 page of 4 294 967 294 pixels in each direction."""
    info = struct.pack(">IIIIBH", 2**32 - 2, 2**32 - 2, 0, 0, 0, 0)
    data = struct.pack(">IBBBI", 0, 48, 0, 1, len(info)) + info
    keys = b"/Width 10/Height 10/BitsPerComponent 1/ColorSpace/DeviceGray/Filter/JBIG2Decode"
    return _picture(keys, data)


# Things beside the page.


def colour_profile() -> bytes:
    """A colour profile of 220 MB."""
    profile = stream(zeros(220 << 20), b"/N 3/Filter/FlateDecode")
    return page(
        {
            5: b"<</ColorSpace<</C[/ICCBased 10 0 R]>>>>",
            4: stream(b"/C cs 1 0 0 sc 50 50 100 100 re f"),
            10: profile,
        }
    )


def metadata() -> bytes:
    """200 MB of metadata, deep and wide."""
    deep = b"<x:a xmlns:x='x'>" * 5_000_000
    more = {1: b"<</Type/Catalog/Pages 2 0 R/Metadata 10 0 R>>"}
    return page(more | {10: packed(deep, b"/Type/Metadata/Subtype/XML")})


def laughing_metadata() -> bytes:
    """Metadata with entities that multiply."""
    entities = b"<!ENTITY a0 'haha'>" + b"".join(
        b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12)
    )
    text = (
        b"<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><!DOCTYPE x[" + entities + b"]>"
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>&a11;</x:xmpmeta><?xpacket end='w'?>"
    )
    more = {1: b"<</Type/Catalog/Pages 2 0 R/Metadata 10 0 R>>"}
    return page(more | {10: packed(text, b"/Type/Metadata/Subtype/XML")})


def outline() -> bytes:
    """Bookmarks 20 000 deep."""
    more: Objects = {1: b"<</Type/Catalog/Pages 2 0 R/Outlines 10 0 R>>"}
    more[10] = b"<</Type/Outlines/First 11 0 R/Last 11 0 R/Count 1>>"
    for n in range(11, 20_011):
        below = b"" if n == 20_010 else b"/First %d 0 R/Last %d 0 R/Count 1" % (n + 1, n + 1)
        more[n] = b"<</Title(x)/Parent %d 0 R/Dest[3 0 R/Fit]%s>>" % (n - 1, below)
    return page(more)


def circular_outline() -> bytes:
    """A bookmark that follows itself."""
    more: Objects = {1: b"<</Type/Catalog/Pages 2 0 R/Outlines 10 0 R>>"}
    more[10] = b"<</Type/Outlines/First 11 0 R/Last 11 0 R/Count 1>>"
    more[11] = b"<</Title(x)/Parent 10 0 R/Next 11 0 R/Prev 11 0 R/First 11 0 R>>"
    return page(more)


def annotations(count: int = 100_000) -> bytes:
    """A page under a hundred thousand boxes."""
    kids = b" ".join(b"%d 0 R" % n for n in range(10, 10 + count))
    more: Objects = {3: _LEAF[:-2] + b"/Annots[%s]>>" % kids}
    for n in range(10, 10 + count):
        more[n] = b"<</Type/Annot/Subtype/Square/Rect[10 10 20 20]/C[1 0 0]/F 4>>"
    return page(more)


def hidden_annotation() -> bytes:
    """A box that viewers do not show."""
    mark = b"<</Type/Annot/Subtype/Square/Rect[10 10 190 190]/C[0 0 1]/F 2>>"
    return page({3: _LEAF[:-2] + b"/Annots[10 0 R]>>", 10: mark})


def nested_arrays(depth: int = 10_000) -> bytes:
    """An array in an array, and so on."""
    return page({6: b"[" * depth + b"]" * depth, 5: b"<</X 6 0 R>>"})


def nested_page(depth: int = 10_000) -> bytes:
    """The same right in the page."""
    return page(leaf=_LEAF[:-2] + b"/PieceInfo " + b"[" * depth + b"]" * depth + b">>")


def big_cmap() -> bytes:
    """A table of a font that maps for ever."""
    table = b"1 begincodespacerange <0000><FFFF> endcodespacerange\n"
    table += b"100 beginbfrange " + b"<0000><FFFF><0000>\n" * 500_000 + b"endbfrange"
    font = (
        b"<</Type/Font/Subtype/Type0/BaseFont/SimSun/Encoding/Identity-H/ToUnicode 11 0 R/DescendantFonts["
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/SimSun/DW 1000"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
        b"/FontDescriptor<</Type/FontDescriptor/FontName/SimSun/Flags 4/FontBBox[0 0 1000 1000]/ItalicAngle 0"
        b"/Ascent 800/Descent -200/CapHeight 700/StemV 80>>>>]>>"
    )
    content = stream(b"BT /F1 20 Tf 50 50 Td <00410042> Tj ET")
    return page({5: b"<</Font<</F1 10 0 R>>>>", 4: content, 10: font, 11: packed(table)})


def big_font() -> bytes:
    """A font program of 200 MB that is no font."""
    font = (
        b"<</Type/Font/Subtype/TrueType/BaseFont/Foo/FirstChar 97/LastChar 97/Widths[500]"
        b"/Encoding/WinAnsiEncoding/FontDescriptor<</Type/FontDescriptor/FontName/Foo/Flags 32"
        b"/FontBBox[0 0 1000 1000]/ItalicAngle 0/Ascent 800/Descent -200/CapHeight 700/StemV 80/FontFile2 11 0 R>>>>"
    )
    content = stream(_SQUARE + b" BT /F1 20 Tf 50 50 Td (aaa) Tj ET")
    program = stream(zeros(200 << 20), b"/Length1 209715200/Filter/FlateDecode")
    return page({5: b"<</Font<</F1 10 0 R>>>>", 4: content, 10: font, 11: program})


# The tree of pages.


def tree_of_itself() -> bytes:
    """Pages that hold themselves."""
    return page({2: b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 2>>"})


def tree_of_two() -> bytes:
    """Two nodes that hold each other."""
    return page(
        {
            2: b"<</Type/Pages/Kids[7 0 R 3 0 R]/Count 2>>",
            7: b"<</Type/Pages/Kids[2 0 R]/Parent 2 0 R/Count 1>>",
        }
    )


def own_parent() -> bytes:
    """A page that inherits from itself."""
    return page(leaf=b"<</Type/Page/Parent 3 0 R/Contents 4 0 R/Resources 5 0 R>>")


def count_lies() -> bytes:
    """One page that says it is two thousand million."""
    return page({2: b"<</Type/Pages/Kids[3 0 R]/Count 2000000000>>"})


def negative_count() -> bytes:
    """One page that says it is fewer than none."""
    return page({2: b"<</Type/Pages/Kids[3 0 R]/Count -5>>"})


def no_kids() -> bytes:
    """Pages without pages."""
    return page({2: b"<</Type/Pages/Count 3>>"})


def zero_pages() -> bytes:
    """No page at all."""
    return page({2: b"<</Type/Pages/Kids[]/Count 0>>"})


def null_kids() -> bytes:
    """A page between two that are not there."""
    return page({2: b"<</Type/Pages/Kids[null 3 0 R 99 0 R]/Count 3>>"})


def same_kid() -> bytes:
    """One page listed three times."""
    return page({2: b"<</Type/Pages/Kids[3 0 R 3 0 R 3 0 R]/Count 3>>"})


def deep_tree(depth: int = 20_000) -> bytes:
    """A page below twenty thousand nodes."""
    more: Objects = {2: b"<</Type/Pages/Kids[10 0 R]/Count 1>>"}
    for n in range(10, 10 + depth):
        below = 3 if n == 9 + depth else n + 1
        parent = 2 if n == 10 else n - 1
        more[n] = b"<</Type/Pages/Kids[%d 0 R]/Parent %d 0 R/Count 1>>" % (below, parent)
    return page(more, leaf=_LEAF.replace(b"2 0 R", b"%d 0 R" % (9 + depth)))


def many_pages(count: int = 10_000) -> bytes:
    """Small pages, each with a number."""
    first = 10
    kids = b" ".join(b"%d 0 R" % (first + n) for n in range(count))
    more: Objects = {2: b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count)}
    for n in range(count):
        more[first + n] = _LEAF.replace(b"4 0 R", b"%d 0 R" % (first + count + n))
        more[first + count + n] = stream(b"1 0 0 rg %d 50 40 100 re f" % (n % 150))
    return page(more)


# Pictures.


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb() -> bytes:
    """100 000 x 100 000 pixels."""
    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    data = zeros(64 << 20)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _png_chunk(b"IHDR", head)
        + _png_chunk(b"IDAT", data)
        + _png_chunk(b"IEND", b"")
    )


def png_text_bomb() -> bytes:
    """A small picture with 1 GB of description."""
    head = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    text = b"Comment\0\0" + zeros(1 << 30)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _png_chunk(b"IHDR", head)
        + _png_chunk(b"zTXt", text)
        + _png_chunk(b"IDAT", zlib.compress(bytes(72)))
        + _png_chunk(b"IEND", b"")
    )


def png_profile_bomb() -> bytes:
    """A small picture with a colour profile of 1 GB."""
    return png_text_bomb().replace(b"zTXtComment", b"iCCPComment")


def jpeg_bomb() -> bytes:
    """65 500 x 65 500 pixels in a few bytes."""
    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 0, 0)).save(data, "JPEG")
    found = bytearray(data.getvalue())
    at = found.index(b"\xff\xc0")
    found[at + 5 : at + 9] = struct.pack(">HH", 65_500, 65_500)
    return bytes(found)


def gif_bomb() -> bytes:
    """A screen of 65 535 x 65 535 pixels."""
    head = b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0xF0, 0, 0) + bytes(6)
    image = b"," + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0) + b"\x02\x02\x4c\x01\x00"
    return head + image + b";"


def gif_frames(count: int = 20_000) -> bytes:
    """Twenty thousand frames."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0xF0, 0, 0) + bytes(6)
    image = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\x00"
    return head + image * count + b";"


def tiff_loop() -> bytes:
    """A TIFF whose next page is its first."""
    entries = [
        (256, 4, 1, 8),
        (257, 4, 1, 8),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 200),
    ]
    entries += [(277, 3, 1, 1), (278, 4, 1, 8), (279, 4, 1, 64)]
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    data = b"II*\0" + struct.pack("<I", 8) + body + struct.pack("<I", 8)
    return data.ljust(200, b"\0") + bytes(range(64))


def tiff_bomb() -> bytes:
    """A TIFF of 60 000 x 60 000 pixels."""
    data = bytearray(tiff_loop())
    data[18:22] = data[30:34] = struct.pack("<I", 60_000)
    data[118:122] = bytes(4)
    return bytes(data)


def webp_bomb() -> bytes:
    """16 383 x 16 383 pixels in a few bytes."""
    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 0, 0)).save(data, "WEBP", lossless=True)
    found = bytearray(data.getvalue())
    at = found.index(b"VP8L") + 9
    bits = struct.unpack("<I", found[at : at + 4])[0] & ~0xFFFFFFF
    found[at : at + 4] = struct.pack("<I", bits | 16_382 | 16_382 << 14)
    return bytes(found)


# Office files and mail.


def zipped(path: Path, members: Iterable[tuple[str, Iterable[bytes]]]) -> None:
    """A ZIP, written piece by piece."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name, pieces in members:
            with file.open(name, "w", force_zip64=True) as member:
                for piece in pieces:
                    member.write(piece)


_TYPES = b"""<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>\
<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.\
wordprocessingml.document.main+xml"/></Types>"""
_RELS = b"""<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/\
relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/\
relationships/officeDocument" Target="word/document.xml"/></Relationships>"""
_WORD = b'<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'


def docx(path: Path, body: Iterable[bytes], more: Iterable[tuple[str, Iterable[bytes]]] = ()) -> None:
    """A Word document with this body."""
    zipped(
        path,
        [
            ("[Content_Types].xml", [_TYPES]),
            ("_rels/.rels", [_RELS]),
            ("word/document.xml", [_WORD, b"<w:body>", *body, b"</w:body></w:document>"]),
            *more,
        ],
    )


def docx_of_zeros(path: Path) -> None:
    """A picture of 1 GB of zeros in a Word document."""
    block = bytes(1 << 20)
    docx(path, [b"<w:p><w:r><w:t>x</w:t></w:r></w:p>"], [("word/media/a.png", (block for _ in range(1100)))])


def docx_of_paragraphs(path: Path, count: int = 1_000_000) -> None:
    """A million paragraphs."""
    piece = b"<w:p><w:r><w:t>x</w:t></w:r></w:p>" * 1000
    docx(path, (piece for _ in range(count // 1000)))


def docx_deep(path: Path) -> None:
    """Tables in tables in tables."""
    deep = 3_000
    docx(path, [b"<w:tbl><w:tr><w:tc>" * deep, b"<w:p/>", b"</w:tc></w:tr></w:tbl>" * deep])


def docx_of_entities(path: Path) -> None:
    """Entities that multiply."""
    entities = b"<!ENTITY a0 'haha'>" + b"".join(
        b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12)
    )
    word = _WORD.replace(b"<w:document", b"<!DOCTYPE x[" + entities + b"]><w:document")
    zipped(
        path,
        [
            ("[Content_Types].xml", [_TYPES]),
            ("_rels/.rels", [_RELS]),
            (
                "word/document.xml",
                [word, b"<w:body><w:p><w:r><w:t>&a11;</w:t></w:r></w:p></w:body></w:document>"],
            ),
        ],
    )


def sparse_sheet(path: Path) -> None:
    """A sheet with a value in its first cell and one in its last."""
    from openpyxl import Workbook

    book = Workbook()
    book.active["A1"] = "first"
    book.active["XFD1048576"] = "last"
    book.save(path)


def mail_of_zeros(path: Path, size: int = 100_000_000) -> None:
    """A mail with an attachment of zeros."""
    head = (
        b"From: a@example.com\r\nTo: b@example.com\r\nSubject: x\r\nDate: Mon, 2 Mar 2026 10:00:00 +0800\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain'
        b"\r\n\r\nhello\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="a.bin"\r\n\r\n'
    )
    line = b"A" * 76 + b"\r\n"
    with path.open("wb") as file:
        file.write(head)
        for _ in range(size // 76 // 1000):
            file.write(line * 1000)
        file.write(b"--b--\r\n")


def mail_deep(path: Path, depth: int = 2_000) -> None:
    """Parts in parts in parts."""
    data = b"From: a@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
    for n in range(depth):
        data += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
    path.write_bytes(data + b"Content-Type: text/plain\r\n\r\nhello\r\n")


def sparse(path: Path, size: int, head: bytes = b"") -> None:
    """A file of holes."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)


def saved(make: Callable[[], bytes]) -> Callable[[Path], None]:
    """The writer of a file of which the bytes are given."""

    def write(path: Path) -> None:
        path.write_bytes(make())

    return write
