"""How a page reads: ``make words`` prints the mean number of words of a sentence, page by page."""

import re
import statistics
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools import built

ROOT = Path(__file__).parent.parent

OUT_OF_SIGHT = {"remove-cell", "hide-cell", "exercise-check"}
"""Tags of cells that the page leaves out or folds."""

BLOCK = re.compile(r"^(`{3,})\{?(\w*)\}?[^\n]*\n(.*?)^\1", re.MULTILINE | re.DOTALL)
ROLE = re.compile(r"\{[\w:]+\}`([^`<]*)(?:<[^`]*>)?`")


def visible(cell: NotebookNode) -> bool:
    """Whether a reader of the page sees a cell without opening a fold."""
    return not OUT_OF_SIGHT & set(cell.metadata.get("tags", ()))


def exercises(notebook: NotebookNode) -> list[tuple[NotebookNode, NotebookNode, NotebookNode]]:
    """The exercises with a function to fill in: the cells of the stub, of its check and of the solution of each.

    Raises:
        ValueError: if one of the three is missing.
    """
    kinds = (f"exercise-{kind}" for kind in ("stub", "check", "solution"))
    found = ([cell for cell in notebook.cells if kind in cell.metadata.get("tags", ())] for kind in kinds)
    return list(zip(*found, strict=True))


def plain(text: str) -> str:
    """A Markdown text as a reader sees it: without code, formulas, tables and markup; notes keep their text."""
    text = BLOCK.sub(lambda block: block[3] if block[2] in ("admonition", "note", "glossary") else "", text)
    text = re.sub(r"^(?:\||:\w+:|\(\S+\)=|#+ ).*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"`([^`\n]+)`", r"\1", ROLE.sub(r"\1", text))
    return re.sub(r"[*_>]", "", re.sub(r"\$[^$]+\$", "x", text))


def words(text: str) -> list[str]:
    """The words of a plain text; a number is one."""
    return re.findall(r"[\w][\w'’.,-]*", text)


def sentences(path: Path) -> list[str]:
    """The sentences of a page: its prose in view, without headings, tables and captions."""
    if path.suffix == ".md":
        texts = [plain(path.read_text(encoding="utf-8"))]
    else:
        cells = filter(visible, nbformat.read(path, 4).cells)
        texts = [plain(cell.source) for cell in cells if cell.cell_type == "markdown"]
    parts = [part for text in texts for part in re.split(r"\n\s*\n|^\s*(?:-|\d+\.) ", text, flags=re.MULTILINE)]
    found = [sentence for part in parts for sentence in re.split(r"(?<=[.?!:])\s+(?=[^a-z])", " ".join(part.split()))]
    return [sentence for sentence in found if len(words(sentence)) > 2]


def pages() -> list[Path]:
    """The pages of the book that have sentences, and the notebook that only runs."""
    texts = [path for name in built.english_pages() if (path := ROOT / f"{name}.md").is_file() and sentences(path)]
    return [*sorted((ROOT / "notebooks").glob("*.ipynb")), *texts]


def mean_length(path: Path) -> float:
    """The mean number of words of a page's sentences."""
    return statistics.mean(len(words(sentence)) for sentence in sentences(path))


def main() -> None:
    """Print a line for each page."""
    for path in pages():
        print(f"{path.stem:20}{mean_length(path):6.1f} words a sentence, {len(sentences(path)):4} sentences")


if __name__ == "__main__":
    sys.exit(main())
