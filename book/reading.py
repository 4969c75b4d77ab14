"""How long a page takes to read, under its title."""

from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.locale import _

from book.editions import EDITIONS

TEXTS = (nodes.paragraph, nodes.term, nodes.caption)


def minutes_to_read(document: nodes.document, words_per_minute: int) -> int:
    """Whole minutes for the prose of a page; code, outputs and folds are not counted.

    Args:
        document: the page, with its numbers put in.
        words_per_minute: how fast the reader is.
    """
    return round(sum(len(text.astext().split()) for text in _prose(document)) / words_per_minute)


def _prose(node: nodes.Element) -> list[nodes.Element]:
    """The texts below a node that a reader reads."""
    if isinstance(node, HideCodeCellNode) or "cell_output" in node.get("classes", ()):
        return []
    if isinstance(node, TEXTS) or isinstance(node, nodes.title) and isinstance(node.parent, nodes.section):
        return [node]
    return [text for child in node.children if isinstance(child, nodes.Element) for text in _prose(child)]


def add_reading_time(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Write the minutes under the title of a page that takes at least one."""
    if doctree is None:
        return
    if minutes := minutes_to_read(doctree, EDITIONS[app.config.language].words_per_minute):
        note = f'<p class="reading-time">{_("%d min read") % minutes}</p>'
        context["body"] = context["body"].replace("</h1>", f"</h1>\n{note}", 1)


def setup(app: Sphinx) -> None:
    """Look at every page before it is put into its template."""
    app.connect("html-page-context", add_reading_time)
