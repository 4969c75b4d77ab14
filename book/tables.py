"""Tables that cells print are numbered among the tables, not among the figures."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class TableOutput(nodes.figure):
    """The output of a cell that is a table."""


class NumberTables(SphinxTransform):
    """MyST-NB makes a figure of every output with a caption; one whose name begins with `tab-` is a table."""

    default_priority = 400

    def apply(self) -> None:
        for figure in self.document.findall(nodes.figure):
            if any(name.startswith("tab-") for name in figure["names"]):
                figure.__class__ = TableOutput  # in place: the document's targets keep pointing at it


def setup(app: Sphinx) -> None:
    """Write a TableOutput as a figure, and count it as a table."""
    app.add_enumerable_node(
        TableOutput,
        "table",
        html=(lambda self, node: self.visit_figure(node), lambda self, node: self.depart_figure(node)),
    )
    app.add_transform(NumberTables)
