import ast
import graphlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import aebook
from aebook.__main__ import main

ROOT = Path(__file__).parent.parent

IMPORTS = """
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
    print(module, *{"tensorflow", "keras", "numpy", "matplotlib"}.intersection(sys.modules))
"""


def test_tensorflow_comes_in_with_models_only():
    """And importing aebook alone is cheap. The modules are imported one after the other, in one process."""
    modules = [
        "aebook",
        *(
            f"aebook.{name}"
            for name in ("parameters", "data", "metrics", "claims", "plots", "charts", "notebooks", "rerun.cluster")
        ),
    ]
    run = subprocess.run([sys.executable, "-c", IMPORTS, *modules], capture_output=True, text=True, check=True)
    loaded = {module: set(heavy) for module, *heavy in map(str.split, run.stdout.splitlines())}
    assert list(loaded) == modules and loaded["aebook"] == set() and loaded["aebook.data"] == {"numpy"}
    assert not [module for module, heavy in loaded.items() if heavy & {"tensorflow", "keras"}]


ROOMS = {
    "aebook": {"aebook"},
    "aebook.rerun": {"aebook", "aebook.rerun"},
    "aebook.explorer": {"aebook", "aebook.explorer"},
    "aebook.widgets": {"aebook", "aebook.explorer"},
    "aebook.bench": {"aebook", "aebook.rerun", "aebook.bench"},
    "book": {"aebook", "aebook.rerun", "aebook.bench", "aebook.explorer", "book"},
    "tools": {"aebook", "aebook.rerun", "aebook.bench", "aebook.explorer", "book", "tools"},
}
"""For each room those that its modules may import from: a lesson does not know that it is rerun, timed or shown."""

FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for room in ("aebook", "book", "tools")
    for path in sorted((ROOT / room).rglob("*.py"))
}


def room(module):
    return max((name for name in ROOMS if f"{module}.".startswith(f"{name}.")), key=len)


def imports(path):
    """The modules of this project that a file imports, also inside of functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name} imports relatively"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found & set(FILES)


def test_no_module_imports_from_a_room_that_is_not_open_to_it():
    assert len(FILES) > 25
    wrong = [
        f"{module} imports {other}"
        for module, path in FILES.items()
        for other in imports(path)
        if room(other) not in ROOMS[room(module)]
    ]
    assert not wrong


def test_no_module_imports_one_that_needs_it():
    graph = {module: imports(path) - {"aebook", module} for module, path in FILES.items()}
    assert any(graph.values())
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("path", FILES.values(), ids=FILES)
def test_a_module_is_read_in_five_minutes(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    classes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)]
    assert not [node.name for node in classes if node.end_lineno - node.lineno >= 120]


def test_the_commands(monkeypatch, capsys):
    usage = subprocess.run([sys.executable, "-m", "aebook"], capture_output=True, text=True)
    assert usage.returncode == 1
    assert usage.stderr.startswith("usage: python -m aebook {bench,sweep}")
    monkeypatch.setattr(sys, "argv", ["aebook", "train"])
    assert main() == "there is no command train; " + usage.stderr.rstrip("\n")
    for command in ("bench", "sweep"):
        monkeypatch.setattr(sys, "argv", ["aebook", command, "--help"])
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code
        assert capsys.readouterr().out.startswith(f"usage: python -m aebook {command}")


def test_a_clone_that_is_not_installed_says_so(monkeypatch):
    monkeypatch.setattr("aebook.__main__.entry_points", lambda group: [])
    assert main().startswith("aebook must be installed to have its commands: python -m pip install")


def test_version():
    assert version("aebook") == aebook.__version__
