"""The page of another run: a chapter with the outputs and the numbers of a notebook that was run with other settings.

`book.rerun` builds one such page. What only holds for the stored settings has the class `stored` in the chapter
(a line `{.stored}` above the paragraph or the list); the page of another run says so.
"""

from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform

from book import cells
from book.words import translated

RUN = "another_run"
"""The setting that names the executed notebook; without it, every page is that of its stored run."""
CLASS = "stored"


def settings_of(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """What papermill has set; empty if it did not run this notebook."""
    return dict(notebook.metadata.get("papermill", {}).get("parameters", {}))


def is_of(notebook: nbformat.NotebookNode, chapter: nbformat.NotebookNode) -> bool:
    """Whether a notebook, executed or not, has all code cells of a chapter."""
    codes = {cell.id for cell in chapter.cells if cell.cell_type == "code"}
    return codes <= {cell.get("id") for cell in notebook.cells}


def merged(run: nbformat.NotebookNode, chapter: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The cells of a run with the sentences of its chapter, and a box on what was set after the title."""
    sentences = {cell.id: cell for cell in chapter.cells if cell.cell_type == "markdown"}
    beginning, *others = [sentences.get(cell.id, cell) for cell in run.cells if not cell.id.endswith("-caption")]
    title, _newline, rest = beginning.source.partition("\n")
    parts = {"title": title, "another-run": box(settings_of(run)), beginning.id: rest.strip()}
    first = [nbformat.v4.new_markdown_cell(text, id=name) for name, text in parts.items() if text]
    return nbformat.NotebookNode({**run, "cells": [*first, *others]})


def box(settings: dict[str, Any]) -> str:
    """What a reader should know before all else, in MyST, in the language of the edition."""
    lines = [
        translated("Set for this run: %s.") % ", ".join(f"`{name}` = {value}" for name, value in settings.items()),
        translated(
            "Tables, figures and measured numbers are of this run. What was written about the stored run says so."
        ),
    ]
    if settings.get("dataset") == "fashion_mnist":
        lines.append(
            translated("The images are clothes: where a sentence says MNIST or digit, read Fashion-MNIST or garment.")
        )
    return "\n".join(
        [f"```{{admonition}} {translated('A run with other settings')}", ":class: attention", *lines, "```"]
    )


def notebook_of(app: Sphinx, page: str) -> nbformat.NotebookNode:
    """The notebook that a page shows, in the language of the edition."""
    notebook = nbformat.read(app.env.doc2path(page), as_version=4)
    if is_shown(app, page):
        notebook = merged(nbformat.read(app.config[RUN], as_version=4), notebook)
    if app.config.language != "en":
        cells.translate(notebook, app.config.language, cells.figures_of(cells.ROOT, page))
    return notebook


def is_shown(app: Sphinx, page: str) -> bool:
    """Whether a page is that of another run."""
    return bool(app.config[RUN]) and PurePosixPath(page).name == Path(app.config[RUN]).parent.name


def outdated(app: Sphinx, env: BuildEnvironment, *_changes: set[str]) -> list[str]:
    """The page is read anew, though its chapter is as it was."""
    return [page for page in env.found_docs if is_shown(app, page)]


def put_in(app: Sphinx, page: str, source: list[str]) -> None:
    """Give Sphinx the other run in the place of the chapter, and an edition its own outputs."""
    if app.builder.name != "gettext" and str(app.env.doc2path(page)).endswith(".ipynb"):
        source[0] = nbformat.writes(notebook_of(app, page))


class MarkStored(SphinxPostTransform):
    """On the page of another run, says of blocks that they tell of the stored run: those marked so, and captions."""

    default_priority = 300  # the captions of outputs are there

    def run(self) -> None:
        if not is_shown(self.app, self.env.docname):
            return
        mark = translated("(Written about the stored run.)")
        for node in self.document.findall(nodes.image):
            node["alt"] = f"{node.get('alt', '')} {mark}".strip()
        for node in [*self.document.findall(is_about_stored)]:
            words = nodes.emphasis("", mark)
            if isinstance(node, nodes.Sequential):  # a list, whose parts are no words
                before = nodes.paragraph("", "", words)
                before.line = node.line
                node.parent.insert(node.parent.index(node), before)
            else:
                node += [nodes.Text(" "), words]


def is_about_stored(node: nodes.Node) -> bool:
    """Whether a block tells what one run gave, in words that no cell has written."""
    return isinstance(node, nodes.caption) or (isinstance(node, nodes.Element) and CLASS in node["classes"])


def setup(app: Sphinx) -> None:
    """Take part in every build; without the setting nothing changes."""
    app.add_config_value(RUN, "", "")  # a change makes no other page outdated
    app.add_post_transform(MarkStored)
    app.connect("env-get-outdated", outdated)
    app.connect("source-read", put_in)
