"""What the pages print of the stored models, computed from these models again: no training, seconds.

Where a cell trains, the stored model takes the place of the training (`tools.trainings.replay`). All
else runs as it is, and must give what is stored: recorded results to four digits, every printed
number as it is printed, the same pictures.
"""

import json
from pathlib import Path

import nbformat

from tools import compare, stored
from tools.execute import MODELS, in_kernel, run

ROOT = Path(__file__).parent.parent


def stems() -> list[str]:
    """The notebooks whose models are stored. The map's model is of none: `tools.explorer` trains it."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / MODELS).glob("*.json")]
    return sorted({about["notebook"] for about in found if "notebook" in about})


def faults(stem: str) -> list[str]:
    """What a notebook stores that does not follow from its models, one line each.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell asks for a training that is not stored, or a
            stored loss is not that of the stored weights.
    """
    path = ROOT / "notebooks" / f"{stem}.ipynb"
    before = nbformat.read(path, as_version=4)
    page = compare.Page(before, compare.Bands())
    new = nbformat.read(path, as_version=4)
    run(new, path.parent, in_kernel(f"replay({str(ROOT / MODELS)!r}, {stem!r})"))
    return [
        f"{path.name}, cell [{a.execution_count}]: {fault}"
        for a, b in zip(before.cells, new.cells, strict=True)
        if a.cell_type == "code" and stored.EXEMPT not in a.metadata.get("tags", ())
        for fault in page.faults(a.outputs, b.outputs, a.metadata)
    ]
