"""A file of experiments: every stored table, declared."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aebook.parameters import InputError
from aebook.rerun.plan import Plan, make_plan

KINDS = {"why": str, "notebook": str, "settings": dict, "runs": list, "workers": int, "fresh": bool}
"""What an entry may hold; ``why`` and ``notebook`` it must.

``settings`` are those of all runs of the table; each entry of ``runs`` sets more, and stands for every
combination of its values. ``workers`` bounds how many runs go on at a time, on this machine;
``fresh`` has all of them done again, in one go.
"""

IN_WORDS = {str: "a text", dict: "names with values", list: "a list", int: "a whole number", bool: "true or false"}


@dataclass(frozen=True)
class Experiment:
    """A stored table: which runs it holds, and how they are run."""

    name: str
    why: str
    plan: Plan
    workers: int | None
    fresh: bool


def read_experiments(path: Path, only: str | None = None) -> list[Experiment]:
    """The experiments of a file, all of them checked.

    Args:
        path: a YAML file; the notebooks are looked for from its folder.
        only: the name of the one to read.

    Raises:
        InputError: with a line for each entry that cannot work; if the file cannot be read; if
            there is none of the name ``only``.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(entries, dict) or not entries:
        raise InputError(f"{path} must hold experiments by their names, got {entries!r}")
    if only is not None and only not in entries:
        raise InputError(f"{path.name} has no experiment {only!r}; it has {', '.join(map(str, entries))}")
    experiments, faults = [], []
    for name in entries if only is None else [only]:
        try:
            experiments.append(_read(str(name), entries[name], path.parent))
        except InputError as error:
            faults.append(f"{name}: {error}")
    if faults:
        raise InputError("\n".join(faults))
    return experiments


def _read(name: str, entry: Any, folder: Path) -> Experiment:
    if not name.isidentifier():
        raise InputError("the name must be of letters, digits and _, because files are called by it")
    if not isinstance(entry, dict):
        raise InputError(f"it must have {', '.join(KINDS)}; got {entry!r}")
    for key, value in entry.items():
        if key not in KINDS:
            raise InputError(f"there is no key {key!r}; there are {', '.join(KINDS)}")
        if type(value) is not KINDS[key]:
            raise InputError(f"{key} must be {IN_WORDS[KINDS[key]]}, got {value!r}")
    for key in ("why", "notebook"):
        if key not in entry:
            raise InputError(f"it has no {key}")
    if entry.get("workers", 1) < 1:
        raise InputError(f"workers must be at least 1, got {entry['workers']}")
    grids = [_read_grid(entry.get("settings", {}), grid) for grid in entry.get("runs", [{}])]
    plan = make_plan(folder / entry["notebook"], *grids)
    return Experiment(name, entry["why"], plan, entry.get("workers"), entry.get("fresh", False))


def _read_grid(settings: Mapping[str, Any], more: Any) -> dict[str, list[Any]]:
    if not isinstance(more, dict):
        raise InputError(f"runs must be a list of names with values, got {more!r} in it")
    for name in settings:
        if name in more:
            raise InputError(f"{name} stands in settings and in runs; name it in one of them")
    return {name: value if isinstance(value, list) else [value] for name, value in {**settings, **more}.items()}
