"""Plain Markdown of nodes, and where links of a reader's notebook lead: `book.markdown`, `book.readers`, `book.lab`."""

import json

import nbformat
import pytest
from docutils import nodes
from markdown_it import MarkdownIt
from sphinx.errors import ExtensionError

from book import lab, launch
from book.markdown import Markdown
from tools import built

COMMONMARK = MarkdownIt("commonmark").enable("table")


def markdown():
    return Markdown(lambda node: node.get("refuri", "#here"), lambda node: "Fig. 7", {"named"})


def paragraph(*parts):
    return nodes.paragraph("", "", *[nodes.Text(part) if isinstance(part, str) else part for part in parts])


@pytest.mark.parametrize(
    "text",
    ["2 * 3 * 4", "a_b and _c_", "[x](y) ![z]", "$5 and $6", "~a~ 0.5~0.6, 0.7~0.8", "`tick`", "a <b> & &lt; \\",
     "- no list", "1. no list", "1.5 is a number", "# no title", "> no quote", "+ plus", "= equal", "an *aster"],
)  # fmt: skip
def test_a_text_shows_its_own_signs(text):
    written = markdown().block(paragraph(text))
    html = COMMONMARK.render(written)
    assert html.startswith("<p>") and html.count("<") == 2
    shown = html.removeprefix("<p>").removesuffix("</p>\n")
    assert shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text
    assert not set("$~") & set(written.replace("\\$", "").replace("\\~", ""))


@pytest.mark.parametrize(
    "parts, html",
    [
        (("The ", nodes.strong("", "code"), "s"), "The <strong>code</strong>s"),
        ((nodes.strong("", "부호"), "는"), "<strong>부호</strong>는"),
        ((nodes.strong("", "부호(code)"), "는"), "<strong>부호(code)</strong>는"),
        (("그", nodes.emphasis("", "“말”"), "이다"), "그<em>“말”</em>이다"),
        ((nodes.strong("", "", nodes.emphasis("", "both")),), "<strong><em>both</em></strong>"),
        ((nodes.strong("", "36 %"), "의"), "<strong>36 %</strong>의"),
    ],
)
def test_emphasis_ends_before_a_korean_particle(parts, html):
    """CommonMark closes no emphasis between a sign and a letter."""
    assert COMMONMARK.render(markdown().block(paragraph(*parts))) == f"<p>{html}</p>\n"


def test_code_may_hold_backticks():
    html = COMMONMARK.render(markdown().block(paragraph(nodes.literal("", "a `b` c"), " ", nodes.literal("", "`"))))
    assert html == "<p><code>a `b` c</code> <code>`</code></p>\n"


def test_an_address_may_hold_brackets():
    link = nodes.reference("", "[a]", refuri="https://example.org/a_(b)")
    html = COMMONMARK.render(markdown().block(paragraph(link, nodes.comment("", "unseen"))))
    assert html == '<p><a href="https://example.org/a_(b)">[a]</a></p>\n'


def test_a_box_is_a_quote_with_a_bold_title():
    box = nodes.admonition("", nodes.title("", "Note"), paragraph("One."), paragraph("Two."))
    assert markdown().block(box) == "> **Note**\n>\n> One.\n>\n> Two."


def test_a_list_keeps_what_belongs_to_its_items():
    block = nodes.literal_block("", "code\n  more", language="python")
    items = [nodes.list_item("", paragraph("one"), block), nodes.list_item("", paragraph("two"))]
    text = markdown().block(nodes.enumerated_list("", *items, start=3))
    assert text == "3. one\n\n   ```python\n   code\n     more\n   ```\n\n4. two"


def test_a_table_has_its_caption_below_and_keeps_its_bars_and_sides():
    def row(*texts):
        return nodes.row("", *[nodes.entry("", paragraph(text), classes=side) for text, side in zip(texts, sides)])

    sides = ([], ["text-right"])

    group = nodes.tgroup("", nodes.thead("", row("a", "b")), nodes.tbody("", row("1 | 2", nodes.literal("", "x|y"))))
    table = nodes.table("", nodes.title("", "All of it"), group, ids=["tab-all"])
    text = markdown().block(table)
    assert text.endswith('\n\n<a id="tab-all"></a>**Fig. 7** All of it')
    assert text.split("\n")[1] == "| --- | ---: |"
    cells = COMMONMARK.parse(text)
    assert [token.content for token in cells if token.type == "inline"][:4] == ["a", "b", "1 | 2", "`x|y`"]


def test_a_formula_has_its_number():
    formula = nodes.math_block("", "x^2", number=2, ids=["equation-x"])
    assert markdown().block(formula) == '<a id="equation-x"></a>\n\n$$\nx^2 \\tag{Fig. 7}\n$$'
    assert markdown().block(paragraph("so ", nodes.math("", "a_1 * b"))) == "so $a_1 * b$"


def test_a_section_has_a_place_only_for_its_label():
    title = nodes.title("", "A title")
    nodes.document(None, None, "", nodes.section("", nodes.section("", title, ids=["a-title", "named"])))
    assert markdown().block(title) == '<a id="named"></a>\n\n## A title'


@pytest.mark.parametrize(
    "node",
    [nodes.sidebar("", paragraph("one")), paragraph(nodes.subscript("", "one")), paragraph(nodes.raw("", "<one>"))],
)
def test_a_node_without_a_rule_is_an_error_and_not_lost(node):
    with pytest.raises(ExtensionError, match="must know each node of a page, got (sidebar|subscript|raw) in .*one"):
        markdown().block(node)


# Small books


CHAPTER = """# A chapter

Ten of {glue:text}`n:d`: {numref}`fig-one`, {term}`code`, {doc}`../index`, {eq}`eq-one`.

```{math}
:label: eq-one
x = 1
```
"""
INDEX = """# A book

See {numref}`fig-one` in {doc}`notebooks/chapter`.

```{glossary}
code
  What is left of an image.
```
"""


def chapter(text=CHAPTER):
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    glue = nbformat.v4.new_output(
        "display_data", {"application/papermill.record/text/plain": "12"},
        metadata={"scrapbook": {"name": "n", "mime_prefix": "application/papermill.record/"}},
    )  # fmt: skip
    picture = nbformat.v4.new_output("display_data", {"image/png": png, "text/plain": "<Figure>"})
    caption = {"mystnb": {"figure": {"caption": "A *dot*.", "name": "fig-one"}, "image": {"alt": "A dot"}}}
    cells = [
        nbformat.v4.new_markdown_cell(text, id="text"),
        nbformat.v4.new_code_cell("n = 12", outputs=[glue], id="number", metadata={"tags": ["remove-cell"]}),
        nbformat.v4.new_code_cell("draw()", outputs=[picture], id="figure", metadata=caption),
        nbformat.v4.new_code_cell("", id="empty"),
    ]
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}}))


@pytest.mark.slow
@pytest.mark.parametrize(
    "address, elsewhere, place",
    [("", "index.ipynb", "index.ipynb#cell-id=term-code"),
     ("https://github.com/Someone/aebook", "https://someone.github.io/aebook/index.html",
      "https://someone.github.io/aebook/index.html#term-code")],
)  # fmt: skip
def test_a_notebook_names_public_pages_where_there_are_any(address, elsewhere, place, tmp_path, monkeypatch):
    monkeypatch.setenv(launch.ADDRESS, address)
    html = built.small_book(tmp_path, {"index.md": INDEX, "notebooks/chapter.ipynb": chapter()})
    notebook = nbformat.read(html / "readers" / "chapter.ipynb", as_version=4)
    assert [cell.id for cell in notebook.cells] == ["text", "number", "figure", "figure-caption", "empty"]
    assert notebook.cells[0].source == (
        "# A chapter\n\n"
        f"Ten of 12: [Fig. 1](#fig-one), [code]({place}), [A book]({elsewhere}), [(1)](#equation-eq-one).\n\n"
        '<a id="equation-eq-one"></a>\n\n$$\nx = 1 \\tag{1}\n$$'
    )
    assert notebook.cells[3].source == '<a id="fig-one"></a>**Fig. 1** A *dot*.'
    source = nbformat.read(tmp_path / "notebooks" / "chapter.ipynb", as_version=4)
    assert [notebook.cells[place] for place in (1, 2, 4)] == source.cells[1:]


@pytest.mark.slow
def test_a_page_with_an_unknown_node_is_one_line(tmp_path):
    pages = {"index.md": INDEX, "notebooks/chapter.ipynb": chapter(f"{CHAPTER}\n```{{sidebar}} A box\nof text\n```\n")}
    with pytest.raises(RuntimeError, match=r"chapter.ipynb:\d+: book/markdown.py must know each node .* got sidebar"):
        built.small_book(tmp_path, pages)


@pytest.mark.parametrize(
    "repository, pages",
    [("Someone/aebook", "https://someone.github.io/aebook/"), ("Some/some.github.io", "https://some.github.io/")],
)
def test_github_shows_the_pages_at_the_owners_address(repository, pages):
    assert launch.pages_of(f"https://github.com/{repository}") == pages


# A folder of one's own


def write(path, *sources, **metadata):
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [nbformat.v4.new_markdown_cell(source, id=f"cell-{place}") for place, source in enumerate(sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)


def test_what_a_reader_changed_stays_and_the_rest_is_the_books(tmp_path):
    book, mine = tmp_path / "_build" / "html" / "ko" / "readers", tmp_path / "lab-ko"
    for name in ("opened", "changed", "same"):
        write(book / f"{name}.ipynb", "one")
    assert lab.fill(tmp_path, "ko") == []
    write(mine / "opened.ipynb", "one", saved_by="JupyterLab")
    write(mine / "changed.ipynb", "mine")
    assert lab.fill(tmp_path, "ko") == []
    for name in ("opened", "changed", "same", "new"):
        write(book / f"{name}.ipynb", "two")
    assert lab.fill(tmp_path, "ko") == lab.fill(tmp_path, "ko") == ["changed.ipynb"]
    texts = {path.stem: json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"] for path in mine.glob("*")
             if path.suffix}  # fmt: skip
    assert texts == {"opened": ["two"], "changed": ["mine"], "same": ["two"], "new": ["two"]}
    (mine / "changed.ipynb").unlink()
    assert lab.fill(tmp_path, "ko") == [] and "two" in (mine / "changed.ipynb").read_text(encoding="utf-8")
