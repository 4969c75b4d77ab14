"""JavaScript for the tests: run by node, or by the browser of the page tests where there is none."""

import base64
import json
import shutil
import subprocess

import numpy as np
import pytest

from aebook import data
from tools import explorer, real

PLAIN = "(_, v) => ArrayBuffer.isView(v) ? Array.from(v) : v"
"""Lets JSON hold JavaScript's arrays of numbers."""


def _module(text):
    return "data:text/javascript;base64," + base64.b64encode(text.encode()).decode()


FOLDER = explorer.ROOT / "aebook" / "explorer"
ENGINE = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("engine.js", "training.js"))


@pytest.fixture
def engine():
    """The engine's text."""
    return ENGINE


@pytest.fixture
def javascript(request, tmp_path):
    """Call it with a function's body and what the body finds as `given`: what it returns, of the engine in `e`.

    The engine's two files are one module here, as in a page.
    """

    def run(body, engine=ENGINE, **given):
        program = (
            f"(async () => {{ const e = await import(engine); {body} }})().then((v) => JSON.stringify(v, {PLAIN}))"
        )
        if shutil.which("node"):
            files = {"engine.mjs": engine, "given.json": json.dumps(given), "program.mjs": (
                'import { readFileSync } from "node:fs";\n'
                'const engine = new URL("engine.mjs", import.meta.url).href;\n'
                'const given = JSON.parse(readFileSync(new URL("given.json", import.meta.url)));\n'
                f"{program}.then(console.log);\n"
            )}  # fmt: skip
            for name, text in files.items():
                (tmp_path / name).write_text(text, encoding="utf-8")
            done = subprocess.run(["node", tmp_path / "program.mjs"], capture_output=True, encoding="utf-8")
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)
        page = request.getfixturevalue("chromium").new_page()
        try:
            call = f"([engine, text]) => {{ const given = JSON.parse(text); return {program}; }}"
            return json.loads(page.evaluate(call, [_module(engine), json.dumps(given)]))
        finally:
            page.close()

    return run


@pytest.fixture(scope="session")
def digits():
    """500 images (n, 28, 28): of MNIST's test images or, without them, those training images that the pages have."""
    if not real.why_no_mnist():
        return data.load("mnist").x_test[:500]
    return unpacked(explorer.read(explorer.SCRIPTS / "training.js"))[:500]


def unpacked(packed):
    """The pixels of packed images (n, 28, 28), once more in Python."""
    content = np.frombuffer(base64.b64decode(packed["pixels"]), "u1")
    symbols = iter(
        (content if packed["bits"] == 8 else np.stack([content >> 4, content & 15], axis=1).ravel()).tolist()
    )
    pixels = []
    while len(pixels) < packed["count"] * 784:
        if gray := next(symbols):
            pixels.append(gray if packed["bits"] == 8 else gray * 17)
        else:
            pixels += [0] * (1 + (next(symbols) if packed["bits"] == 8 else next(symbols) * 16 + next(symbols)))
    return np.array(pixels, "u1").reshape(-1, 28, 28)


@pytest.fixture
def unpack():
    """`unpacked`, for tests that look at more than `digits`."""
    return unpacked
