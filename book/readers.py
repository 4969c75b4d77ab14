"""Notebooks for readers: each page as a notebook in plain Markdown, which every viewer shows whole.

They lie in the folder `readers` of an edition, and the download buttons lead to them. Their code cells, with outputs
and metadata, are those of the stored notebook; their sentences are those of the page.
"""

import posixpath
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.logging import get_node_location

from book.cells import load_cell
from book.markdown import UNSEEN, Markdown
from book.runs import RUN, is_shown, notebook_of

FOLDER = "readers"
LINES = 10_000
"""MyST-NB counts lines so: those of the first cell from 10,000 on, those of the second from 20,000 on."""
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
WRAPPERS = (nodes.section, addnodes.glossary, nodes.definition_list, nodes.container)
Cells = list[nbformat.NotebookNode]


class Page:
    """A page on its way to a notebook.

    Args:
        app: Sphinx, with the numbers of the figures and the public address of the pages, if they have one.
        name: the page's, such as `notebooks/6_2_dense`.
        document: the page, with its numbers put in.
    """

    def __init__(self, app: Sphinx, name: str, document: nodes.document) -> None:
        self.app, self.name, self.document = app, name, document
        self.folder, self.public = Path(app.outdir) / FOLDER, app.config.html_baseurl.rstrip("/")
        self.domain = app.env.domains["std"]
        labels = {place for page, place in self.domain.anonlabels.values() if page == name}
        self.markdown = Markdown(self.link, self.number, labels)

    def number(self, node: nodes.Element) -> str:
        """The number of a formula; that of a figure or a table, with the word before it."""
        kind = "displaymath" if isinstance(node, nodes.math_block) else self.domain.get_enumerable_node_type(node)
        number = self.app.env.toc_fignumbers[self.name][kind][node["ids"][0]]
        return self.app.config.numfig_format.get(kind, "%s") % ".".join(map(str, number))

    def link(self, node: nodes.Element) -> str:
        """Where a reference leads: to a place in this notebook, a public page, or a notebook or a file beside this.

        Raises:
            ExtensionError: if it leads to no page of the book.
        """
        if isinstance(node, nodes.image):  # Sphinx has put the address on the page into its `uri`
            return self.beside(node["candidates"]["*"])
        if isinstance(node, addnodes.download_reference):
            return self.beside(self.app.env.relfn2path(node["reftarget"], self.name)[0])
        if "refid" in node:
            return f"#{node['refid']}"
        if ":" in node["refuri"]:
            return node["refuri"]
        address, sign, place = node["refuri"].partition("#")
        page = posixpath.normpath(posixpath.join(self.name, "..", address or posixpath.basename(self.name)))
        page = page.removesuffix(".html")
        if page not in self.app.env.found_docs:
            raise ExtensionError(f"{get_node_location(node)}: a link must lead to a page, got {node['refuri']}")
        if self.public:
            return f"{self.public}/{page}.html{sign}{place}"
        # JupyterLab finds a cell in a notebook that it opens, but no other place yet.
        return notebook_name(page) + (sign if self.stored(page) else sign and "#cell-id=") + place

    def beside(self, path: str) -> str:
        """Put a file of the book beside the notebooks; gives its address."""
        self.folder.mkdir(exist_ok=True)
        name = Path(shutil.copy(Path(self.app.srcdir) / path, self.folder)).name
        return f"{self.public}/{FOLDER}/{name}" if self.public else name

    def stored(self, page: str) -> bool:
        """Whether a page is a notebook; the others are text alone."""
        return str(self.app.env.doc2path(page)).endswith(".ipynb")

    def cells(self) -> Cells:
        """The cells of a page of text: one for each place to which a link may lead, named as the place is."""
        texts: dict[str, list[str]] = {}
        for block in blocks(self.document):
            owner = block.parent if isinstance(block, nodes.title) else block
            places = owner["ids"] or [place for term in block.findall(nodes.term) for place in term["ids"]]
            name = places[0] if places else [*texts][-1]
            texts.setdefault(name, []).append(self.markdown.block(block))
        return [text_cell(name, text) for name, text in texts.items()]

    def cells_like(self, stored: Cells) -> Cells:
        """The cells of a stored notebook with the sentences of the page, and below each figure its caption.

        Raises:
            ExtensionError: if a sentence of the page is from no cell of text.
        """
        texts: dict[int, list[str]] = defaultdict(list)
        captions: dict[int, list[str]] = defaultdict(list)
        for block in blocks(self.document):
            place = (block.line or 0) // LINES - 1
            if block.get("nb_element") == "cell_code":
                folded = stored[place].metadata.get("jupyter", {}).get("outputs_hidden", False)
                for figure in block.findall(nodes.figure):
                    (caption,) = figure.findall(nodes.caption)
                    captions[place].append(self.markdown.caption(figure, caption, folded))
            elif place >= 0 and stored[place].cell_type == "markdown":
                texts[place].append(self.markdown.block(block))
            else:
                raise ExtensionError(
                    f"{get_node_location(block)}: a text must come from a cell of text, got {block.astext()[:60]!r}"
                )
        cells = []
        for place, cell in enumerate(stored):
            if cell.cell_type == "code":
                cells.append(cell)
            elif place in texts:
                cells.append(text_cell(cell.id, texts[place], cell.metadata))
            if place in captions:
                cells.append(text_cell(f"{cell.id}-caption", captions[place]))
        return cells

    def write(self) -> None:
        """Write the notebook."""
        if self.stored(self.name):
            notebook = notebook_of(self.app, self.name)
            notebook.cells = self.cells_like(notebook.cells)
            if self.app.config.language != "en" and not is_shown(self.app, self.name):
                notebook.cells.insert(1, load_cell(self.app.config.language))
        else:
            notebook = nbformat.v4.new_notebook(cells=self.cells(), metadata=KERNEL)
        self.folder.mkdir(exist_ok=True)
        nbformat.write(notebook, self.folder / own_name(self.app, self.name))


def notebook_name(page: str) -> str:
    """The name of the file that a page becomes; all lie in one folder."""
    return f"{PurePosixPath(page).name}.ipynb"


def own_name(app: Sphinx, page: str) -> str:
    """The name of the file that the page in the making becomes: that of another run has the run's name."""
    return Path(app.config[RUN]).name if is_shown(app, page) else notebook_name(page)


def blocks(node: nodes.Element) -> Iterator[nodes.Element]:
    """The blocks of a page in their order, taken out of its sections and lists of entries."""
    for child in node.children:
        if isinstance(child, WRAPPERS) and "nb_element" not in child:
            yield from blocks(child)
        elif not isinstance(child, UNSEEN):
            yield child


def text_cell(name: str, texts: list[str], metadata: dict[str, Any] | None = None) -> nbformat.NotebookNode:
    """A cell of text, named by where it is from: a new build gives the same bytes."""
    return nbformat.v4.new_markdown_cell("\n\n".join(filter(None, texts)), id=name, metadata=metadata or {})


def write_notebook(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Write the notebook of a page, and let the download button of a chapter lead to it."""
    if doctree is None or app.builder.name != "html":
        return
    Page(app, name, doctree).write()
    for group in context["header_buttons"]:
        for button in group.get("buttons", []):
            if button.get("label") == "download-source-button" and button["text"] == ".ipynb":
                button["url"] = context["pathto"](f"{FOLDER}/{own_name(app, name)}", 1)


def setup(app: Sphinx) -> None:
    """Look at every page when it is put into its template, after the theme has made its buttons."""
    app.connect("html-page-context", write_notebook, priority=900)
