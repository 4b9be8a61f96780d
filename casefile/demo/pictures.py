"""Photographs, scans and a survey map, drawn when the demo runs: plainly invented, the same every time."""

from __future__ import annotations

import io
import math
import random
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from casefile.tools import fonts

_A4_AT_150_DPI = (1240, 1754)


def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    face = fonts.SONG
    paths = fonts.Fonts().files[face]
    return ImageFont.truetype(str(paths[1 if bold and len(paths) > 1 else 0]), size, index=face.index)


def photograph(caption: str, *, seed: int, turned: bool = False) -> bytes:
    """A field with a half-built shed, as JPEG with EXIF (time, place, and turned by 90 degrees if asked)."""
    luck = random.Random(seed)
    width, height = 1280, 960
    picture = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(picture)
    for y in range(height // 2):
        shade = int(150 + 90 * y / (height / 2))
        draw.line([(0, y), (width, y)], fill=(shade - 30, shade - 5, 235))
    hills = [(0, 480)]
    hills += [(x, 430 + int(40 * math.sin(x / 130 + seed))) for x in range(0, width + 40, 40)]
    draw.polygon([*hills, (width, 520), (0, 520)], fill=(96, 120, 92))
    for y in range(height // 2, height):
        draw.line([(0, y), (width, y)], fill=(126 - y // 20, 138 - y // 24, 70))
    for _ in range(1500):
        x, y = luck.randrange(width), luck.randrange(500, height)
        draw.line(
            [(x, y), (x + luck.randint(-3, 3), y - luck.randint(4, 14))], fill=(70, luck.randint(90, 150), 50)
        )
    left, top = 380 + seed * 7, 360
    draw.rectangle([left, top, left + 520, 640], fill=(188, 190, 194), outline=(90, 90, 95), width=4)
    draw.polygon([(left - 30, top), (left + 260, top - 110), (left + 550, top)], fill=(52, 96, 150))
    for column in range(5):
        x = left + 30 + column * 100
        draw.rectangle([x, 430, x + 62, 520], fill=(70, 88, 104), outline=(230, 230, 230), width=3)
    draw.rectangle([left + 220, 520, left + 310, 640], fill=(110, 112, 118))
    picture = picture.filter(ImageFilter.GaussianBlur(0.8))
    draw = ImageDraw.Draw(picture)
    draw.text((24, height - 60), caption, font=_font(34), fill=(255, 236, 120))
    if turned:
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "DEMO", "DEMO-1"
    exif[0x0132] = f"2026:03:{10 + seed:02d} 09:30:00"
    exif[0x0112] = 6 if turned else 1
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=86, exif=exif, dpi=(150, 150))
    return out.getvalue()


def scan(title: str, lines: Sequence[str], *, seed: int, stamp: str = "") -> Image.Image:
    """A page as an office scanner gives it: grey, a little askew, noisy; ``stamp`` is a red mark."""
    luck = random.Random(seed)
    page = Image.new("RGB", _A4_AT_150_DPI, (250, 249, 245))
    draw = ImageDraw.Draw(page)
    heading = _font(46, bold=True)
    draw.text(
        ((1240 - draw.textlength(title, font=heading)) / 2, 150), title, font=heading, fill=(30, 30, 34)
    )
    draw.line([(150, 230), (1090, 230)], fill=(60, 60, 60), width=2)
    body, y = _font(29), 280
    for line in lines:
        while line:
            take = len(line)
            while draw.textlength(line[:take], font=body) > 930:
                take -= 1
            draw.text((155, y), line[:take], font=body, fill=(38, 38, 42))
            line, y = line[take:], y + 52
        y += 8
    if stamp:
        ring = Image.new("RGBA", (330, 330), (0, 0, 0, 0))
        marker = ImageDraw.Draw(ring)
        marker.ellipse([8, 8, 322, 322], outline=(205, 40, 40, 210), width=8)
        small = _font(36, bold=True)
        marker.text(
            ((330 - marker.textlength(stamp, font=small)) / 2, 140),
            stamp,
            font=small,
            fill=(205, 40, 40, 210),
        )
        page.paste(ring, (760, min(y + 20, 1330)), ring)
    page = page.rotate(luck.uniform(-0.8, 0.8), fillcolor=(250, 249, 245), resample=Image.Resampling.BICUBIC)
    specks = page.load()
    assert specks is not None
    for _ in range(1800):
        specks[luck.randrange(1240), luck.randrange(1754)] = (luck.randint(140, 220),) * 3
    return page


def scanned_jpeg(title: str, lines: Sequence[str], *, seed: int, stamp: str = "") -> bytes:
    """One scanned page as JPEG."""
    out = io.BytesIO()
    scan(title, lines, seed=seed, stamp=stamp).save(out, "JPEG", quality=80, dpi=(150, 150))
    return out.getvalue()


def scanned_tiff(title: str, pages: Sequence[Sequence[str]], *, seed: int) -> bytes:
    """Several pages as the black-and-white TIFF of a copier (CCITT group 4)."""
    images = [
        scan(f"{title}（第{n}页）", lines, seed=seed + n)
        .convert("L")
        .point(lambda v: 255 if v > 150 else 0)
        .convert("1")
        for n, lines in enumerate(pages, start=1)
    ]
    out = io.BytesIO()
    images[0].save(out, "TIFF", compression="group4", save_all=True, append_images=images[1:], dpi=(150, 150))
    return out.getvalue()


def scanned_pdf(title: str, pages: Sequence[Sequence[str]], *, seed: int) -> bytes:
    """Several pages as the picture-only PDF of a copier: no text, no PDF/A."""
    images = [scan(title, lines, seed=seed + n).convert("L") for n, lines in enumerate(pages, start=1)]
    out = io.BytesIO()
    made = (2026, 3, 2, 9, 0, 0, 0, 61, 0)
    images[0].save(
        out,
        "PDF",
        save_all=True,
        append_images=images[1:],
        resolution=150,
        creationDate=time.struct_time(made),
        modDate=time.struct_time(made),
    )
    return out.getvalue()


def survey_map(title: str) -> bytes:
    """A parcel with numbered corner points, as PNG with transparency; coordinates are invented and local."""
    page = Image.new("RGBA", (1500, 1100), (255, 255, 255, 0))
    draw = ImageDraw.Draw(page)
    draw.rectangle([30, 30, 1470, 1070], fill=(255, 255, 255, 255), outline=(0, 0, 0, 255), width=4)
    corners = [(330, 300), (1010, 250), (1130, 640), (520, 780)]
    draw.polygon(corners, fill=(255, 226, 170, 255), outline=(200, 40, 40, 255))
    small = _font(30)
    for number, (x, y) in enumerate(corners, start=1):
        draw.ellipse([x - 9, y - 9, x + 9, y + 9], fill=(200, 40, 40, 255))
        draw.text((x + 14, y - 34), f"J{number}", font=small, fill=(0, 0, 0, 255))
    draw.line([(80, 920), (1420, 860)], fill=(120, 120, 120, 255), width=18)
    draw.text((620, 905), "村道", font=small, fill=(60, 60, 60, 255))
    draw.text((600, 480), "占地 3,240.50 平方米", font=small, fill=(0, 0, 0, 255))
    heading = _font(48, bold=True)
    draw.text(
        ((1500 - draw.textlength(title, font=heading)) / 2, 70), title, font=heading, fill=(0, 0, 0, 255)
    )
    draw.text((1060, 1010), "独立坐标（演示数据）", font=_font(26), fill=(90, 90, 90, 255))
    out = io.BytesIO()
    page.save(out, "PNG", dpi=(150, 150))
    return out.getvalue()


def write(path: Path, data: bytes) -> None:
    """Put a file into an inbox."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
