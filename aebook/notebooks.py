"""What a notebook says of its measurements, and what an executed one holds: results and figures."""

import base64
import re
from typing import Any

from nbformat import NotebookNode

from aebook.parameters import read_value

GLUE_PREFIX = "application/papermill.record/"


def confirm(statement: str, true: bool, judged: bool = True) -> None:
    """Print a statement and whether it is judged.

    Args:
        statement: what the prose says of a measurement.
        true: whether the measurement agrees.
        judged: False for a rerun with other settings or other data, whose figures decide nothing.

    Raises:
        AssertionError: if the statement is judged and not true.
    """
    if judged and not true:
        raise AssertionError(f"the measurements do not agree: {statement}")
    print(f"{'true' if judged else 'not judged'}: {statement}")


def glued(notebook: NotebookNode) -> dict[str, Any]:
    """What the cells of an executed notebook recorded with ``glue``, as a dictionary.

    Numbers and truth values come back as such, NumPy's numbers as Python's, all else as the text it prints as.
    """
    values = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name is not None:
                shown = output["data"].get(f"{GLUE_PREFIX}text/plain") or output["data"].get("text/plain", "")
                values[name] = read_value(plain(shown))
    return values


def plain(text: str) -> str:
    """What a recorded value prints as, a number of NumPy's as one of Python's."""
    return re.sub(r"^np\.\w+\((.*)\)$", r"\1", text)


def figure(notebook: NotebookNode, name: str) -> bytes | None:
    """The stored PNG of the figure that carries `name` in its cell's metadata, as bytes, or None."""
    for cell in notebook.cells:
        if cell.metadata.get("mystnb", {}).get("figure", {}).get("name") == name:
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return base64.b64decode(output.data["image/png"])
    return None
