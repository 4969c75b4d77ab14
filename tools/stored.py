"""What must be stored in a notebook before a new run is compared with it."""

import re
from pathlib import Path

import nbformat

EXEMPT = "nbval-ignore-output"
"""The tag of a cell whose outputs are stored, and not compared."""

UNWANTED = {"nbval-skip", "nbval-raises-exception", "raises-exception", "skip-execution"}
UNWANTED_COMMENT = re.compile(r"^\s*#+\s*(NBVAL_|PYTEST_VALIDATE)", re.MULTILINE)
GLUED = re.compile(r"""glue\(\s*["'](\w+)["']""")


def faults(path: Path) -> list[str]:
    """What is wrong with the stored outputs of a notebook, before anything is run: one line each."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    return [f"code cell {number} {fault}" for number, cell in enumerate(cells) for fault in _of_a_cell(cell, number)]


def _of_a_cell(cell: nbformat.NotebookNode, number: int) -> list[str]:
    """What is wrong with one code cell, the `number`-th from 0."""
    found = []
    tags = set(cell.metadata.get("tags", ()))
    if cell.execution_count is None:
        found.append("was never executed")
    elif cell.execution_count != number + 1:
        found.append(f"was executed out of order, as [{cell.execution_count}]")
    if any(output.output_type == "error" for output in cell.outputs):
        found.append("holds an error")
    if EXEMPT in tags and not cell.outputs:
        found.append("has no stored output")
    words = cell.metadata.get("mystnb", {}).get("figure", {})
    kind, wanted = ("table", "text/html") if words.get("name", "").startswith("tab-") else ("picture", "image/png")
    if words and not any(wanted in output.get("data", {}) for output in cell.outputs):
        found.append(f"has no stored {kind}")
    recorded = {output.metadata.get("scrapbook", {}).get("name") for output in cell.outputs if "metadata" in output}
    found += [f"glues {name!r}, which is not stored" for name in GLUED.findall(cell.source) if name not in recorded]
    if tags & UNWANTED or UNWANTED_COMMENT.search(cell.source):
        found.append(f"asks not to be checked; only the tag {EXEMPT} may")
    return found
