"""The alphabetical order of the glossary and of the index, in the language of the edition."""

from typing import Any

from docutils import nodes
from sphinx.addnodes import glossary
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

INITIALS = {0x1100 + place: letter for place, letter in enumerate("ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ")}
"""Unicode has a letter to begin a syllable, and one that stands alone, as over a group of the index."""


class SortGlossary(SphinxTransform):
    """The entries of the glossary by their terms, without what stands in brackets."""

    default_priority = 30  # after the translation

    def apply(self) -> None:
        for entries in self.document.findall(glossary):
            entries[0].children.sort(key=lambda entry: entry[0].astext().partition("(")[0].lower())


def name_groups(app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Put a Korean letter that stands alone over each group of the index."""
    if "genindexentries" in context:
        context["genindexentries"] = [(key.translate(INITIALS), group) for key, group in context["genindexentries"]]


def setup(app: Sphinx) -> None:
    """Take part in every build; the English glossary is sorted, too."""
    app.add_transform(SortGlossary)
    app.connect("html-page-context", name_groups)
