"""The theme's icons: of some thousands in a font of 400 kB and its styles, those that the pages show."""

import re
from pathlib import Path

from fontTools import subset
from sphinx.application import Sphinx

RULE = re.compile(r'(?:\.fa-[\w-]+:before,?)+\{content:"[^"]*"\}')


def keep_icons(app: Sphinx, exception: Exception | None) -> None:
    """Drop all but the used icons from Font Awesome's styles, and from its font all that no style names."""
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    pages = "".join(path.read_text(encoding="utf-8") for path in Path(app.outdir).rglob("*.html"))
    used = set(re.findall(r"\bfa-[\w-]+", pages))
    style = static / "styles" / "pydata-sphinx-theme.css"
    text = style.read_text(encoding="utf-8")
    text = RULE.sub(lambda rule: rule[0] if used & set(re.findall(r"fa-[\w-]+", rule[0])) else "", text)
    style.write_text(
        text.replace('fa-solid-900.woff2) format("woff2")', 'fa-solid-900.woff) format("woff")'), encoding="utf-8"
    )
    styles = "".join(path.read_text(encoding="utf-8") for path in static.rglob("*.css"))
    signs = {int(code, 16) for code in re.findall(r"\\([ef][0-9a-f]{3})\b", styles)}
    signs |= {ord(letter) for letter in styles if "\ue000" <= letter <= "\uf8ff"}
    keep_signs(static / "vendor" / "fontawesome" / "webfonts" / "fa-solid-900.ttf", signs)


def keep_signs(font_file: Path, signs: set[int]) -> None:
    """Write beside a font its WOFF with only some signs, named by their code points."""
    options = subset.Options(flavor="woff")
    font = subset.load_font(font_file, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=signs)
    subsetter.subset(font)
    subset.save_font(font, font_file.with_suffix(".woff"), options)


def setup(app: Sphinx) -> None:
    """Look for the used icons when all pages are written."""
    app.connect("build-finished", keep_icons)
