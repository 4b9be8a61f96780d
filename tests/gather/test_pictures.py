"""Every kind of picture becomes a page that shows it, upright, whole and readable."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import heic  # type: ignore[import-not-found]
import pikepdf
import pytest
from PIL import Image, ImageCms, ImageDraw

from casefile.errors import BadInput
from casefile.formats.pdf import pdf_text
from casefile.formats.pictures import jpeg_parts, picture_frames, picture_layout
from casefile.gather.routes import picture
from casefile.gather.routes.made import Job, Made
from casefile.model.terms import Route
from casefile.tools import verapdf

RED, GREEN, BLUE = (220, 0, 0), (90, 140, 90), (20, 20, 240)


@pytest.fixture
def scene() -> Image.Image:
    """Red in the upper left corner, blue in the lower right."""
    image = Image.new("RGB", (320, 240), GREEN)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 80, 60), fill=RED)
    draw.rectangle((240, 180, 320, 240), fill=BLUE)
    return image


@pytest.fixture
def make(tmp_path: Path) -> Callable[[Path], Made]:
    """Make the part beside the picture, as ``part.pdf``."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return lambda source: picture.make(Job(source, tmp_path / "part.pdf", scratch, 10_000, 60))


def corners(pdf: Path, page: int = 0) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """The colours just inside the upper left and the lower right corner of what the page shows."""
    with pdf_text.opened(pdf) as reader:
        image = reader.picture(page, dpi=72, longest=900)
    left, top, right, bottom = Image.eval(image.convert("L"), lambda grey: 255 - grey).getbbox()
    return image.getpixel((left + 5, top + 5)), image.getpixel((right - 6, bottom - 6))


def near(one, other) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(one, other, strict=True))


def images(pdf: Path) -> list[tuple[str, int]]:
    with pikepdf.open(pdf) as opened:
        return [
            (str(i.Filter), len(i.read_raw_bytes()))
            for p in opened.pages
            for i in p.get_images(recursive=False).values()
        ]


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """How a camera stores the scene that ``orientation`` sets right again."""
    undo = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT], 3: [Image.Transpose.ROTATE_180], 4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE], 6: [Image.Transpose.ROTATE_90], 7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }  # fmt: skip
    for step in undo.get(orientation, []):
        image = image.transpose(step)
    return image


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp"])
def test_what_a_camera_turned_or_mirrored_stands_upright(tmp_path, scene, make, orientation, name):
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned(scene, orientation).save(tmp_path / name, exif=exif)
    made = make(tmp_path / name)
    upper, lower = corners(tmp_path / "part.pdf")
    assert near(upper, RED) and near(lower, BLUE)
    assert made.route is Route.CONVERTED and made.difference < 6


def test_a_jpeg_is_taken_over_byte_for_byte_even_when_mirrored(tmp_path, scene, make):
    exif = Image.Exif()
    exif[0x0112] = 5
    turned(scene, 5).save(tmp_path / "a.jpg", exif=exif, progressive=True)
    data = (tmp_path / "a.jpg").read_bytes()
    # A motion photo: the film stands behind the picture and is no part of it.
    (tmp_path / "a.jpg").write_bytes(data + b"\0\0\0\x18ftypmp42" + bytes(200_000))
    assert make(tmp_path / "a.jpg").notes == ()
    assert images(tmp_path / "part.pdf") == [("/DCTDecode", len(data))]


@pytest.mark.parametrize(
    ("name", "options", "notes", "filter_"),
    [
        ("grey.jpg", {"mode": "L"}, (), "/DCTDecode"),
        ("cmyk.jpg", {"mode": "CMYK"}, ("PART-PICTURE-CHANGED",), "/DCTDecode"),
        ("a.png", {}, (), "/FlateDecode"),
        ("palette.png", {"mode": "P"}, (), "/FlateDecode"),
        ("bilevel.png", {"mode": "1"}, (), None),
        ("a.gif", {"mode": "P"}, (), "/FlateDecode"),
        ("a.bmp", {}, (), "/FlateDecode"),
        ("lzw.tif", {"compression": "tiff_lzw"}, (), "/FlateDecode"),
        ("strip.tif", {"compression": "jpeg", "tiffinfo": {278: 240}}, (), "/DCTDecode"),
        ("strips.tif", {"compression": "jpeg", "tiffinfo": {278: 16}}, ("PART-PICTURE-CHANGED",), "/DCTDecode"),
        ("cmyk.tif", {"mode": "CMYK"}, ("PART-PICTURE-CHANGED",), "/DCTDecode"),
        ("g3.tif", {"mode": "1", "compression": "group3"}, (), "/CCITTFaxDecode"),
        ("g4.tif", {"mode": "1", "compression": "group4"}, (), "/CCITTFaxDecode"),
        ("a.jp2", {}, (), "/JPXDecode"),
        ("a.j2k", {}, ("PART-PICTURE-CHANGED",), "/DCTDecode"),
        ("lossy.webp", {}, ("PART-PICTURE-CHANGED",), "/DCTDecode"),
        ("lossless.webp", {"lossless": True}, (), "/FlateDecode"),
        ("a.avif", {}, ("PART-PICTURE-CHANGED",), "/DCTDecode"),
    ],
)  # fmt: skip
def test_each_format_by_the_gentlest_way(tmp_path, scene, make, name, options, notes, filter_):
    mode = options.pop("mode", "RGB")
    scene.convert(mode).save(tmp_path / name, **options)
    made = make(tmp_path / name)
    assert made.notes == notes and made.pages == 1 and made.difference < 6
    ((kind, _),) = images(tmp_path / "part.pdf")
    assert filter_ is None or filter_ in kind
    assert near(corners(tmp_path / "part.pdf")[1], BLUE) or mode in ("L", "1")


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg writes the sample and is not installed")
@pytest.mark.parametrize("quarter_turns", [0, 1])
def test_heic_by_the_decoder_alone(tmp_path, scene, make, quarter_turns):
    stored = turned(scene, 8 if quarter_turns else 1)
    heic.write(tmp_path / "a.heic", stored, quarter_turns=quarter_turns)
    made = make(tmp_path / "a.heic")
    assert made.notes == ("PART-PICTURE-CHANGED",)
    upper, lower = corners(tmp_path / "part.pdf")
    assert near(upper, RED) and near(lower, BLUE)
    data = (tmp_path / "a.heic").read_bytes()
    (tmp_path / "a.heic").write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(BadInput) as refused:
        make(tmp_path / "a.heic")
    assert "0x" not in refused.value.params["reason"]


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.gif", "la.png"])
def test_what_is_transparent_is_white(tmp_path, scene, make, name):
    if name == "a.gif":
        few = scene.quantize(8)
        few.save(tmp_path / name, transparency=few.getpixel((150, 100)))
    else:
        clear = scene.convert("RGBA")
        clear.putalpha(Image.new("L", scene.size, 0))
        clear.paste(scene.crop((0, 0, 80, 60)), (0, 0))
        (clear.convert("LA") if name == "la.png" else clear).save(tmp_path / name, lossless=True)
    make(tmp_path / name)
    with pdf_text.opened(tmp_path / "part.pdf") as reader:
        page = reader.picture(0, dpi=72, longest=900)
    assert page.getpixel((page.width // 2, page.height // 2)) == (255, 255, 255)
    assert page.convert("L").getextrema()[0] < 200


def test_sixteen_bits_keep_their_brightness(tmp_path, make):
    dark = Image.new("I;16", (200, 200), 16 * 256)
    for name in ("a.png", "a.tif"):
        dark.save(tmp_path / name)
        assert make(tmp_path / name).difference < 2
        with pdf_text.opened(tmp_path / "part.pdf") as reader:
            page = reader.picture(0, dpi=72, longest=900, grey=True)
        assert abs(page.getpixel((page.width // 2, page.height // 2)) - 16) < 3


def test_each_page_of_a_scan_in_its_own_size(tmp_path, scene, make):
    pages = [
        scene.convert("1").resize((1654, 2339)),
        scene.rotate(90, expand=True),
        scene.convert("L"),
        scene.convert("CMYK"),
    ]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:], dpi=(200, 200))
    made = make(tmp_path / "scan.tif")
    assert made.pages == 4 and made.difference < 12
    with pdf_text.opened(tmp_path / "part.pdf") as reader:
        sizes = [reader.size(n) for n in range(4)]
    assert [w < h for w, h in sizes] == [True, True, False, False]
    assert all({round(side) for side in size} == {595, 842} for size in sizes)


def test_a_long_screenshot_stays_readable(tmp_path, make):
    chat = Image.new("RGB", (720, 6000), "#ededed")
    draw = ImageDraw.Draw(chat)
    for row in range(60):
        draw.rectangle((60, row * 100 + 10, 600, row * 100 + 70), fill=(row * 4, 0, 240 - row * 4))
    chat.save(tmp_path / "chat.png")
    made = make(tmp_path / "chat.png")
    assert made.notes == ("PART-PICTURE-CUT",) and made.pages > 3
    # One picture, shown in windows: nothing grows and nothing is encoded again.
    with pikepdf.open(tmp_path / "part.pdf") as pdf:
        assert len({i.objgen for p in pdf.pages for i in p.get_images(recursive=False).values()}) == 1
    assert (tmp_path / "part.pdf").stat().st_size < 1.5 * (tmp_path / "chat.png").stat().st_size + 10_000
    sheets = picture_layout.sheets(720, 6000, None)
    assert len(sheets) == made.pages
    tops = [s.picture[1] + s.picture[3] - s.window[1] - s.window[3] for s in sheets]
    ends = [top + s.window[3] for top, s in zip(tops, sheets, strict=True)]
    assert tops[0] == 0 and ends[-1] == pytest.approx(sheets[0].picture[3])
    assert all(
        end - top == pytest.approx(picture_layout.OVERLAP) for end, top in zip(ends, tops[1:], strict=False)
    )


@pytest.mark.parametrize(("size", "dpi", "pages"), [((100, 350), None, 1), ((4000, 400), None, 1), ((945, 4000), (300, 300), 1), ((945, 9000), (300, 300), 3), ((1, 60_000), None, 1)])  # fmt: skip
def test_only_what_would_be_a_strip_is_cut(size, dpi, pages):
    assert len(picture_layout.sheets(*size, dpi)) == pages


def test_an_animation_shows_some_of_its_frames(tmp_path, scene, make):
    frames = [Image.new("RGB", (60, 60), (n * 8, 0, 0)) for n in range(30)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    made = make(tmp_path / "a.gif")
    assert made.pages == picture_frames.MOST_SHOWN and made.notes == ("PART-PICTURE-MOVES",)
    assert corners(tmp_path / "part.pdf", made.pages - 1)[0][0] > 220
    scene.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[scene.rotate(180)])
    assert make(tmp_path / "a.jpg").pages == 1


def test_what_no_pdf_may_hold_is_encoded_anew(tmp_path, scene, make):
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[8:12] = b"\x09\0\0\0"
    scene.save(tmp_path / "a.jpg", icc_profile=bytes(profile))
    made = make(tmp_path / "a.jpg")
    assert verapdf.check(tmp_path / "part.pdf").compliant and made.difference < 6


@pytest.mark.parametrize("change", ["", "inverted", "other"])
def test_the_gate_sees_another_picture(tmp_path, scene, make, monkeypatch, change):
    scene.save(tmp_path / "a.jpg")
    other = {
        "": scene,
        "inverted": Image.eval(scene, lambda v: 255 - v),
        "other": Image.new("RGB", scene.size),
    }[change]
    data = io.BytesIO()
    other.save(data, "JPEG")
    real = picture_frames.read

    def swapped(*args, **kwargs):
        for frame in real(*args, **kwargs):
            yield picture_frames.Frame(data.getvalue(), True, 1, frame.shown, True, None)

    monkeypatch.setattr(picture_frames, "read", swapped)
    if not change:
        assert make(tmp_path / "a.jpg").difference < 6
        return
    with pytest.raises(BadInput) as refused:
        make(tmp_path / "a.jpg")
    assert refused.value.code == "PART-NOT-MADE"


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.gif", "a.webp", "a.bmp", "a.jp2", "a.avif"])
def test_a_file_that_broke_off_is_told_apart_from_a_whole_one(tmp_path, scene, make, name):
    Image.effect_noise((320, 240), 60).convert("RGB").save(tmp_path / name)
    os.truncate(tmp_path / name, (tmp_path / name).stat().st_size * 2 // 3)
    with pytest.raises(BadInput) as refused:
        make(tmp_path / name)
    assert refused.value.code in ("PICTURE-CUT-OFF", "PICTURE-DAMAGED")


def test_too_many_pixels_are_refused_before_they_are_unpacked(tmp_path, make):
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    small = Image.new("1", (10, 10))
    small.save(
        tmp_path / "bomb.tif",
        save_all=True,
        append_images=[Image.new("1", (20_000, 20_000))],
        compression="group4",
    )
    for name in ("bomb.png", "bomb.tif"):
        with pytest.raises(BadInput) as refused:
            make(tmp_path / name)
        assert refused.value.code == "PICTURE-BOMB"


def test_what_is_too_large_to_be_packed_in_time_becomes_jpeg(tmp_path, scene, make, monkeypatch):
    clear = scene.convert("RGBA")
    clear.save(tmp_path / "a.png")
    assert make(tmp_path / "a.png").notes == ()
    monkeypatch.setattr(picture_frames, "_QUICKLY_PACKED", 1000)
    assert make(tmp_path / "a.png").notes == ("PART-PICTURE-CHANGED",)
    assert images(tmp_path / "part.pdf")[0][0] == "/DCTDecode"


def test_the_same_picture_gives_the_same_bytes(tmp_path, scene, make):
    scene.save(tmp_path / "a.webp")
    make(tmp_path / "a.webp")
    first = (tmp_path / "part.pdf").read_bytes()
    make(tmp_path / "a.webp")
    assert (tmp_path / "part.pdf").read_bytes() == first


def test_a_scan_too_large_for_memory_goes_through_files(tmp_path, scene, make, monkeypatch):
    from casefile.formats.pictures import pictures

    scene.save(tmp_path / "a.tif", save_all=True, append_images=[scene.rotate(180)] * 4)
    make(tmp_path / "a.tif")
    whole = corners(tmp_path / "part.pdf", 0), corners(tmp_path / "part.pdf", 4)
    monkeypatch.setattr(pictures, "_AT_ONCE", 1)
    assert make(tmp_path / "a.tif").pages == 5
    assert (corners(tmp_path / "part.pdf", 0), corners(tmp_path / "part.pdf", 4)) == whole


def test_a_jpeg_that_readers_take_differently_is_not_taken_over(scene):
    data = io.BytesIO()
    scene.save(data, "JPEG", keep_rgb=True)
    found = jpeg_parts.parts(data.getvalue())
    assert found is not None and (found.width, found.height) == scene.size
    assert jpeg_parts.parts(data.getvalue()[:-300]) is None
    no_marker = data.getvalue().replace(b"Adobe", b"Xdobe")
    assert found.safe != jpeg_parts.parts(no_marker).safe or b"Adobe" not in data.getvalue()
