"""A hash of the code that a stored number depends on: what is run, and what that imports of aebook.

Comments, docstrings, annotations, formatting, and the modules that only draw or tell change no
number, and do not change the hash. It is the same under every version of Python.
"""

import ast
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

import aebook
from aebook.parameters import InputError

PACKAGE = Path(aebook.__file__).parent

NO_NUMBERS = ("aebook.plots", "aebook.charts", "aebook.diagrams", "aebook.quotients", "aebook.notebooks")
"""Modules that draw or tell."""


_PARSING = threading.Lock()
"""Python before 3.11.9 and 3.12.3 counts the depths of all threads' trees together, and fails (gh-106905)."""


def notebook_code(text: str, package: Path = PACKAGE) -> str:
    """The hash for a run of a notebook.

    Args:
        text: the notebook, as its file holds it.
        package: the folder of aebook.

    Returns:
        Twelve hexadecimal digits.

    Raises:
        InputError: if a cell is no Python.
    """
    cells = [cell.source for cell in nbformat.reads(text, as_version=4).cells if cell.cell_type == "code"]
    try:
        with _PARSING:
            return _digest(ast.parse("\n".join(map(TransformerManager().transform_cell, cells))), package)
    except SyntaxError as error:
        raise InputError(f"a cell cannot be read as Python: {error.msg}: {(error.text or '').strip()}") from None


def module_code(name: str, package: Path = PACKAGE) -> str:
    """The hash for what a module does, such as ``"aebook.bench.trainers"``."""
    with _PARSING:
        return _digest(_parse(name, package), package)


def _digest(tree: ast.Module, package: Path) -> str:
    modules: dict[str, ast.Module] = {"": _Essence().visit(tree)}
    waiting = [modules[""]]
    while waiting:
        for name in _imported(waiting.pop(), package):
            if name not in modules and name not in NO_NUMBERS:
                modules[name] = _Essence().visit(_parse(name, package))
                waiting.append(modules[name])
    shapes = [[name, _shape(module)] for name, module in sorted(modules.items())]
    return hashlib.sha256(repr(shapes).encode()).hexdigest()[:12]


def _file(name: str, package: Path) -> Path:
    return package.parent.joinpath(*name.split(".")).with_suffix(".py")


def _parse(name: str, package: Path) -> ast.Module:
    return ast.parse(_file(name, package).read_text(encoding="utf-8"))


def _imported(tree: ast.Module, package: Path) -> Iterator[str]:
    """The modules of the package that some code imports."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.startswith(f"{aebook.__name__}.") and _file(name, package).is_file():
                yield name


class _Essence(ast.NodeTransformer):
    """Takes out what changes no number: texts that stand alone, annotations, and imports that only those use."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        self.generic_visit(node)
        used = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
        for parent in ast.walk(node):
            if isinstance(parent, ast.Import | ast.ImportFrom):
                parent.names = [a for a in parent.names if (a.asname or a.name.partition(".")[0]) in used]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        alone = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if alone else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if ast.unparse(node.test).endswith("TYPE_CHECKING") else self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        new = ast.Assign([node.target], node.value) if node.value else ast.Expr(node.target)
        return self.generic_visit(new)


def _shape(node: Any) -> Any:
    """A tree as nested lists, without what is empty, where Python's versions differ."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if name != "ctx" and value not in (None, []))
        return [type(node).__name__, *([name, _shape(value)] for name, value in fields)]
    if isinstance(node, list):
        kept = (part for part in node if not (isinstance(part, ast.Import | ast.ImportFrom) and not part.names))
        return [_shape(part) for part in kept]
    return repr(node)
