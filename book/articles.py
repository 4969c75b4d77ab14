"""The HTML of an article, mended before it is put into its template.

Here stands what neither a template nor a node reaches: tables that cells bring as HTML, and what the writers of
Docutils and MyST-NB put around their nodes.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx

from book.images import Size, size_of


def mend(html: str, size: Callable[[str], Size | None], language: str) -> str:
    """An article as Sphinx wrote it, made accessible.

    Args:
        html: the article.
        size: gives the width and height, in CSS pixels, of an image named in `src`; None if it is not the book's.
        language: that of the edition; code stays in English.
    """
    article = BeautifulSoup(html, "html.parser")
    if language != "en":
        for element in article.select("pre"):
            if not element.find_parent(class_="cell_output"):
                element["lang"] = "en"
    for fold in article.select("summary[aria-label]"):
        del fold["aria-label"]  # it says other words than those to be seen
    for header in article.select("th"):
        if not header.get_text(strip=True):
            header.name = "td"
    for element in article.select(".citation-list, .citation, .footnote-list"):
        element.attrs.pop("role", None)
    for wide in article.select(".cell_output :is(table, figure img)"):  # scrolls inside itself, also by keyboard
        wide.wrap(article.new_tag("div", attrs={"class": "pst-scrollable-table-container", "tabindex": "0"}))
    for image in article.select("img"):
        if known := size(image["src"]):
            image["width"], image["height"] = known
            image["loading"] = "lazy"
    return str(article)


def mend_article(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Mend the article of a page; the pages of the search and of the index have none."""
    if "body" in context:
        context["body"] = mend(context["body"], partial(size_of, app), app.config.language)


def setup(app: Sphinx) -> None:
    """Look at every article before it is put into its template."""
    app.connect("html-page-context", mend_article)
