"""How much ink on a page no line of text accounts for: handwriting, a seal, faint print."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from PIL import Image

from casefile.model.text import Line

_DPI = 100
"""A millimetre is four pixels: the strokes of a pen are one to three pixels wide."""

_MM = _DPI / 25.4
_DARKER = 42
_BLACK_SHARE = 0.5
_REACH = round(4 * _MM)
_SPECK = 4


def measure(picture: Image.Image, lines: Iterable[Line], dpi: float) -> float:
    """Area, in square millimetres, of the largest patch of unread ink; ``lines`` are those that were read.

    Ink is what is darker than the paper around it, in any colour, and drawn in strokes. Rules and frames, the
    specks of a scanner, dark borders and the surfaces of photographs are no ink. What lies closer than four
    millimetres together is one patch; its area is that of the box around it, if that is not nearly empty.
    """
    import cv2
    import numpy

    scale = _DPI / dpi
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    # The darkest channel: a red seal and blue ink are as dark as black print.
    channels = numpy.asarray(picture.convert("RGB").resize(size, Image.Resampling.BOX))
    darkest = channels.min(axis=2)
    boxes = [numpy.array([[x * size[0], y * size[1]] for x, y in line.corners]) for line in lines]
    # Rules are looked for along the rows of pixels, so a page that lies askew is put straight first.
    turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), _skew(boxes), 1.0)
    straight = cv2.warpAffine(darkest, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    ink = _strokes(cv2, numpy, straight)
    for box in boxes:
        _wipe(cv2, numpy, ink, box @ turn[:, :2].T + turn[:, 2])
    return _largest_patch(cv2, numpy, ink)


def _strokes(cv2: Any, numpy: Any, darkest: Any) -> Any:
    def block(millimetres: float) -> Any:
        side = max(3, round(millimetres * _MM) | 1)
        return numpy.ones((side, side), numpy.uint8)

    # Closing fills every stroke with the paper around it; what was thicker than that stays as it is.
    paper = cv2.morphologyEx(darkest, cv2.MORPH_CLOSE, block(4))
    depth = cv2.subtract(paper, darkest)
    ink = (depth > _DARKER).astype(numpy.uint8)
    across = cv2.morphologyEx(ink, cv2.MORPH_OPEN, numpy.ones((1, round(12 * _MM)), numpy.uint8))
    down = cv2.morphologyEx(ink, cv2.MORPH_OPEN, numpy.ones((round(12 * _MM), 1), numpy.uint8))
    rules = cv2.dilate(across | down, numpy.ones((3, 3), numpy.uint8))
    ink[rules > 0] = 0
    # On a photograph most of what surrounds a stroke is no plain paper.
    smooth = cv2.blur(paper, (5, 5))
    rough = cv2.absdiff(paper, smooth)
    busy = cv2.blur((rough > 6).astype(numpy.float32), (round(12 * _MM), round(12 * _MM))) > 0.3
    # What the closing left of a solid area's corners belongs to that area.
    level = float(numpy.percentile(paper, 90))
    dark = cv2.dilate((paper < level * _BLACK_SHARE).astype(numpy.uint8), block(10))
    ink[busy | (dark > 0)] = 0
    return ink


def _skew(boxes: list[Any]) -> float:
    """By how many degrees, clockwise, most lines lie askew: at most 45 either way."""
    if not boxes:
        return 0.0
    slopes = [math.degrees(math.atan2(*(box[1] - box[0])[::-1])) for box in boxes]
    weights = [math.dist(box[0], box[1]) for box in boxes]
    off = [(slope + 45) % 90 - 45 for slope in slopes]
    order = sorted(range(len(off)), key=lambda index: off[index])
    half, passed = sum(weights) / 2, 0.0
    for index in order:
        passed += weights[index]
        if passed >= half:
            return off[index]
    return 0.0


def _wipe(cv2: Any, numpy: Any, ink: Any, corners: Any) -> None:
    (across, down), (width, height), angle = cv2.minAreaRect(corners.astype(numpy.float32))
    # The detector cuts close to the strokes; a line under or a dot above them still belongs to it.
    room = 0.5 * min(width, height)
    box = cv2.boxPoints(((across, down), (width + room, height + room), angle))
    cv2.fillPoly(ink, [numpy.round(box).astype(numpy.int32)], 0)


def _largest_patch(cv2: Any, numpy: Any, ink: Any) -> float:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] < _SPECK
    small[0] = False
    ink[small[labels]] = 0
    if not ink.any():
        return 0.0
    joined = cv2.dilate(ink, numpy.ones((_REACH, _REACH), numpy.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    filled = numpy.bincount(labels.ravel(), weights=ink.ravel(), minlength=count)
    largest = 0.0
    for number in range(1, count):
        width = max(0, int(stats[number, cv2.CC_STAT_WIDTH]) - _REACH)
        height = max(0, int(stats[number, cv2.CC_STAT_HEIGHT]) - _REACH)
        area = width * height / _MM**2
        if filled[number] >= 0.03 * width * height:
            largest = max(largest, area)
    return round(largest, 1)
