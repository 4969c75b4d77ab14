"""Images that are small to load, and whose place on the page is kept until they are there."""

from pathlib import Path, PurePosixPath
from typing import BinaryIO

from PIL import Image
from sphinx.application import Sphinx

Size = tuple[int, int]


def size_of(app: Sphinx, address: str) -> Size | None:
    """The width and height in CSS pixels of an image of the book, by its address on a page; None for any other."""
    name = PurePosixPath(address).name
    for source, target in app.builder.images.items():
        if target == name and name.endswith(".png"):
            with Image.open(Path(app.srcdir) / source) as image:
                return round(96 * image.width / per_inch(image)), round(96 * image.height / per_inch(image))
    return None


def per_inch(image: Image.Image) -> float:
    """How many pixels of an image make an inch; without a word on it, as many as CSS has."""
    return image.info.get("dpi", (96, 96))[0]


def with_few_colors(image: Image.Image, file: Path | BinaryIO) -> None:
    """Write an image as PNG with 256 colors."""
    few = image.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(file, "PNG", optimize=True, dpi=(per_inch(image), per_inch(image)))


def shrink_images(app: Sphinx, exception: Exception | None) -> None:
    """Write the images with 256 colors, enough for every figure, in a third of the bytes."""
    if exception or app.builder.format != "html":
        return
    for path in (Path(app.outdir) / app.builder.imagedir).glob("*.png"):
        with Image.open(path) as image:
            if image.mode != "P":
                with_few_colors(image, path)


def setup(app: Sphinx) -> None:
    """Shrink the images when all are written."""
    app.connect("build-finished", shrink_images)
