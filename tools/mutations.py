"""Break the book in every way that should be noticed, one after the other, and print which check notices it.

Each mutation is made in a copy of the repository. Where the wrong model is too near to the right one for a
new training to tell, another check must: the stored model is compared with what the code asks for.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aebook import models
from aebook.explorer.pack import Packed, as_text
from tools import explorer

ROOT = Path(__file__).parent.parent
DENSE, CONV = "notebooks/6_2_dense.ipynb", "notebooks/6_3_convolutional.ipynb"

FOLLOWS = "tests/notebooks/test_replay.py::test_what_a_page_prints_follows_from_its_stored_models[{}]"
STORED = "tests/notebooks/test_notebooks.py::test_stored_outputs_are_whole[{}]"
TRAINED = "--nbval {}"
PACKED = "tests/explorer/test_export.py::test_the_packed_model_is_the_stored_one[6_3_convolutional]"

Cell = dict[str, Any]
"""A code cell, as it stands in the file of a notebook."""


@dataclass(frozen=True)
class Mutation:
    """A change, and the check that must fail.

    ``change`` is called with the copy's folder; ``check`` is what pytest is called with.
    """

    name: str
    change: Callable[[Path], None]
    check: str


def text(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Replace a text, which must stand in the file, wherever it stands."""

    def change(root: Path) -> None:
        path = root / file
        before = path.read_text(encoding="utf-8")
        if old not in before:
            raise ValueError(f"{file} must hold {old!r}")
        path.write_text(before.replace(old, new), encoding="utf-8")

    return change


def outputs(file: str, change_cells: Callable[[list[Cell]], None]) -> Callable[[Path], None]:
    """Change the stored code cells of a notebook."""

    def change(root: Path) -> None:
        path = root / file
        notebook = json.loads(path.read_text(encoding="utf-8"))
        change_cells([cell for cell in notebook["cells"] if cell["cell_type"] == "code"])
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    return change


def swap_pictures(*names: str) -> Callable[[list[Cell]], None]:
    """Let two figures show each other's picture."""

    def change(cells: list[Cell]) -> None:
        data = [
            output["data"]
            for cell in cells
            for output in cell["outputs"]
            if cell["metadata"].get("mystnb", {}).get("figure", {}).get("name") in names
            and "image/png" in output.get("data", {})
        ]
        one, other = data
        one["image/png"], other["image/png"] = other["image/png"], one["image/png"]

    return change


def strip(cells: list[Cell]) -> None:
    """Remove all outputs."""
    for cell in cells:
        cell.update(outputs=[], execution_count=None)


def another_model(root: Path) -> None:
    """Weights as another training might have left them: each moved by half a percent."""
    path = root / "results" / "models" / "6_2_dense.keras"
    model = models.load("6_2_dense")
    rng = np.random.default_rng(0)
    model.set_weights([w * rng.normal(1, 0.005, w.shape) for w in model.get_weights()])
    model.save(path)


def without_a_weight(packed: Packed) -> None:
    """Weights as a broken export might write them, whose sum is right."""
    packed |= as_text("weights", base64.b64decode(packed["weights"])[2:])


def with_another_activation(packed: Packed) -> None:
    """The first layer of the encoder without its ReLU."""
    packed["layers"]["encoder"][0]["activation"] = "linear"


def with_two_layers_swapped(packed: Packed) -> None:
    """Two layers of the decoder, each in the other's place."""
    layers = packed["layers"]["decoder"]
    layers[1], layers[2] = layers[2], layers[1]


OF_EXPORT = {
    "an export without a weight": without_a_weight,
    "an export with another activation": with_another_activation,
    "an export with two layers swapped": with_two_layers_swapped,
}


def export(name: str, change_packed: Callable[[Packed], None]) -> Callable[[Path], None]:
    """Change a model that is packed for the pages."""

    def change(root: Path) -> None:
        path = root / explorer.SCRIPTS.relative_to(ROOT) / f"{name}.js"
        packed = explorer.read(path)
        change_packed(packed)
        path.write_text(explorer.script(packed, "A changed model."), encoding="utf-8")

    return change


TRAINING = "aebook/training.py"
MUTATIONS = [
    Mutation("today's default rate", text(DENSE, "Adadelta(1.0)", "Adadelta(0.001)"), TRAINED.format(DENSE)),
    Mutation("MSE for BCE", text(DENSE, 'loss=\\"binary_crossentropy', 'loss=\\"mse'), TRAINED.format(DENSE)),
    Mutation("one epoch less", text(DENSE, '"epochs: int = 10 ', '"epochs: int = 9 '), TRAINED.format(DENSE)),
    Mutation(
        "a linear code",
        text(DENSE, 'activation=\\"relu\\", name=\\"code', 'activation=\\"linear\\", name=\\"code'),
        FOLLOWS.format("6_2_dense"),
    ),
    Mutation("z_dim 35", text(DENSE, '"z_dim: int = 36 ', '"z_dim: int = 35 '), FOLLOWS.format("6_2_dense")),
    Mutation(
        "half the batch", text(DENSE, '"batch_size: int = 256 ', '"batch_size: int = 128 '), FOLLOWS.format("6_2_dense")
    ),
    Mutation("no shuffling", text(DENSE, "shuffle=True", "shuffle=False"), FOLLOWS.format("6_2_dense")),
    Mutation(
        "pixels divided by 256",
        text("aebook/data.py", 'astype("float32") / 255', 'astype("float32") / 256'),
        FOLLOWS.format("6_2_dense"),
    ),
    Mutation(
        "pixels left at 255",
        text("aebook/data.py", 'astype("float32") / 255', 'astype("float32")'),
        FOLLOWS.format("6_2_dense"),
    ),
    Mutation(
        "validation on training images",
        text(DENSE, "validation_data=(x_test, x_test)", "validation_data=(x_train[-10_000:], x_train[-10_000:])"),
        FOLLOWS.format("6_2_dense"),
    ),
    Mutation(
        "Glorot instead of He",
        text(CONV, 'kernel_initializer=\\"he_normal', 'kernel_initializer=\\"glorot_uniform'),
        FOLLOWS.format("6_3_convolutional"),
    ),
    Mutation("biases at 0", text(TRAINING, "CODE_BIAS = 1.0", "CODE_BIAS = 0.0"), FOLLOWS.format("6_2_dense")),
    Mutation(
        "a swapped figure",
        outputs(CONV, swap_pictures("fig-conv-source-rows", "fig-conv-rows")),
        FOLLOWS.format("6_3_convolutional"),
    ),
    Mutation("a number changed in its third digit", text(DENSE, "0.0871", "0.0873"), FOLLOWS.format("6_2_dense")),
    Mutation(
        "a recorded result changed in its third digit", text(DENSE, '"0.0870', '"0.0873'), FOLLOWS.format("6_2_dense")
    ),
    Mutation("a stored model of another run", another_model, FOLLOWS.format("6_2_dense")),
    Mutation("a stripped notebook", outputs(DENSE, strip), STORED.format("6_2_dense")),
    *(Mutation(name, export("6_3_convolutional", change), PACKED) for name, change in OF_EXPORT.items()),
]


def copy(target: Path) -> None:
    """The repository's own files, as they are now."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout.split("\0")
    for name in filter(None, files):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target / name)


def caught(mutation: Mutation) -> str:
    """What the check says of a mutation: the first line on what it found, or "" if it passes."""
    with tempfile.TemporaryDirectory() as folder:
        copy(Path(folder))
        mutation.change(Path(folder))
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no", *mutation.check.split()],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": folder},
            capture_output=True,
            encoding="utf-8",
        )
    if run.returncode == 0:
        return ""
    if run.returncode != 1:
        raise RuntimeError(f"{mutation.name}: the check did not run\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    output = re.sub(r"\x1b\[\d+m", "", run.stdout)
    found = re.findall(r".* outside .* to .*", output) or re.findall(r"(?:ValueError|AssertionError): (.+)", output)
    return found[0].strip()[:150] if found else output.strip().splitlines()[-1]


def main() -> str | int:
    """Make every mutation; the names of those that no check catches."""
    if not os.environ.get("AEBOOK_DATA"):
        return "AEBOOK_DATA must name the folder of the real images, for the mutations are of what was stored on them"
    escaped = []
    for mutation in MUTATIONS:
        found = caught(mutation)
        if not found:
            escaped.append(mutation.name)
        print(
            f"{'caught' if found else 'NOT CAUGHT'}: {mutation.name}\n    by {mutation.check}\n    {found}", flush=True
        )
    print(f"{len(MUTATIONS) - len(escaped)} of {len(MUTATIONS)} mutations caught")
    return f"not caught: {', '.join(escaped)}" if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
