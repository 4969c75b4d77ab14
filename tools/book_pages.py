"""What this book changes in the pages that Jupyter Book writes: a Sphinx extension.

Formulas become MathML, cells whose name begins with `tab-` count as tables, the buttons that lead to Colab and Binder
appear where the repository has an address, and each written page is made lighter and easier to use without a mouse.
"""

import os
import re
from pathlib import Path

from bs4 import BeautifulSoup
from docutils import nodes
from fontTools import subset
from latex2mathml.converter import convert
from PIL import Image
from sphinx.errors import ConfigError
from sphinx.transforms import SphinxTransform
from sphinx.util.math import get_node_equation_number

ADDRESS = "AEBOOK_REPOSITORY"  # the one variable: the public address of the repository on GitHub
WORDS_PER_MINUTE = 200
# Scripts and styles of the theme and of Jupyter Book that no page of this book uses.
UNUSED = re.compile(
    r"fontawesome\.js|thebe|togglebutton|design-tabs|sphinx-design|toggleHint|toggleOpenOnPrint|DOCUMENTATION_OPTIONS\.pagename"
)
ICON = re.compile(r'(?:\.fa-[\w-]+:before,?)+\{content:"[^"]*"\}')
FOR_SEARCH = re.compile(r"searchtools\.js|language_data\.js|searchindex\.js")


class TableOutput(nodes.figure):
    """The output of a cell that is a table: its caption is numbered among the tables."""


class NumberTables(SphinxTransform):
    """MyST-NB makes a figure of every output with a caption; a table among them becomes a TableOutput."""

    default_priority = 400

    def apply(self):
        for figure in self.document.findall(nodes.figure):
            if any(name.startswith("tab-") for name in figure["names"]):
                figure.__class__ = TableOutput  # in place: the document's targets keep pointing at it


def visit_inline_math(self, node):
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_display_math(self, node):
    self.body.append(self.starttag(node, "div", CLASS="math", tabindex="0"))
    if node["number"]:  # first, because the theme draws this line from right to left
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})</span>')
    self.body.append(convert(node.astext(), display="block"))
    self.body.append("</div>\n")
    raise nodes.SkipNode


def add_launch_buttons(app, config):
    """Buttons to Colab and Binder, which need a public repository; without its address there are none."""
    address = os.environ.get(ADDRESS, "")
    if not address:
        return
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+(?<!\.git)", address):
        raise ConfigError(f"{ADDRESS} must be https://github.com/OWNER/NAME, got {address}")
    config.html_theme_options.update(
        repository_url=address,
        repository_branch="launch",  # the workflow puts the book there, with a first cell that installs it
        launch_buttons={
            "notebook_interface": "jupyterlab",
            "colab_url": "https://colab.research.google.com",
            "binderhub_url": "https://mybinder.org",
        },
    )


def minutes_to_read(article):
    """Whole minutes for the prose of an article; code, outputs and folds are not counted."""
    elements = article.select("p, li, td, dt, h2, h3")
    skipped = {id(element) for outer in article.select("li, td, details, .cell_output") for element in outer.select("*")}
    words = sum(len(element.get_text().split()) for element in elements if id(element) not in skipped)
    return round(words / WORDS_PER_MINUTE)


def quiet(script):
    """The script without what it writes to the browser's console."""
    return script.replace("console.log(", "void(")


def tidy(html, size_of):
    """A page as the theme wrote it, made lighter and accessible.

    Args:
        html: the page.
        size_of: gives the width and height, in CSS pixels, of an image named in `src`; None if it is not the book's.
    """
    page = BeautifulSoup(html, "html.parser")
    for element in page.find_all(["script", "link"]):
        words = element.get("src") or element.get("href") or element.get("type", "") + element.get_text()
        if UNUSED.search(words) or FOR_SEARCH.search(words) and not page.find(id="search-results"):
            element.decompose()
        elif "console.log(" in (element.string or ""):
            element.string.replace_with(quiet(element.string))

    # A landmark around everything, and names that contain what is to be seen.
    for logo in page.select(".sidebar-primary-item > .navbar-brand"):
        logo.parent.name = "nav"
        logo.parent["aria-label"] = "Cover"
    for button in page.select(".search-button-field[aria-label], summary[aria-label]"):
        del button["aria-label"]
    for header in page.select("th"):
        if not header.get_text(strip=True):
            header.name = "td"
    for element in page.select('.citation-list, .citation, .footnote-list'):
        element.attrs.pop("role", None)

    # What can be wider than a phone scrolls inside itself, also by keyboard.
    for wide in page.select("article .cell_output :is(table, figure img)"):
        wide.wrap(page.new_tag("div", attrs={"class": "pst-scrollable-table-container", "tabindex": "0"}))

    for image in page.select("article img"):
        size = size_of(image["src"])
        if size:
            image["width"], image["height"] = size
            image["loading"] = "lazy"

    article = page.find("article")
    title = article and article.find("h1")
    if title and (minutes := minutes_to_read(article)):
        note = page.new_tag("p", attrs={"class": "reading-time"})
        note.string = f"{minutes} min read"
        title.insert_after(note)
    return str(page)


def keep_icons(static, used):
    """Drop all but the used icons from Font Awesome's styles, and from its font all that no style names."""
    style = static / "styles" / "pydata-sphinx-theme.css"
    text = ICON.sub(lambda rule: rule[0] if used & set(re.findall(r"fa-[\w-]+", rule[0])) else "", style.read_text())
    style.write_text(text.replace('fa-solid-900.woff2) format("woff2")', 'fa-solid-900.woff) format("woff")'))
    styles = "".join(path.read_text() for path in static.rglob("*.css"))
    signs = {int(code, 16) for code in re.findall(r"\\([ef][0-9a-f]{3})\b", styles)}
    signs |= {ord(letter) for letter in styles if "\ue000" <= letter <= "\uf8ff"}
    fonts = static / "vendor" / "fontawesome" / "webfonts"
    options = subset.Options(flavor="woff")
    font = subset.load_font(fonts / "fa-solid-900.ttf", options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=signs)
    subsetter.subset(font)
    subset.save_font(font, fonts / "fa-solid-900.woff", options)


def finish(app, exception, written):
    """Tidy the written pages, make images and icons smaller, and quiet the theme's scripts."""
    if exception or app.builder.name not in ("html", "singlehtml"):
        return
    out = Path(app.outdir)
    sizes = {}
    for path in (out / app.builder.imagedir).glob("*.png"):
        with Image.open(path) as image:
            per_inch = image.info.get("dpi", (96, 96))[0]
            sizes[path.resolve()] = [round(96 * pixels / per_inch) for pixels in image.size]
            if image.mode != "P":  # 256 colours are enough for every figure, in a third of the bytes
                few = image.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
                few.save(path, optimize=True, dpi=(per_inch, per_inch))
    for name in written:
        path = out / f"{name}.html"
        path.write_text(tidy(path.read_text(), lambda src, path=path: sizes.get((path.parent / src).resolve())))
    pages = "".join(path.read_text() for path in out.rglob("*.html"))
    keep_icons(out / "_static", set(re.findall(r"\bfa-[\w-]+", pages)))
    for script in (out / "_static").rglob("*.js"):
        script.write_text(quiet(script.read_text()))


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline_math, None), (visit_display_math, None))
    app.add_enumerable_node(
        TableOutput, "table", html=(lambda self, node: self.visit_figure(node), lambda self, node: self.depart_figure(node))
    )
    app.add_transform(NumberTables)
    app.connect("config-inited", add_launch_buttons)
    written = set()
    app.connect("html-page-context", lambda app, name, *_: written.add(name))
    app.connect("build-finished", lambda app, exception: finish(app, exception, written))
    return {"parallel_read_safe": True, "parallel_write_safe": False}  # `written` is filled in one process
