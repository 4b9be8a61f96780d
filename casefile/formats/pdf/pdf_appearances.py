"""Draws annotations that have no look of their own, as viewers do, so that none vanishes from the page.

Marks over text, lines, boxes and strokes (ISO 32000-1, 12.5.6); what else has no look stays without one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name

_MOST_POINTS = 20_000
_CURVE = 0.5523
"""Handle of a Bezier curve that draws a quarter of a circle."""


def drawn(pdf: pikepdf.Pdf, annotation: Any) -> Any:
    """A form that shows the annotation, or None when there is nothing to be drawn."""
    way = _WAYS.get(str(annotation.get("/Subtype")))
    box = _numbers(annotation.get("/Rect"))
    if way is None or len(box) != 4:
        return None
    content = way(annotation)
    if not content:
        return None
    marked = annotation.get("/Subtype") == Name.Highlight
    state = Dictionary(CA=_opacity(annotation), ca=_opacity(annotation))
    if marked:
        state.BM = Name.Multiply
    left, right = sorted((box[0], box[2]))
    bottom, top = sorted((box[1], box[3]))
    return pdf.make_stream(
        f"/G0 gs {content}".encode(),
        Type=Name.XObject,
        Subtype=Name.Form,
        BBox=Array([left, bottom, right, top]),
        Resources=Dictionary(ExtGState=Dictionary(G0=state)),
    )


def _opacity(annotation: Any) -> float:
    return min(max(float(annotation.get("/CA", 1)), 0.0), 1.0)


def _numbers(told: Any) -> list[float]:
    if not isinstance(told, Array):
        return []
    return [float(number) for number in list(told)[:_MOST_POINTS]]


def _colour(annotation: Any, key: str = "/C", *, fill: bool = False) -> str:
    levels = _numbers(annotation.get(key))
    operator = {1: "g" if fill else "G", 3: "rg" if fill else "RG", 4: "k" if fill else "K"}
    if len(levels) not in operator:
        return "" if key == "/IC" else _colourless(fill)
    if len(levels) == 4:
        # As viewers show it, and without need for a profile of inks.
        levels = [(1 - ink) * (1 - levels[3]) for ink in levels[:3]]
    return " ".join(f"{level:.3f}" for level in levels) + f" {operator[len(levels)]} "


def _colourless(fill: bool) -> str:
    return "0 g " if fill else "0 G "


def _width(annotation: Any) -> float:
    style = annotation.get("/BS")
    if isinstance(style, Dictionary) and "/W" in style:
        return float(style.W)
    border = _numbers(annotation.get("/Border", Array()))[:3] if "/Border" in annotation else []
    return border[2] if len(border) > 2 else 1.0


def _quads(annotation: Any) -> list[list[float]]:
    points = _numbers(annotation.get("/QuadPoints"))
    return [points[at : at + 8] for at in range(0, len(points) - 7, 8)]


def _highlight(annotation: Any) -> str:
    boxes = [
        f"{q[0]:.2f} {q[1]:.2f} m {q[2]:.2f} {q[3]:.2f} l {q[6]:.2f} {q[7]:.2f} l {q[4]:.2f} {q[5]:.2f} l h f"
        for q in _quads(annotation)
    ]
    return _colour(annotation, fill=True) + " ".join(boxes) if boxes else ""


def _underline(annotation: Any) -> str:
    return _lines(annotation, 0.0, lift=1)


def _strike(annotation: Any) -> str:
    return _lines(annotation, 0.5)


def _lines(annotation: Any, height: float, lift: float = 0) -> str:
    lines = []
    for q in _quads(annotation):
        # Upper left, upper right, lower left, lower right: what programs write, whatever the standard says.
        ends = [low + (high - low) * height for low, high in zip(q[4:], q[:4], strict=True)]
        lines.append(f"{ends[0]:.2f} {ends[1] + lift:.2f} m {ends[2]:.2f} {ends[3] + lift:.2f} l S")
    return f"{_colour(annotation)}1 w " + " ".join(lines) if lines else ""


def _ink(annotation: Any) -> str:
    strokes = annotation.get("/InkList")
    paths = [_path(_numbers(one)) for one in strokes] if isinstance(strokes, Array) else []
    paths = [f"{path} S" for path in paths if path]
    return f"{_colour(annotation)}{_width(annotation):.2f} w 1 J 1 j " + " ".join(paths) if paths else ""


def _line(annotation: Any) -> str:
    path = _path(_numbers(annotation.get("/L")))
    return f"{_colour(annotation)}{_width(annotation):.2f} w {path} S" if path else ""


def _polyline(annotation: Any) -> str:
    path = _path(_numbers(annotation.get("/Vertices")))
    return f"{_colour(annotation)}{_width(annotation):.2f} w {path} S" if path else ""


def _polygon(annotation: Any) -> str:
    path = _path(_numbers(annotation.get("/Vertices")))
    return f"{_pens(annotation)} {path} h {_paint(annotation)}" if path else ""


def _square(annotation: Any) -> str:
    left, bottom, right, top = _inner(annotation)
    box = f"{left:.2f} {bottom:.2f} {right - left:.2f} {top - bottom:.2f} re"
    return f"{_pens(annotation)} {box} {_paint(annotation)}"


def _circle(annotation: Any) -> str:
    left, bottom, right, top = _inner(annotation)
    x, y, a, b = (left + right) / 2, (bottom + top) / 2, (right - left) / 2, (top - bottom) / 2
    path = [f"{x + a:.2f} {y:.2f} m"]
    for (c, s), (u, v) in (
        ((1, 0), (0, 1)),
        ((0, 1), (-1, 0)),
        ((-1, 0), (0, -1)),
        ((0, -1), (1, 0)),
    ):
        path.append(
            f"{x + a * (c + u * _CURVE):.2f} {y + b * (s + v * _CURVE):.2f} "
            f"{x + a * (u + c * _CURVE):.2f} {y + b * (v + s * _CURVE):.2f} "
            f"{x + a * u:.2f} {y + b * v:.2f} c"
        )
    return f"{_pens(annotation)} {' '.join(path)} h {_paint(annotation)}"


def _inner(annotation: Any) -> tuple[float, float, float, float]:
    box = _numbers(annotation.Rect)
    inset = _width(annotation) / 2
    left, right = sorted((box[0], box[2]))
    bottom, top = sorted((box[1], box[3]))
    return left + inset, bottom + inset, right - inset, top - inset


def _pens(annotation: Any) -> str:
    return f"{_colour(annotation)}{_colour(annotation, '/IC', fill=True)}{_width(annotation):.2f} w"


def _paint(annotation: Any) -> str:
    filled = bool(_colour(annotation, "/IC", fill=True))
    stroked = _width(annotation) > 0
    return ("B" if stroked else "f") if filled else ("S" if stroked else "n")


def _path(points: list[float]) -> str:
    pairs = [f"{x:.2f} {y:.2f}" for x, y in zip(points[::2], points[1::2], strict=False)]
    if len(pairs) < 2:
        return ""
    return f"{pairs[0]} m " + " ".join(f"{pair} l" for pair in pairs[1:])


_WAYS: Mapping[str, Callable[[Any], str]] = {
    "/Highlight": _highlight,
    "/Underline": _underline,
    "/Squiggly": _underline,
    "/StrikeOut": _strike,
    "/Ink": _ink,
    "/Line": _line,
    "/PolyLine": _polyline,
    "/Polygon": _polygon,
    "/Square": _square,
    "/Circle": _circle,
}
