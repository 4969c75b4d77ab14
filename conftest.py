"""How pytest looks at notebooks: what must be stored in one, and how nbval compares a new run with it.

What agrees and what does not, `tools.compare` says.
"""

import re

import nbformat
import pytest
from nbval.plugin import IPyNbCell

from tools.machines import use_the_usual

EXEMPT = "nbval-ignore-output"
SEED = re.compile(r"^seed: int = \d+", re.MULTILINE)


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
    parser.addoption("--seed", type=int, help="with --nbval: run the notebooks that train with another seed")


def pytest_configure(config):
    if not config.option.nbval:
        return
    use_the_usual()
    IPyNbCell.compare_outputs = _compare_outputs


def _compare_outputs(cell, new, stored, skip_compare=None):
    from tools import compare

    page = compare.page(cell.path)
    cell.comparison_traceback = page.faults(
        stored, new, cell.cell.metadata, another_seed=cell.config.option.seed is not None
    )
    return not cell.comparison_traceback


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
    if images.is_stand_in:
        raise pytest.UsageError("the stored outputs come from the real MNIST, and there is only the stand-in: "
                                f"{images.reason}")
    # The longest first, so that no worker is left alone with it: the one that prints the most epochs.
    epochs = {path: path.read_text(encoding="utf-8").count('"epoch ') for path in {item.path for item in items}}
    items.sort(key=lambda item: -epochs[item.path])
    if config.option.seed is not None:
        from tools.bands import REPEATED

        fixed = [item for item in items if item.path.stem in REPEATED]
        config.hook.pytest_deselected(items=fixed)
        items[:] = [item for item in items if item not in fixed]
        for cell in cells:
            cell.cell.source = SEED.sub(f"seed: int = {config.option.seed}", cell.cell.source)


@pytest.fixture(name="stored_faults")
def _stored_faults():
    return stored_faults
