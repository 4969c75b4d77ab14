"""How pytest looks at notebooks: what must be stored in one, and how nbval compares a new run with it.

Text and whole numbers must be the same. Measured numbers, those with a decimal point or an
exponent, may differ by 3 %: another number of threads moves a training by less than that.
"""

import math
import re

import nbformat
import pytest
from nbval.plugin import IPyNbCell

TOLERANCE = 0.03
EXEMPT = "nbval-ignore-output"
MEASURED = re.compile(r"(?<![\w.])(\d+\.\d+(?:e[-+]?\d+)?|\d+e[-+]?\d+)(?!\.?\w)", re.IGNORECASE)


class Output(str):
    """An output that equals another when their texts are the same and their measured numbers close."""

    def __eq__(self, other):
        mine, theirs = MEASURED.split(str(self)), MEASURED.split(str(other))
        return (
            mine[::2] == theirs[::2]
            and len(mine) == len(theirs)
            and all(map(_close, map(float, mine[1::2]), map(float, theirs[1::2])))
        )

    def __ne__(self, other):
        return not self == other

    __hash__ = str.__hash__


def _close(a, b):
    if a.is_integer() and b.is_integer() and abs(a) >= 10:  # a count, printed as 36.0
        return a == b
    return math.isclose(a, b, rel_tol=TOLERANCE)


def stored_faults(path):
    """What is wrong with the stored outputs of a notebook, before anything is run: one line each."""
    faults = []
    code_cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    for number, cell in enumerate(code_cells):
        tags = set(cell.metadata.get("tags", ()))
        if cell.execution_count is None:
            faults.append(f"code cell {number} was never executed")
        elif cell.execution_count != number + 1:
            faults.append(f"code cell {number} was executed out of order, as [{cell.execution_count}]")
        if any(output.output_type == "error" for output in cell.outputs):
            faults.append(f"code cell {number} holds an error")
        if EXEMPT in tags and not cell.outputs:
            faults.append(f"code cell {number} has no stored output")
        words = cell.metadata.get("mystnb", {}).get("figure", {})
        kind, wanted = ("table", "text/html") if words.get("name", "").startswith("tab-") else ("picture", "image/png")
        if words and not any(wanted in output.get("data", {}) for output in cell.outputs):
            faults.append(f"code cell {number} has no stored {kind}")
        stored = {output.metadata.get("scrapbook", {}).get("name") for output in cell.outputs if "metadata" in output}
        for name in re.findall(r"""glue\(\s*["'](\w+)["']""", cell.source):
            if name not in stored:
                faults.append(f"code cell {number} glues {name!r}, which is not stored")
        unwanted = tags & {"nbval-skip", "nbval-raises-exception", "raises-exception", "skip-execution"}
        if unwanted or re.search(r"^\s*#+\s*(NBVAL_|PYTEST_VALIDATE)", cell.source, re.MULTILINE):
            faults.append(f"code cell {number} asks not to be checked; only the tag {EXEMPT} may")
    return faults


class StoredOutputs(pytest.File):
    def collect(self):
        yield StoredOutputsItem.from_parent(self, name="stored outputs")


class StoredOutputsItem(pytest.Item):
    def runtest(self):
        faults = stored_faults(self.path)
        assert not faults, "; ".join(faults)

    def repr_failure(self, excinfo):
        return f"{self.path.name}: {excinfo.value}"

    def reportinfo(self):
        return self.path, 0, f"{self.path.name}: stored outputs"


def pytest_addoption(parser):
    parser.addoption(
        "--require-real-data",
        action="store_true",
        help="with --nbval: an error instead of skipped cells where only the stand-in is to be had",
    )


def pytest_configure(config):
    IPyNbCell.sanitize = lambda cell, output: _sanitize(output)


def _sanitize(output):
    if not isinstance(output, str) or output.startswith("```"):  # a listing is compared exactly
        return output
    return Output(output)


def pytest_collect_file(file_path, parent):
    if parent.config.option.nbval and file_path.suffix == ".ipynb":
        return StoredOutputs.from_parent(parent, path=file_path)


def pytest_collection_modifyitems(config, items):
    cells = [item for item in items if isinstance(item, IPyNbCell)]
    if not cells:
        return
    from aebook import data
    from aebook.parameters import InputError

    try:
        images = data.load("mnist")
    except InputError as error:
        raise pytest.UsageError(str(error)) from error
    if not images.is_stand_in:
        return
    reason = f"the stored outputs come from the real MNIST, and there is only the stand-in: {images.reason}"
    if config.option.require_real_data:
        raise pytest.UsageError(reason)
    for cell in cells:
        cell.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(name="stored_faults")
def _stored_faults():
    return stored_faults
