"""What holds the project together: the locks, the verbs, the types, and the files that GitHub reads."""

import ast
import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement

import aebook

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {  # what each lock must pin
    "requirements.txt": ["run", "site", "dev"],
    "requirements-run.txt": ["run"],
    "requirements-site.txt": ["site"],
    "requirements-bench.txt": ["bench"],
}
HASHED = [name for name in LOCKS if name != "requirements-bench.txt"]


def read_lock(name):
    """The pins of a lock: for each package {version: its hashes}."""
    pins = {}
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.lstrip().startswith("#"):
            requirement, *hashes = re.split(r"\s+--hash=", line)
            requirement = Requirement(requirement)
            (pin,) = requirement.specifier
            assert pin.operator == "==", line
            pins.setdefault(requirement.name, {})[pin.version] = hashes
    return pins


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_what_its_extras_name(name):
    pins = read_lock(name)
    for extra in LOCKS[name]:
        for line in EXTRAS[extra] + PROJECT["dependencies"]:
            wanted = Requirement(line)
            assert wanted.name in pins, f"{wanted.name} is in pyproject.toml and not in {name}"
            assert all(wanted.specifier.contains(version) for version in pins[wanted.name]), line


@pytest.mark.parametrize("name", HASHED)
def test_every_pin_has_its_hashes(name):
    for package, versions in read_lock(name).items():
        for version, hashes in versions.items():
            assert hashes, f"{package}=={version}"
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes), f"{package}=={version}"


@pytest.mark.parametrize("name", list(LOCKS)[1:])
def test_the_locks_agree(name):
    whole = read_lock("requirements.txt")
    for package, versions in read_lock(name).items():
        if package in whole:
            assert versions.keys() <= whole[package].keys(), package
            assert all(not hashes or hashes == whole[package][version] for version, hashes in versions.items()), package
        else:
            assert name == "requirements-bench.txt", f"{package} is in {name} and not in requirements.txt"


def test_nobody_installs_what_he_does_not_need():
    assert not {"tensorflow", "keras", "numpy", "jupyterlab", "playwright"} & set(read_lock("requirements-site.txt"))
    assert not {"jupyter-book", "playwright", "pytest", "ruff", "mypy"} & set(read_lock("requirements-run.txt"))
    assert not {"torch", "jax"} & set(read_lock("requirements.txt"))


def test_the_whole_lock_has_what_a_reader_may_ask_for():
    assert read_lock("requirements.txt").keys() >= {
        "jupyter-book", "jupyterlab", "keras", "tensorflow", "matplotlib", "nbval", "papermill"
    }  # fmt: skip


def test_make_help_lists_every_verb():
    out = subprocess.run(["make", "-C", ROOT, "help"], capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^  make ([a-z]+) ", out, re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE)
    assert listed == set(phony.split()) - {"messages"}  # a step of `make translate`
    for page in ("README.md", "CONTRIBUTING.md", "index.md"):
        named = re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        assert set(named) <= listed, page


def test_make_knows_what_the_pages_are_made_of():
    """So that make lab and make rerun build them anew after a change."""
    out = subprocess.run(["make", "-C", ROOT, "-pn", "help"], capture_output=True, text=True, check=True).stdout
    (files,) = re.findall(r"^_build/\.book-ready: (.*)", out, re.MULTILINE)
    folders = ("static", "book", "aebook/explorer", "locale/ko/LC_MESSAGES", "locale/ko/figures")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.*") if path.suffix not in (".pyc", ".mo")]
    needed = {path.relative_to(ROOT).as_posix() for path in paths}
    needed |= {"results/lessons.json", "aebook/language.py", "aebook/ko.po", "notebooks/uses.ipynb", "index.md"}
    assert needed <= set(files.split())


def public_functions(body, inside=""):
    """The functions and methods that others may call: (name, node) of each."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body, f"{inside}{node.name}.")
        elif isinstance(node, ast.FunctionDef) and (node.name == "__init__" or not node.name.startswith("_")):
            yield inside + node.name, node


def shown_in_lessons():
    """The names that cells of lessons define: they stand there without types, as a reader writes them."""
    cells = [cell for path in (ROOT / "notebooks").glob("6_*.ipynb") for cell in nbformat.read(path, 4).cells]
    return {name for cell in cells for name in re.findall(r"^(?:def|class) (\w+)", cell.source, re.MULTILINE)}


def test_every_public_function_of_the_package_has_types():
    untyped, shown = [], shown_in_lessons()
    for path in sorted((ROOT / "aebook").rglob("*.py")):
        for name, node in public_functions(ast.parse(path.read_text(encoding="utf-8")).body):
            if path.name == "models.py" and name.partition(".")[0] in shown:
                continue
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg]
            untyped += [
                f"{path.name}: {name}({argument.arg})"
                for argument in arguments
                if argument and argument.arg not in ("self", "cls") and argument.annotation is None
            ]
            if node.returns is None and node.name != "__init__":
                untyped.append(f"{path.name}: what {name} returns")
    assert not untyped, "\n".join(untyped)


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("citation-file-format", "CITATION.cff"),
        ("github-workflows", ".github/workflows/book.yml"),
        ("github-workflows", ".github/workflows/release.yml"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/unclear.yml"),
    ],
)
def test_a_file_keeps_to_its_schema(schema, path):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", ROOT / path]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("name", ["book", "release"])
def test_a_workflow_names_the_commits_of_its_actions(name):
    jobs = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text(encoding="utf-8"))["jobs"]
    assert all("timeout-minutes" in job for job in jobs.values())
    actions = [step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step]
    assert actions and all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in actions)


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    (version, day), *_ = re.findall(
        r"^## \[(.+)\] - (.+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert citation["version"] == version == aebook.__version__
    assert citation["date-released"] == date.fromisoformat(day)
