"""How a lesson is told: the picture first, the bookkeeping out of sight, code that a reader can change, exercises."""

import ast
import inspect
import re
import statistics
from functools import cache
from pathlib import Path

import nbformat
import pytest
import yaml

from aebook import models
from tools.lessons import exercises, mean_length, pages, plain, sentences, visible, words

ROOT = Path(__file__).parents[2]
LESSONS = [ROOT / "notebooks" / f"{stem}.ipynb" for stem in ("6_1_principle", "6_2_dense", "6_3_convolutional", "uses")]
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)

BOOKKEEPING = re.compile(r"glue\(|\.check\(|confirm\(|\bassert\b")
MOST_WORDS = 15
"""A sentence may have so many words, on average over a page; STYLE says 14."""


@cache
def cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if visible(cell)]


def before(path, wanted):
    """How many words and how many code cells a reader meets before the first cell that `wanted` finds, with it."""
    found = next(place for place, cell in enumerate(cells(path)) if wanted(cell))
    seen = cells(path)[: found + 1]
    return sum(len(words(plain(cell.source))) for cell in seen if cell.cell_type == "markdown"), sum(
        cell.cell_type == "code" for cell in seen
    )


def is_figure(cell):
    return cell.metadata.get("mystnb", {}).get("figure", {}).get("name", "").startswith("fig-")


def is_rows(cell):
    return is_figure(cell) and "reconstructions(" in cell.source


@each_lesson
def test_the_first_figure_comes_within_150_words(path):
    assert before(path, is_figure)[0] <= 150


def test_the_dense_chapter_trains_and_draws_at_once():
    dense = LESSONS[1]
    fit_words, fit_cells = before(dense, lambda cell: ".fit(" in cell.source)
    assert fit_words <= 250 and fit_cells <= 6
    assert before(dense, is_rows)[1] <= 8


@each_lesson
def test_bookkeeping_is_out_of_sight(path):
    code = [cell.source for cell in cells(path) if cell.cell_type == "code"]
    assert not [source for source in code if BOOKKEEPING.search(source)]
    lengths = [len(source.splitlines()) for source in code]
    assert statistics.median(lengths) <= 5 and max(lengths) <= 15


@each_lesson
def test_the_digit_is_the_hero_not_the_source(path):
    texts = [plain(cell.source) if cell.cell_type == "markdown" else caption(cell) for cell in cells(path)]
    assert len(re.findall(r"\b(?:the|our) source\b(?!')", " ".join(texts), re.IGNORECASE)) <= 3


def caption(cell):
    return cell.metadata.get("mystnb", {}).get("figure", {}).get("caption", "")


def definitions(source):
    """The functions and classes that a program defines at its top, by name, as they stand there."""
    lines = source.splitlines()
    return {
        node.name: "\n".join(lines[node.lineno - 1 : node.end_lineno])
        for node in ast.parse(source).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }


PACKAGED = definitions(inspect.getsource(models))


def shown(name):
    """A definition of the package as a lesson shows it: a class goes without its docstring."""
    source = PACKAGED[name]
    if not source.startswith("class "):
        return source
    return re.sub(r'\n    """.*?"""\n(?:\n(?=    def))?', "\n", source, count=1, flags=re.DOTALL)


IN_LESSONS = {
    "6_2_dense": {"DenseAutoencoder"},
    "6_3_convolutional": {"Conv2D", "build_encoder", "build_decoder", "channels_first", "ConvAutoencoder"},
}


@pytest.mark.parametrize("stem", IN_LESSONS)
def test_the_models_cells_are_the_package(stem):
    """Character by character; and what follows uses them, not the package."""
    code = [cell.source for cell in cells(ROOT / "notebooks" / f"{stem}.ipynb") if cell.cell_type == "code"]
    found = {name: text for source in code for name, text in definitions(source).items() if name in PACKAGED}
    assert set(found) == IN_LESSONS[stem]
    assert found == {name: shown(name) for name in found}
    assert not [source for source in code if re.search(r"models\.(?:\w+Autoencoder|build_|Conv2D)", source)]


# Exercises


@each_lesson
def test_every_lesson_has_four_exercises_and_one_to_fill_in(path):
    text = "\n".join(cell.source for cell in cells(path) if cell.cell_type == "markdown")
    assert len(re.findall(r"^\*\*\d\.\*\*", text.partition("## Exercises")[2], re.MULTILINE)) >= 4
    to_fill_in = exercises(nbformat.read(path, as_version=4))
    assert len(to_fill_in) >= 1
    for stub, check, solution in to_fill_in:
        assert set(definitions(stub.source)) <= set(definitions(solution.source))
        assert check.outputs[0].text.startswith("not yet: ")


# Sentences


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_sentences_are_short(path):
    assert len(sentences(path)) > 10 and mean_length(path) <= MOST_WORDS


def test_every_page_is_counted():
    listed = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [listed["root"], *(chapter["file"] for part in listed["parts"] for chapter in part["chapters"])]
    assert {Path(file).name for file in files} - {path.stem for path in pages()} == {"references"}
