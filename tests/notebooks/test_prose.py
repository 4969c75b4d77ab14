"""The prose: a measured number comes from a cell through glue, never from the keyboard."""

import ast
import re
from functools import cache
from pathlib import Path

import nbformat
import pytest

from aebook.notebooks import glued
from aebook.published import PUBLISHED

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [
    *NOTEBOOKS,
    *(ROOT / f"{name}.md" for name in ("index", "teachers", "differences", "glossary", "references", "README")),
]
EXPERIMENT = ROOT / "notebooks" / "one_model.ipynb"
"""It is run many times, and no page of the book: the page of the sweep says what it does."""

BLOCK = re.compile(r"^(?P<fence>`{3,})(?P<kind>[^\n`]*)\n(?P<body>.*?)^(?P=fence)", re.MULTILINE | re.DOTALL)
NO_PROSE = re.compile(
    r"\{(?:glue:text|cite|doc|ref|numref|term|eq)\}`[^`]*`"
    r"|(?<![`}])`[^`]*[A-Za-z_=(][^`]*`(?!`)"  # code within a line; a number alone is no code
    r"|\]\([^)]*\)"  # the address of a link
    r"|(?:\b[Cc]hapters? |\bsections? |\band |\bto |^#+ |\| |\()6\.[1-8](?:\.[1-6])?(?!\w|\.\d)",
    re.MULTILINE,
)
MARKUP = re.compile(r"[*_\\$]|&nbsp;")
MEASURED = re.compile(
    r"(?<![\w.,])(?:\d[\d,]*)?\.\d+(?!\d|\.\d)(?:\s?%)?"  # 0.0874, .09, 81.5 %, 3.5x
    r"|(?<![\w.,])\d+(?:\.\d+)?e[-+]?\d+"  # 8.7e-2
    r"|(?<![\w.,])\d[\d,]*\s?(?:%|‰|dB\b|decibels?\b|percent\b|per cent\b|nats?\b|bits\b|seconds\b|minutes\b|x\b"
    r"|times (?:as|less|more|better|worse|faster|slower|smaller|larger)\b)"
    r"|\b(?:BCE|MSE|PSNR|SSIM|AUC|loss|accuracy|error|score)\b"
    r"(?:\s(?:of|is|was|at|to|about|by|reaches|ends|has))*[\s:=|]+(?P<number>\d[\d,]*(?:\.\d+)?)\b"
)

# What has a point or a % and is a setting or a definition, not a result: for each page the phrases it stands in.
SETTINGS = {
    "6_1_principle": ["so that 90 % of the variance"],
    "6_2_dense": [
        "for a gray pixel of 0.3 it has its lowest point at 0.3",
        "answers 0.5 for every pixel",
        "ln 2 ≈ 0.693",
        "took the rate 1.0",
        "A loss of 0.08 sounds twice as good as one of 0.16",
        "one that answers 0.5",
    ],
    "6_3_convolutional": ["*last* 20 % of the training images", "at the rate 1.0 it had then"],
    "uses": ["32 bits", "level 0.1", "level 0.3", "level 0.5", "0.5 is guessing"],
    "one_model": ["more than 5 %"],
    "sweep": ["more than 5 %", "differs by 1 % or more"],
    "claims": [
        "the 95 % confidence interval",
        "the gray band is less than 2 %",
        "Less than 2 % is",
        "within 5 % of its least",
        "Within 5 % of the last loss",
        "level 0.5",
        "level 0.7",
        "At 0.5 it",
        "at 0.3 it",
        "level 0.1",
    ],
    "ledger": [
        "its 95 % confidence interval",
        "difference were 2 %",
        "effect of 5 %",
        "effects of 5 %",
        "differs by 1 % or more",
    ],
    "differences": ["Keras meant the rate 1.0 then"],
    "teachers": ["Two sessions of 90 minutes"],
    "README": ["Python 3.11, 3.12 or 3.13"],
}


@cache
def read(notebook):
    return nbformat.read(notebook, as_version=4)


@cache
def glued_names(notebook):
    return set(glued(read(notebook)))


def without_code(text):
    """A text without its blocks of code, which keeps its lines. Blocks that are notes, tables or figures stay."""
    return BLOCK.sub(
        lambda block: block.group() if block["kind"].startswith("{") else "\n" * block.group().count("\n"), text
    )


@cache
def prose(page):
    """The texts of a page: (where, text) for each line of a page, or Markdown cell, caption and alt text."""
    if page.suffix == ".md":
        return [(f"line {n}", line) for n, line in enumerate(without_code(page.read_text()).splitlines(), 1)]
    texts = []
    for number, cell in enumerate(read(page).cells):
        words = cell.metadata.get("mystnb", {})
        texts += [
            (f"cell {number}", text)
            for text in (
                cell.source if cell.cell_type == "markdown" else "",
                words.get("figure", {}).get("caption", ""),
                words.get("image", {}).get("alt", ""),
            )
            if text
        ]
    return texts


def typed(text, settings=()):
    """The measured numbers that a text spells out, where they are in none of the settings."""
    text = without_code(text)
    for phrase in settings:
        text = re.sub(r"\s+".join(map(re.escape, phrase.split())), " ", text)
    found = MEASURED.finditer(MARKUP.sub("", NO_PROSE.sub(" ", text)))
    return [(match["number"] or match.group()).strip() for match in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_result_is_typed_by_hand(page):
    settings = SETTINGS.get(page.stem, [])
    faults = [f"{page.name}, {where}: {number}" for where, text in prose(page) for number in typed(text, settings)]
    assert not faults, (
        f"typed by hand into the prose: {'; '.join(faults)}. A result belongs into a cell: glue it there, and write "
        "{glue:text}`name:.4f` in its place. A setting or a definition: name its phrase in SETTINGS in "
        "tests/notebooks/test_prose.py."
    )
    whole = " ".join(" ".join(text for _, text in prose(page)).split())
    assert not [phrase for phrase in settings if phrase not in whole], "SETTINGS has a phrase that is not on the page"


@pytest.mark.parametrize(
    "text",
    [
        "The loss ends at 0.0874.",
        "a BCE of **0.09**",
        "about .09",
        "81 % are right",
        "81% right",
        "it gains 3 dB",
        "8.7e-2",
        "The accuracy is 1",
        "PSNR: 21",
        "from 0.16 to {glue:text}`x:.2f`",
        "12.5 times less",
        "3.5x better",
        "```{note}\nIt is 0.5 here.\n```",
        "3 percent",
        "17.3dB",
        "292 bits",
        "40 seconds",
        "17 decibels",
        "`0.0874`",
        "{abbr}`0.0874 (the loss)`",
        "**21** dB",
        "81&nbsp;%",
        "81 \\%",
        "a loss of 6.3",
        "AUC reaches 1",
        "3 times as long",
        "The loss is 0.4.",
    ],
)
def test_a_typed_result_is_found(text):
    assert len(typed(text, ["level 0.4"])) >= 1


def test_the_number_itself_is_named():
    assert typed("With another seed the loss is 0.0881, or 8 %.") == ["0.0881", "8 %"]


@pytest.mark.parametrize(
    "text",
    [
        "{glue:text}`dense:.4f` of it",
        "`rate = 0.005`",
        "```python\nx = 0.5\n```",
        "chapter 6.2 and section 6.2.3.",
        "28×28 = 784 pixels",
        "20 epochs with 36 numbers",
        "[a page](https://example.org/v1.5/x)",
        "Python 3",
        "{cite}`zeiler2012adadelta` 2012",
        "at noise\nlevel 0.4",
        "the numbers 6.1 to 6.3",
        "two numbers",
    ],
)
def test_settings_and_references_are_left_alone(text):
    assert typed(text, ["level 0.4", "numbers 6.1"]) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_glued_name_is_set_by_a_cell(page):
    faults = []
    for where, text in prose(page):
        for path, name in re.findall(r"\{glue:\w+\}`(?:([^`:]+)::)?([^`:]+)(?::[^`]*)?`", text):
            notebook = page.parent / path if path else page
            if not notebook.is_file() or name not in glued_names(notebook):
                faults.append(f"{page.name}, {where}: no cell of {notebook.name} sets {name!r}")
    assert not faults, "; ".join(faults)


@pytest.mark.parametrize("page", NOTEBOOKS, ids=lambda page: page.name)
def test_no_glued_value_is_typed(page):
    for number, cell in enumerate(read(page).cells):
        for node in ast.walk(ast.parse(cell.source if cell.cell_type == "code" else "")):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "glue":
                assert not isinstance(node.args[1], ast.Constant), f"{page.name}, cell {number}: {ast.unparse(node)}"


def references():
    return set(re.findall(r"^@\w+\{(\w+),", (ROOT / "references.bib").read_text(), re.MULTILINE))


def test_published_results_have_a_reference():
    assert {result.citation for result in PUBLISHED.values()} <= references()


def test_every_reference_is_cited():
    text = "\n".join(text for page in PAGES for _, text in prose(page))
    cited = {key.strip() for keys in re.findall(r"\{cite\}`([^`]+)`", text) for key in keys.split(",")}
    assert references() == cited


def test_a_notebook_that_is_no_page_is_plain():
    """Nothing in its texts needs the book to be built."""
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    assert [path for path in NOTEBOOKS if f"notebooks/{path.stem}\n" not in contents] == [EXPERIMENT]
    assert not [text for _, text in prose(EXPERIMENT) if re.search(r"\{[\w:]+\}", text)]


def test_every_figure_table_and_equation_is_referred_to():
    texts = [text for page in PAGES for _, text in prose(page)]
    named = set(re.findall(r"^:(?:name|label): (.+)$", "\n".join(texts), re.MULTILINE))
    for path in set(NOTEBOOKS) - {EXPERIMENT}:
        for cell in read(path).cells:
            named |= {cell.metadata.get("mystnb", {}).get("figure", {}).get("name")} - {None}
    referred = set(re.findall(r"\{(?:numref|eq)\}`([^`]+)`", "\n".join(texts)))
    assert len(named) > 50
    assert named == referred
