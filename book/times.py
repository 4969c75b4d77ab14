"""How long each lesson takes, in one table: to read, as its own page says, and to run, as it was measured."""

import json
from datetime import date
from pathlib import Path

from babel.dates import format_date
from docutils import nodes
from docutils.parsers.rst.directives.tables import ListTable
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from book.editions import EDITIONS
from book.reading import minutes_to_read

FILE = "results/lessons.json"


class ToRead(nodes.inline):
    """In the place of the minutes to read a page, which are counted once every page has its numbers."""


def in_words(seconds: float) -> str:
    """A time as one would say it: 4 s, 50 s, 2 min."""
    if seconds < 90:
        return _("%d s") % (round(seconds, -1) if seconds >= 10 else max(1, round(seconds)))
    return _("%d min") % round(seconds / 60)


def _own_words(*children: nodes.Node, classes: tuple[str, ...] = ()) -> nodes.paragraph:
    """A paragraph whose words are in the language of the edition already: they are no message of its page."""
    return nodes.paragraph("", "", *children, classes=[*classes], translatable=False)


class LessonTimes(ListTable, SphinxDirective):
    """A table of the lessons, the notebooks in the first part, and a sentence on when and where it was measured."""

    def run(self) -> list[nodes.Node]:
        measured = json.loads(Path(self.env.srcdir, FILE).read_text(encoding="utf-8"))
        self.options["widths"] = "auto"
        heads = (_("lesson"), _("to read"), _("to run"), _("to its first picture"))
        rows = [[_own_words(nodes.Text(head)) for head in heads]]
        for lesson in self.config.external_site_map.root.subtrees[0].files():
            if not self.env.doc2path(lesson).endswith(".ipynb"):
                continue
            if lesson not in measured["lessons"]:
                raise self.error(f"{FILE} has no times of {lesson}; make bench LESSONS=1 measures every lesson")
            link, _messages = self.parse_inline(f"{{doc}}`/{lesson}`")
            of_lesson = measured["lessons"][lesson]
            times = [nodes.Text(in_words(of_lesson[name])) for name in ("run_s", "first_picture_s")]
            numbers = [_own_words(time, classes=("text-nowrap",)) for time in (ToRead(page=lesson), *times)]
            rows.append([_own_words(*link), *numbers])
        table = self.build_table_from_list(rows, [1] * len(heads), header_rows=1, stub_columns=0)
        for row in table.findall(nodes.row):
            for entry in row[1:]:
                entry["classes"].append("text-right")
        title, messages = self.make_title()
        table.insert(0, title)
        self.add_name(table)
        day = format_date(date.fromisoformat(measured["measured"]), "long", locale=self.config.language)
        said = _("The cells were run on %(date)s, on %(cores)d cores (%(processor)s).")
        return [table, _own_words(nodes.Text(said % {"date": day, **measured["machine"]})), *messages]


class CountMinutes(SphinxPostTransform):
    """Put the minutes to read in, as the page itself shows them."""

    default_priority = 5
    formats = ("html",)

    def run(self) -> None:
        speed = EDITIONS[self.config.language].words_per_minute
        for node in list(self.document.findall(ToRead)):
            page = self.env.get_and_resolve_doctree(node["page"], self.app.builder)
            node.replace_self(nodes.Text(_("%d min") % minutes_to_read(page, speed)))


def setup(app: Sphinx) -> None:
    """Offer the directive `lesson-times`; its argument is the caption."""
    app.add_directive("lesson-times", LessonTimes)
    app.add_post_transform(CountMinutes)
