"""The cells of a chapter in the language of an edition: its settings' comments, printed lines, tables and figures.

Code and numbers are the same in every edition. What is printed is looked up in the catalogue of `aebook.language`; the
figures were drawn in the same run as the English ones (`tools.korean`).
"""

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat

from aebook.language import VARIABLE, Words

ROOT = Path(__file__).parents[1]
FIGURES = "locale/ko/figures"
LOAD = f'import os\n\nos.environ["{VARIABLE}"] = "{{}}"\n%load_ext aebook.language'
"""Lets a reader's notebook show what it runs in its language."""


def key(png: str) -> str:
    """By what the Korean figure is found: the bytes of the English one, in base64."""
    return hashlib.sha256(png.strip().encode()).hexdigest()[:16]


def figures_of(root: Path, page: str) -> dict[str, dict[str, Any]]:
    """The Korean figures of a page by the `key` of the English ones: their texts, and the PNG in base64."""
    path = root / FIGURES / f"{PurePosixPath(page).name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def translate(notebook: nbformat.NotebookNode, language: str, figures: dict[str, dict[str, Any]]) -> None:
    """Put the code cells of a notebook and their outputs into a language, in place."""
    words = Words(language)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", ()):
            cell.source = words.comments(cell.source)
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if output.get("name") == "stdout":
                output.text = words.text(output.text)
            if "text/html" in data:
                data["text/html"] = words.html(data["text/html"])
            if "image/png" in data and (found := figures.get(key(data["image/png"]))):
                data["image/png"] = found["png"]


def load_cell(language: str) -> nbformat.NotebookNode:
    """The folded cell of a reader's notebook that loads its language."""
    about = {"tags": ["remove-cell"], "jupyter": {"source_hidden": True}}
    return nbformat.v4.new_code_cell(LOAD.format(language), id="language", metadata=about)
