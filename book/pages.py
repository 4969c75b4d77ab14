"""What this book changes in the pages that Jupyter Book writes: a Sphinx extension.

Formulas become MathML, cells whose name begins with `tab-` count as tables, the buttons that lead to Colab and Binder
appear where the repository has an address, and each written page is made lighter and easier to use without a mouse.
For the Korean edition, what Sphinx would leave in English is translated too, and search knows Korean words.
"""

import json
import os
import re
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bs4 import BeautifulSoup
from docutils import nodes
from fontTools import subset
from latex2mathml.converter import convert
from myst_nb.ext.glue.roles import PasteTextRole
from myst_nb.sphinx_ import HideCodeCellNode
from PIL import Image
from sphinx.addnodes import glossary
from sphinx.errors import ConfigError
from sphinx.locale import _, translators
from sphinx.search import SearchLanguage
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.math import get_node_equation_number
from sphinx.util.nodes import get_node_line, get_node_source

ADDRESS = "AEBOOK_REPOSITORY"  # the one variable: the public address of the repository on GitHub


class Edition(NamedTuple):
    folder: str  # of its pages, seen from the English ones
    name: str
    offer: str  # to a reader whose browser prefers this language
    close: str
    words_per_minute: int


EDITIONS = {
    "en": Edition("", "English", "This page is also in English.", "Close", 200),
    "ko": Edition("ko/", "한국어", "이 페이지는 한국어로도 있습니다.", "닫기", 140),  # longer words: they carry their particles
}
# The letters over the groups of the index: Unicode has them to begin a syllable, and to stand alone.
INITIALS = {0x1100 + place: letter for place, letter in enumerate("ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ")}
RANGE = re.compile(r"(?<=\d) to (?=\d)")
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


class TranslateTableCells(SphinxTransform):
    """MyST does not say where the text of a table's cell is from, and Sphinx translates no text without a source."""

    default_priority = 5  # before Sphinx's translation, at 20

    def apply(self):
        for entry in self.document.findall(nodes.entry):
            for text in entry.findall(nodes.paragraph):
                text.source, text.line = get_node_source(entry), get_node_line(entry)


class GlueHere(PasteTextRole):
    """The role glue:text, for which a translated sentence, too, is part of its page."""

    def run(self):
        if "::" not in self.text and "nb_renderer" not in self.document:
            page = PurePosixPath(self.document.settings.env.docname).name
            self.text = f"{page}.ipynb::{self.text}" + (":s" if ":" not in self.text else "")
        return super().run()


class TranslateWords(SphinxPostTransform):
    """Words that are neither in a text nor in the theme: glued ones, and what stands on the folds of the cells."""

    default_priority = 200  # after MyST-NB has put in the numbers and made the folds

    def run(self):
        for node in self.document.findall(nodes.inline):
            if "pasted-text" in node["classes"]:
                words = RANGE.sub(_(" to "), node.astext())
                node.children = [nodes.Text(_(words) if words else words)]
        for node in self.document.findall(HideCodeCellNode):
            for prompt in ("prompt_show", "prompt_hide"):
                node[prompt] = _(node[prompt])


class SortGlossary(SphinxTransform):
    """The entries of the glossary in the alphabetical order of the edition."""

    default_priority = 30  # after the translation

    def apply(self):
        for entries in self.document.findall(glossary):
            entries[0].children.sort(key=lambda entry: entry[0].astext().partition("(")[0].lower())


class SearchKorean(SearchLanguage):
    """A Korean noun carries its particle: every beginning of a word is in the index, so that the noun alone finds it."""

    lang = "ko"
    language_name = "Korean"

    def split(self, text):
        words = re.findall(r"[가-힣]+|[^\W가-힣]+", text)
        return [part for word in words for part in (accumulate(word) if word[0] >= "가" else [word])]


def translate_settings(app, config):
    """The words in the settings of the book, and those of the theme, for which the book's catalogue is asked first."""
    words = translators["general", "sphinx"]
    words.add_fallback(translators["general", "booktheme"])
    translators["general", "booktheme"] = words
    config.html_title = _(config.html_title)
    config.author = _(config.author)
    config.html_theme_options["search_bar_text"] = _(config.html_theme_options["search_bar_text"])


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


def minutes_to_read(article, words_per_minute):
    """Whole minutes for the prose of an article; code, outputs and folds are not counted."""
    elements = article.select("p, li, td, dt, h2, h3")
    skipped = {id(element) for outer in article.select("li, td, details, .cell_output") for element in outer.select("*")}
    words = sum(len(element.get_text().split()) for element in elements if id(element) not in skipped)
    return round(words / words_per_minute)


COPY = {"copy": "Copy", "copy_to_clipboard": "Copy to clipboard", "copy_success": "Copied!", "copy_failure": "Failed to copy"}


def quiet(script):
    """The script without what it writes to the browser's console."""
    return script.replace("console.log(", "void(")


def translate_copy_buttons(path, language):
    """Sphinx-copybutton has no catalogue: its script holds the words of some languages, and gets those of this one."""
    words = json.dumps({language: {key: _(word) for key, word in COPY.items()}}, ensure_ascii=False)
    path.write_text(path.read_text().replace("\nlet locale", f"\nObject.assign(messages, {words})\nlet locale", 1))


def add_language_switch(page, name, language):
    """A link to the same page in each other edition, and the offer that static/language.js shows to who prefers it."""
    up = "../" * (name.count("/") + EDITIONS[language].folder.count("/"))
    for code, edition in EDITIONS.items():
        address = f"{up}{edition.folder}{name}.html"
        page.head.append(page.new_tag("link", rel="alternate", hreflang=code, href=address))
        if code == language:
            continue
        link = page.new_tag("a", lang=code, hreflang=code, href=address, attrs={"class": "btn btn-sm language-switch"})
        link.string = edition.name
        page.select_one(".article-header-buttons").insert(0, link)
        note = BeautifulSoup(
            f'<aside class="language-offer" lang="{code}" aria-label="{edition.name}" hidden>'
            f'<a href="{address}" hreflang="{code}">{edition.offer}</a>'
            f'<button type="button" class="btn btn-sm">{edition.close}</button></aside>', "html.parser",
        )
        page.body.append(note)


def tidy(html, size_of, language="en", name=None):
    """A page as the theme wrote it, made lighter and accessible.

    Args:
        html: the page.
        size_of: gives the width and height, in CSS pixels, of an image named in `src`; None if it is not the book's.
        language: that of the edition.
        name: of the page, where it gets a link to the other edition.
    """
    page = BeautifulSoup(html, "html.parser")
    if name:
        add_language_switch(page, name, language)
    if language != "en":
        for element in page.select("pre, .cell_output table"):
            element["lang"] = "en"
        for element in page.select("[title], [aria-label], [data-bs-title]"):
            element.attrs.update({key: str(_(element[key])) for key in ("title", "aria-label", "data-bs-title") if key in element.attrs})
    for element in page.find_all(["script", "link"]):
        words = element.get("src") or element.get("href") or element.get("type", "") + element.get_text()
        if UNUSED.search(words) or FOR_SEARCH.search(words) and not page.find(id="search-results"):
            element.decompose()
        elif "console.log(" in (element.string or ""):
            element.string.replace_with(quiet(element.string))

    # A landmark around everything, and names that contain what is to be seen.
    for logo in page.select(".sidebar-primary-item > .navbar-brand"):
        logo.parent.name = "nav"
        logo.parent["aria-label"] = str(_("Cover"))
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
    if title and (minutes := minutes_to_read(article, EDITIONS[language].words_per_minute)):
        note = page.new_tag("p", attrs={"class": "reading-time"})
        note.string = str(_("%d min read") % minutes)
        title.insert_after(note)
    return str(page)


def shorten_search_index(path):
    """The index of the search with Hangul as it is: Sphinx writes each letter as six."""
    text = path.read_text()
    start, end = text.index("{"), text.rindex("}") + 1
    path.write_text(text[:start] + json.dumps(json.loads(text[start:end]), ensure_ascii=False, separators=(",", ":")) + text[end:])


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
        page = tidy(
            path.read_text(), lambda src, path=path: sizes.get((path.parent / src).resolve()),
            app.config.language, name if app.builder.name == "html" else None,
        )
        path.write_text(page.translate(INITIALS))
    pages = "".join(path.read_text() for path in out.rglob("*.html"))
    keep_icons(out / "_static", set(re.findall(r"\bfa-[\w-]+", pages)))
    for script in (out / "_static").rglob("*.js"):
        script.write_text(quiet(script.read_text()))
    if app.builder.name == "html":
        shorten_search_index(out / "searchindex.js")
    translate_copy_buttons(out / "_static" / "copybutton.js", app.config.language)


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline_math, None), (visit_display_math, None))
    app.add_enumerable_node(
        TableOutput, "table", html=(lambda self, node: self.visit_figure(node), lambda self, node: self.depart_figure(node))
    )
    app.add_transform(NumberTables)
    app.add_transform(TranslateTableCells)
    app.add_transform(SortGlossary)
    app.add_post_transform(TranslateWords)
    app.add_role_to_domain("glue", "text", GlueHere(), override=True)
    app.add_search_language(SearchKorean)
    app.connect("config-inited", translate_settings)
    app.connect("config-inited", add_launch_buttons)
    written = set()
    app.connect("html-page-context", lambda app, name, *_: written.add(name))
    app.connect("build-finished", lambda app, exception: finish(app, exception, written))
    return {"parallel_read_safe": True, "parallel_write_safe": False}  # `written` is filled in one process
