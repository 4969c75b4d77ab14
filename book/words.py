"""The words of an edition that Sphinx would leave in English: in settings, cells of tables, numbers and folds."""

import re
from pathlib import PurePosixPath

from docutils import nodes
from myst_nb.ext.glue.roles import PasteTextRole
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.locale import _, translators
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import get_node_line, get_node_source

RANGE = re.compile(r"(?<=\d) to (?=\d)")


def translated(text: str) -> str:
    """The text in the language of the edition. Nothing stays nothing: the catalogue's entry for it is its header."""
    return str(_(text)) if text else ""


def translate_settings(app: Sphinx, config: Config) -> None:
    """Translate the words in the settings, and let the theme ask the book's catalogue first."""
    words = translators["general", "sphinx"]
    words.add_fallback(translators["general", "booktheme"])
    translators["general", "booktheme"] = words
    config.html_title = translated(config.html_title)
    config.author = translated(config.author)
    config.html_theme_options["search_bar_text"] = translated(config.html_theme_options["search_bar_text"])


class TranslateTableCells(SphinxTransform):
    """MyST does not say where the text of a table's cell is from, and Sphinx translates no text without a source."""

    default_priority = 5  # before Sphinx's translation, at 20

    def apply(self) -> None:
        for entry in self.document.findall(nodes.entry):
            for text in entry.findall(nodes.paragraph):
                text.source, text.line = get_node_source(entry), get_node_line(entry)


class GlueHere(PasteTextRole):
    """The role glue:text, for which a translated sentence, too, is part of its page."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        if "::" not in self.text and "nb_renderer" not in self.document:
            page = PurePosixPath(self.document.settings.env.docname).name
            self.text = f"{page}.ipynb::{self.text}" + (":s" if ":" not in self.text else "")
        return super().run()


class TranslateWords(SphinxPostTransform):
    """Words that stand in no text: glued ones, and those on the folds of the cells."""

    default_priority = 200  # after MyST-NB has put in the numbers and made the folds

    def run(self) -> None:
        for node in self.document.findall(nodes.inline):
            if "pasted-text" in node["classes"]:
                words = RANGE.sub(_(" to "), node.astext())
                node.children = [nodes.Text(translated(words))]
        for node in self.document.findall(HideCodeCellNode):
            for prompt in ("prompt_show", "prompt_hide"):
                node[prompt] = translated(node[prompt])


def translate_captions(app: Sphinx, document: nodes.document) -> None:
    """Translate what stands above each part of the contents: its node comes after Sphinx's translation."""
    for contents in document.findall(addnodes.toctree):
        contents["caption"] = translated(contents["caption"] or "") or None


def setup(app: Sphinx) -> None:
    """Take part in every build; for the English edition nothing changes."""
    app.add_transform(TranslateTableCells)
    app.add_post_transform(TranslateWords)
    app.add_role_to_domain("glue", "text", GlueHere(), override=True)
    app.connect("config-inited", translate_settings)
    app.connect("doctree-read", translate_captions, priority=900)  # after the table of contents is put in
