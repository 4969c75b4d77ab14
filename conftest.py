"""Puts the project's own comparison of notebooks into pytest and nbval.

What must be stored, `tools.stored` says; what agrees with it, `tools.compare`; which runs are fixed, `tools.bands`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbval.plugin import IPyNbCell

SEED = re.compile(r"^seed: int = \d+", re.MULTILINE)


class StoredOutputs(pytest.File):
    """A notebook, as what it stores."""

    def collect(self) -> Iterator[pytest.Item]:
        yield StoredOutputsItem.from_parent(self, name="stored outputs")


class StoredOutputsItem(pytest.Item):
    """Fails where a notebook does not store what a new run is to be compared with."""

    def runtest(self) -> None:
        from tools import stored

        faults = stored.faults(self.path)
        assert not faults, "; ".join(faults)

    def repr_failure(self, excinfo: pytest.ExceptionInfo) -> str:
        return f"{self.path.name}: {excinfo.value}"

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.name}: stored outputs"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for another seed."""
    parser.addoption("--seed", type=int, help="with --nbval: run the notebooks that train with another seed")


def pytest_configure(config: pytest.Config) -> None:
    """With --nbval: compute as the usual machine, and compare as `tools.compare` does."""
    if not config.option.nbval:
        return
    from tools.machines import use_the_usual

    use_the_usual()
    config.option.nbval_kernel_startup_timeout = 600  # seconds; on a machine that has other work, too
    IPyNbCell.compare_outputs = _compare_outputs


def _compare_outputs(cell: IPyNbCell, new: list[Any], stored: list[Any], skip_compare: Any = None) -> bool:
    from tools import compare

    another_seed = cell.config.option.seed is not None
    cell.comparison_traceback = compare.page(cell.path).faults(stored, new, cell.cell.metadata, another_seed)
    return not cell.comparison_traceback


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Look at what a notebook stores, beside what nbval runs of it."""
    if parent.config.option.nbval and file_path.suffix == ".ipynb":
        return StoredOutputs.from_parent(parent, path=file_path)
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse the stand-in, begin with the longest notebook, and put the asked seed into those that train."""
    cells = [item for item in items if isinstance(item, IPyNbCell)]
    if not cells:
        return
    from tools import bands, real

    if reason := real.why_no_mnist():
        raise pytest.UsageError(reason)
    # The longest first, so that no worker is left alone with it: the one that prints the most epochs.
    epochs = {path: path.read_text(encoding="utf-8").count('"epoch ') for path in {item.path for item in items}}
    items.sort(key=lambda item: -epochs[item.path])
    if config.option.seed is not None:
        fixed = [item for item in items if item.path.stem in bands.REPEATED]
        config.hook.pytest_deselected(items=fixed)
        items[:] = [item for item in items if item not in fixed]
        for cell in cells:
            cell.cell.source = SEED.sub(f"seed: int = {config.option.seed}", cell.cell.source)
