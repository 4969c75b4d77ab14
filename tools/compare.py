"""Whether a new run of a notebook agrees with its stored outputs.

Text agrees when it is the same. A number agrees when it is the same, or when it lies within what was
measured for it (`Bands`): a result that the notebook records, by its name; any other number by the kind
of line it stands in, which is the line with a # for each number. A picture agrees when it shows the same
(structural similarity). White space that only aligns columns does not count.
"""

import base64
import io
import json
import math
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from nbformat import NotebookNode
from PIL import Image
from skimage.metrics import structural_similarity

from aebook.notebooks import glued, plain
from aebook.parameters import read_value

FILE = Path(__file__).parent.parent / "results" / "bands.json"

NUMBER = re.compile(r"(?<![\w.,])([-+−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?)(?![\w]|[.,]\w)", re.IGNORECASE)

EXACT = ("text/markdown", "stderr", "error")
"""Compared letter by letter: text with markup, and what should not be there."""

ARITHMETIC = 1e-5
"""Relative: what another order of the same 32-bit operations may change where nothing is trained."""

SAME_PICTURE = 0.99
"""The least structural similarity of two drawings of the same numbers."""

JUDGED = re.compile(r"^(?:true|not judged): ")
"""How a line begins that says whether a sentence about the stored run is true (`aebook.notebooks.confirm`)."""

Piece = tuple[str, str, str]
"""A part of an output: what it is, its name or the kind of line, and its text."""


def to_number(token: str) -> float:
    """A printed number as a value."""
    return float(token.replace(",", "").replace("−", "-"))


def split(text: str) -> tuple[str, list[str]]:
    """A text as the kind of line it is, and its numbers as they stand there."""
    text = " ".join(text.split())
    return NUMBER.sub("#", text), NUMBER.findall(text)


def decimals(token: str) -> int:
    """How many digits stand behind the decimal point."""
    return len(token.partition(".")[2])


def shown(value: float, token: str) -> bool:
    """Whether a number, printed with as many digits as the token, is the token."""
    return token.replace(",", "") == f"{value:.{decimals(token)}f}"


def difference(a: float, b: float) -> float:
    """How far two numbers are apart, relative to the larger one."""
    return abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0


class Bands:
    """How far the outputs of one notebook may move: what was seen, and as much again.

    Args:
        seen: for one notebook, `results` (the name of a recorded result to the smallest and the
            largest value seen), `lines` (a kind of line to the largest relative difference of each
            of its numbers) and `pictures` (the name of a figure to the smallest structural
            similarity). What is not named must not move.
    """

    def __init__(self, seen: dict[str, Any] | None = None) -> None:
        seen = seen or {}
        self.results = seen.get("results", {})
        self.lines = seen.get("lines", {})
        self.pictures = seen.get("pictures", {})

    def limits(self, name: str, value: float) -> tuple[float, float]:
        """The band of a recorded number. One that never moved may differ by rounding alone."""
        low, high = self.results.get(name, (value, value))
        more = max(high - low, ARITHMETIC * abs(value)) if isinstance(value, float) else high - low
        return low - more, high + more

    def similarity(self, name: str) -> float:
        """The least structural similarity of a figure."""
        return min(1 - 2 * (1 - self.pictures.get(name, 1)), SAME_PICTURE)

    def allows(self, kind: str, place: int, old: str, new: str, recorded: dict[str, float]) -> bool:
        """Whether a number of a line may be `new` where `old` is stored.

        Args:
            kind: the kind of line, and `place` which of its numbers it is.
            recorded: the stored results of the notebook; a line of a kind that was never measured
                may show them.
        """
        if old == new:
            return True
        a, b = to_number(old), to_number(new)
        if kind in self.lines:
            seen, unit = self.lines[kind][place], 10.0 ** -decimals(old)
            return seen > 0 and abs(a - b) <= 2 * seen * max(abs(a), abs(b)) + unit * 1.001
        for name, value in recorded.items():
            if name in self.results and shown(value, old):
                low, high = self.limits(name, value)
                if low < high and round(low, decimals(old)) <= b <= round(high, decimals(old)):
                    return True
        return False


def pieces(outputs: list[NotebookNode], figure: str = "") -> list[Piece]:
    """The outputs of a cell in comparable pieces: (what it is, its name or kind, the piece)."""
    found, streams = [], {}
    for output in outputs:
        if output["output_type"] == "stream":
            streams.setdefault(output["name"], []).append(output["text"])
        elif output["output_type"] == "error":
            found.append(("error", "", f"{output['ename']}: {output['evalue']}"))
        else:
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            for mime, data in sorted(output["data"].items()):
                text = data if isinstance(data, str) else "".join(data)
                if name:
                    found.append(("result", name, plain(text)))
                elif mime == "image/png":
                    found.append(("picture", figure, text))
                else:
                    found.append((mime, f"{figure} {mime}" if figure else split(text)[0], text))
    for name, parts in streams.items():
        for line in "".join(parts).splitlines():
            found.append((name, split(line)[0], line))
    return found


@cache
def picture(png: str) -> np.ndarray:
    """A picture as an array of greys, 0 to 1."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("L"), dtype="float32") / 255


def similarity(one: str, other: str) -> float:
    """The structural similarity of two pictures (base64 of a PNG), which may differ a little in size."""
    a, b = picture(one), picture(other)
    if any(abs(m - n) > 0.05 * m for m, n in zip(a.shape, b.shape)):
        return 0.0
    if a.shape != b.shape:
        b = np.asarray(Image.fromarray(b).resize(a.shape[::-1], Image.Resampling.BILINEAR))
    return float(structural_similarity(a, b, data_range=1))


class Page:
    """What is stored of one notebook, and whether the outputs of a new run agree with it.

    Args:
        notebook: a NotebookNode.
        bands: the Bands of its outputs.
    """

    def __init__(self, notebook: NotebookNode, bands: Bands) -> None:
        self.notebook, self.bands = notebook, bands
        self.recorded = {name: value for name, value in glued(notebook).items() if is_number(value)}

    def faults(
        self, stored: list[NotebookNode], new: list[NotebookNode], metadata: dict[str, Any], another_seed: bool = False
    ) -> list[str]:
        """What does not agree between the stored and the new outputs of a cell, a sentence each.

        Args:
            stored, new: lists of outputs as in a notebook file.
            metadata: that of the cell; it names the figure.
            another_seed: whether the new run has another seed, for which sentences about the stored
                run are not judged.
        """
        figure = metadata.get("mystnb", {}).get("figure", {}).get("name", "")
        old, fresh = pieces(stored, figure), pieces(new, figure)
        if another_seed:
            old, fresh = (
                [(kind, JUDGED.sub("", name), JUDGED.sub("", text)) for kind, name, text in found]
                for found in (old, fresh)
            )
        if len(old) != len(fresh) or any(
            a[:2] != b[:2] for a, b in zip(old, fresh) if a[0] != "picture" or b[0] != "picture"
        ):
            return _missing(old, fresh)
        return [fault for (kind, name, a), (_, _, b) in zip(old, fresh) for fault in self._faults(kind, name, a, b)]

    def _faults(self, kind: str, name: str, old: str, new: str) -> Iterator[str]:
        if kind == "picture":
            seen, least = similarity(old, new), self.bands.similarity(name)
            if seen < least:
                what = name or "a picture"
                yield f"{what} shows something else: similarity {seen:.3f}, at least {least:.3f} expected"
        elif kind == "result" and is_number(read_value(old)) and is_number(read_value(new)):
            low, high = self.bands.limits(name, read_value(old))
            for which, value in (("stored", read_value(old)), ("now", read_value(new))):
                if not low <= value <= high:
                    yield f"{name} is {value!r} ({which}), outside {low:.7g} to {high:.7g}"
        elif kind in EXACT:
            if old != new:
                yield f"stored {old[:200]!r}, now {new[:200]!r}"
        else:
            (before, a), (after, b) = split(old), split(new)
            if before != after:
                yield f"stored {old[:200]!r}, now {new[:200]!r}"
            for place, (x, y) in enumerate(zip(a, b)):
                if not self.bands.allows(name, place, x, y, self.recorded):
                    yield f"{x} in {' '.join(old.split())[:120]!r} is now {y}"


def _missing(old: list[Piece], fresh: list[Piece]) -> list[str]:
    """What is only on one side."""
    lost = [piece for piece in old if piece[:2] not in [other[:2] for other in fresh]]
    more = [piece for piece in fresh if piece[:2] not in [other[:2] for other in old]]
    return [
        *(f"stored {text[:200]!r} is not there in the new run" for _, _, text in lost),
        *(f"the new run has {text[:200]!r}, which is not stored" for _, _, text in more),
    ] or ["the new run has its outputs in another order, or another number of one kind"]


def is_number(value: object) -> bool:
    """Whether a value is a finite number; a truth value is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


@cache
def page(path: Path) -> Page:
    """The stored Page of a notebook's file, with the bands that were measured for it."""
    seen = json.loads(FILE.read_text(encoding="utf-8"))["notebooks"] if FILE.exists() else {}
    return Page(nbformat.read(path, as_version=4), Bands(seen.get(path.stem)))
