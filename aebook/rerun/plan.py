"""Which runs of a notebook: all of them checked before the first one starts."""

import hashlib
import itertools
import json
import re
from ast import literal_eval
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy
import papermill

from aebook.parameters import RULES, InputError, check, read_value
from aebook.rerun import provenance
from aebook.rerun.worker import escape_braces

Grid = Mapping[str, Iterable[Any]]
"""The values to go through by the name of their parameter."""

OUTCOME = ("run", "status", "error")
RECORD = (
    "wall_s",
    "store_s",
    "elapsed_s",
    "peak_mb",
    "notebook_kb",
    "finished",
    "worker",
    "python",
    "keras",
    "tensorflow",
    "aebook",
    "notebook",
    "code",
)
"""Columns of a table of runs: OUTCOME, the parameters, RECORD, and what the notebook recorded."""


@dataclass(frozen=True)
class Plan:
    """The runs of one notebook, none of them started.

    Example:
        >>> plan = make_plan("notebooks/6_2_dense.ipynb", {"z_dim": [2, 4], "seed": [0, 1]})
        >>> [(run["z_dim"], run["seed"], run["epochs"]) for run in plan.runs.values()]
        [(2, 0, 10), (2, 1, 10), (4, 0, 10), (4, 1, 10)]
    """

    notebook: Path
    settings: tuple[str, ...]
    """The names of the parameters that were set."""
    runs: dict[str, dict[str, Any]]
    """All parameters of each run, by a key that tells it from all others."""
    source: str
    """The notebook as text, without outputs."""
    code: str
    """The hash of the code that the runs depend on."""

    @property
    def parameters(self) -> list[str]:
        """The names of all parameters of the notebook."""
        return list(next(iter(self.runs.values())))

    def file_name(self, key: str) -> str:
        """The name of a run's notebook: what was set, and the key."""
        settings = ",".join(f"{name}={self.runs[key][name]}" for name in self.settings)
        settings = re.sub(r"[^\w.,=+ -]", "-", settings).encode()[:150].decode(errors="ignore")
        return f"{settings},{key}.ipynb".lstrip(",")


def read_settings(texts: Iterable[str]) -> dict[str, list[Any]]:
    """What ``--set`` was given, as a grid.

    Raises:
        InputError: for a setting without a value, and for a name that comes twice.

    Example:
        >>> read_settings(["z_dim=2,4", "optimizer=adam"])
        {'z_dim': [2, 4], 'optimizer': ['adam']}
    """
    grid: dict[str, list[Any]] = {}
    for text in texts:
        name, _, values = text.partition("=")
        if not name or not all(values.split(",")):
            raise InputError(f"--set must look like z_dim=2,4,8; got {text!r}")
        if name in grid:
            raise InputError(f"{name} is set twice; name all its values in one --set {name}=...")
        grid[name] = [read_value(value) for value in values.split(",")]
    return grid


def make_plan(notebook: str | Path, *grids: Grid) -> Plan:
    """Every combination of the values of each grid, each with all parameters of the notebook.

    Args:
        notebook: path of a notebook with a cell tagged "parameters".
        grids: for each the combinations of its own values only.

    Raises:
        InputError: for what is no such notebook, a name it does not have, what is no list of values,
            and a value that aebook.parameters.check refuses.
    """
    path = Path(notebook)
    defaults = _read_defaults(path)
    runs = {}
    for grid in grids:
        for parameters in _combinations(path.name, defaults, grid):
            key = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:12]
            runs[key] = parameters
    content = nbformat.read(path, as_version=4)
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    source = nbformat.writes(content)
    try:
        code = provenance.notebook_code(source)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None
    return Plan(path, tuple(dict.fromkeys(itertools.chain(*grids))), runs, source, code)


def _read_defaults(path: Path) -> dict[str, Any]:
    """The parameters of a notebook with their default values."""
    if not path.is_file() or path.suffix != ".ipynb":
        raise InputError(f"there is no notebook {path}")
    try:
        known = papermill.inspect_notebook(escape_braces(path))
    except ValueError as error:
        raise InputError(f"{path} cannot be read as a notebook: {error}") from error
    if not known:
        raise InputError(f"{path} has no cell tagged 'parameters', so there is nothing to set")
    defaults = {}
    for name, parameter in known.items():
        try:
            defaults[name] = literal_eval(parameter["default"])
            json.dumps(defaults[name])
        except (ValueError, SyntaxError, TypeError):
            raise InputError(
                f"the default of {name} in {path.name} must be a plain value, got {parameter['default']}"
            ) from None
        if name in (*OUTCOME, *RECORD):
            raise InputError(f"{path.name} has a parameter {name!r}, which is a column of the table; rename it")
    return defaults


def _combinations(title: str, defaults: dict[str, Any], grid: Grid) -> Iterator[dict[str, Any]]:
    for name, values in grid.items():
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise InputError(f"{name} must be a list of values, got {values!r}")
    plain = {
        name: [value.item() if isinstance(value, numpy.generic) else value for value in values]
        for name, values in grid.items()
    }
    for name, values in plain.items():
        if name not in defaults:
            raise InputError(f"{title} has no parameter {name!r}; it has {', '.join(defaults)}")
        if not values:
            raise InputError(f"{name} must have at least one value, got none")
        for value in values:
            if not isinstance(value, str | int | float):
                raise InputError(f"{name} must be a number, a text, True or False; got {value!r}")
    for combination in itertools.product(*plain.values()):
        parameters = {**defaults, **dict(zip(plain, combination, strict=True))}
        check(**{name: value for name, value in parameters.items() if name in RULES})
        for name, default in defaults.items():
            if isinstance(default, float) and type(parameters[name]) is int:
                parameters[name] = float(parameters[name])  # 1 and 1.0 are one run
        yield parameters
