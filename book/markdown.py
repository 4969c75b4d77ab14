"""CommonMark of the nodes that the pages of this book are made of; any other node is an error, so that none is lost.

Tables are those of GitHub, which every viewer of notebooks knows, too.
"""

import re
from collections.abc import Callable, Iterator

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError
from sphinx.util.logging import get_node_location

from book.explorer import Host, still_caption

MARKS = re.compile(r"[\\`*\[\]~$]|(?<!\w)_|_(?!\w)|<(?=[\w/!?])|&(?=#?\w+;)")
BEGINNING = re.compile(r"^(\d+)(?=[.)]\s)|^(?=[-+#>=])")
UNSEEN = (nodes.target, nodes.colspec, nodes.comment, addnodes.index)
"""Nodes of which a page shows nothing, either."""


class Line:
    """Writes what stands in a line of text.

    Args:
        link: gives the address of a `reference` or a download, as the notebook has to name it.
    """

    def __init__(self, link: Callable[[nodes.Element], str]) -> None:
        self.link = link

    def inline(self, node: nodes.Element) -> str:
        """What stands in a line of text."""
        return "".join(
            getattr(self, f"inline_{type(child).__name__}", _refuse)(child)
            for child in node.children
            if not isinstance(child, UNSEEN)
        )

    def inline_Text(self, node: nodes.Text) -> str:
        return escaped(node.astext())

    def inline_inline(self, node: nodes.inline) -> str:
        return self.inline(node)

    def inline_emphasis(self, node: nodes.emphasis) -> str:
        return self._marked(node, "*", "em")

    def inline_strong(self, node: nodes.strong) -> str:
        return self._marked(node, "**", "strong")

    def _marked(self, node: nodes.Element, mark: str, tag: str) -> str:
        """Emphasis. As HTML where stars would stay stars: after a bracket, say, that a Korean particle follows."""
        text, beside = self.inline(node), node.parent.children
        place = node.parent.index(node)
        before = beside[place - 1].astext()[-1:] if place else ""
        after = beside[place + 1].astext()[:1] if place + 1 < len(beside) else ""
        ends = (before + text[0], after + text[-1])
        if any(re.match(r"\w[^\w\s]", pair) for pair in ends) or "*" in text[0] + text[-1]:
            return f"<{tag}>{text}</{tag}>"
        return f"{mark}{text}{mark}"

    def inline_literal(self, node: nodes.literal) -> str:
        text = " ".join(node.astext().split("\n"))
        ticks = "`" * (longest_run(text) + 1)
        space = " " if "`" in text[:1] + text[-1:] else ""
        return f"{ticks}{space}{text}{space}{ticks}"

    def inline_math(self, node: nodes.math) -> str:
        return f"${node.astext().strip()}$"

    def inline_reference(self, node: nodes.Element) -> str:
        address = self.link(node)
        return f"[{self.inline(node)}]({f'<{address}>' if set(' ()') & set(address) else address})"

    inline_number_reference = inline_download_reference = inline_reference

    def inline_raw(self, node: nodes.raw) -> str:
        if node.astext().strip() != "<br>":
            _refuse(node)
        return "<br>"


class Markdown(Line):
    """Writes nodes of one page.

    Args:
        link: gives the address of a `reference`, an image or a download, as the notebook has to name it.
        number: gives the words before a caption, such as "Fig. 3", or the number of a formula.
        labels: the ids by which a link may mean a section; it has others, made of its title.
    """

    def __init__(
        self, link: Callable[[nodes.Element], str], number: Callable[[nodes.Element], str], labels: set[str]
    ) -> None:
        super().__init__(link)
        self.number, self.labels = number, labels

    def blocks(self, node: nodes.Element) -> Iterator[str]:
        """The text of each block in a node."""
        for child in node.children:
            if not isinstance(child, UNSEEN):
                yield self.block(child)

    def block(self, node: nodes.Node) -> str:
        """The text of one block, without an empty line around it.

        Raises:
            ExtensionError: if no rule says how to write it.
        """
        return getattr(self, f"block_{type(node).__name__}", _refuse)(node)

    def anchor(self, node: nodes.Element) -> str:
        """Places for links to this node."""
        names = [name for name in node["ids"] if name in self.labels or not isinstance(node, nodes.section)]
        return "".join(f'<a id="{name}"></a>' for name in names)

    def block_paragraph(self, node: nodes.paragraph) -> str:
        return BEGINNING.sub(r"\1\\", self.inline(node).strip())

    def block_title(self, node: nodes.title) -> str:
        level, above = 0, node.parent
        while isinstance(above, nodes.section):
            level, above = level + 1, above.parent
        return "\n\n".join(filter(None, (self.anchor(node.parent), f"{'#' * level} {self.inline(node)}")))

    def block_block_quote(self, node: nodes.block_quote) -> str:
        return indented("\n\n".join(self.blocks(node)), "> ")

    def block_admonition(self, node: nodes.admonition) -> str:
        title, *rest = node.children
        return indented("\n\n".join([f"**{self.inline(title)}**", *map(self.block, rest)]), "> ")

    def block_bullet_list(self, node: nodes.bullet_list) -> str:
        return self._list(node, lambda place: "- ")

    def block_enumerated_list(self, node: nodes.enumerated_list) -> str:
        return self._list(node, lambda place: f"{node.get('start', 1) + place}. ")

    def _list(self, node: nodes.Element, sign: Callable[[int], str]) -> str:
        lines = []
        for place, item in enumerate(node.children):
            text = "\n\n".join(self.blocks(item))
            lines.append(sign(place) + indented(text, " " * len(sign(place))).lstrip())
        return ("\n\n" if any("\n\n" in line for line in lines) else "\n").join(lines)

    def block_literal_block(self, node: nodes.literal_block) -> str:
        code = node.astext().rstrip("\n")
        fence = "`" * max(3, longest_run(code) + 1)
        language = node.get("language", "")
        return f"{fence}{language if language not in ('default', 'none') else ''}\n{code}\n{fence}"

    def block_math_block(self, node: nodes.math_block) -> str:
        tag = f" \\tag{{{self.number(node)}}}" if node["number"] else ""
        return "\n\n".join(filter(None, (self.anchor(node), f"$$\n{node.astext().strip()}{tag}\n$$")))

    def block_table(self, node: nodes.table) -> str:
        head, *body = list(node.findall(nodes.row))
        sides = "".join(" ---: |" if "text-right" in entry["classes"] else " --- |" for entry in head.children)
        lines = [self._row(head), "|" + sides, *map(self._row, body)]
        caption = [self.caption(node, title) for title in node.findall(nodes.title)]
        return "\n\n".join(["\n".join(lines), *caption])

    def _row(self, node: nodes.row) -> str:
        cells = ["<br>".join(self.inline(text) for text in entry.children) for entry in node.children]
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    def block_figure(self, node: nodes.figure) -> str:
        if [type(child) for child in node.children] != [nodes.image, nodes.caption]:
            _refuse(node)
        image, caption = node.children
        return f"![{escaped(image['alt'])}]({self.link(image)})\n\n{self.caption(node, caption)}"

    def caption(self, node: nodes.Element, caption: nodes.Element, folded: bool = False) -> str:
        """The number and the caption of a figure or a table; folded, only the number is seen at first."""
        number, text = self.number(node), self.inline(caption)
        if folded:
            return f"{self.anchor(node)}\n\n<details><summary>{number}</summary>\n\n{text}\n\n</details>"
        return f"{self.anchor(node)}**{number}** {text}"

    def block_Host(self, node: Host) -> str:
        still = node[0]  # the writer of the page has put in its words
        return f"![{escaped(still['alt'])}]({self.link(still)})\n\n*{escaped(still_caption(node['part']))}*"

    def block_raw(self, node: nodes.raw) -> str:
        return node.astext().strip()  # HTML is CommonMark, too

    def block_definition_list_item(self, node: nodes.definition_list_item) -> str:
        return "\n\n".join(self.blocks(node))

    block_definition = block_definition_list_item

    def block_term(self, node: nodes.term) -> str:
        return f"{self.anchor(node)}**{self.inline(node)}**"

    def block_citation(self, node: nodes.citation) -> str:
        label, text = node.children
        return f"{self.anchor(node)}\\[{self.inline(label)}\\] {self.inline(text)}"

    def block_compound(self, node: nodes.Element) -> str:
        if "toctree-wrapper" not in node["classes"]:
            _refuse(node)
        return ""  # the table of contents, which the page shows beside the text


def escaped(text: str) -> str:
    """A text in which no sign means anything."""
    return MARKS.sub(r"\\\g<0>", " ".join(text.split("\n")))


def indented(text: str, sign: str) -> str:
    """A text with a sign before each line."""
    return "\n".join((sign + line).rstrip() for line in text.split("\n"))


def longest_run(text: str) -> int:
    """How many backticks stand side by side."""
    return max(map(len, re.findall("`+", text)), default=0)


def _refuse(node: nodes.Node) -> str:
    raise ExtensionError(
        f"{get_node_location(node)}: book/markdown.py must know each node of a page, got {type(node).__name__} "
        f"in {type(node.parent).__name__}: {node.astext()[:60]!r}"
    )
