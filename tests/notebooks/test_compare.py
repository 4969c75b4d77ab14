"""What agrees with a stored output, and what does not: `tools.compare`."""

import base64
import io
import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import bands, compare

SEEN = {
    "results": {"bce": [0.0869, 0.0873], "steps": [4, 5]},
    "lines": {
        "epoch #/#: loss #": [0, 0, 0.05],
        "better recipe # #": [0.005, 0.0],
        "effect": [0.001, 0.01],
        "tab-noise text/html": [0.0, 0.02],
    },
    "pictures": {"fig-rows": 0.96},
}
RECORDED = {"bce": 0.08712, "steps": 4, "floor": 0.05812, "sure": True, "word": "half"}


def recorded(name, value):
    return new_output(
        "display_data",
        {"application/papermill.record/text/plain": repr(value)},
        metadata={"scrapbook": {"mime_prefix": "application/papermill.record/", "name": name}},
    )


def printed(text):
    return new_output("stream", name="stdout", text=text)


def shown(**data):
    return new_output("execute_result", {f"text/{name}": text for name, text in data.items()}, execution_count=1)


@pytest.fixture
def page():
    outputs = [recorded(name, value) for name, value in RECORDED.items()]
    return compare.Page(new_notebook(cells=[new_code_cell("", outputs=outputs)]), compare.Bands(SEEN))


def faults(page, old, new, figure="", **options):
    return page.faults([old], [new], {"mystnb": {"figure": {"name": figure}}}, **options)


AGREE = [
    # Recorded results: what was seen, and as much again on each side.
    (recorded("bce", 0.0871), recorded("bce", 0.0876)),
    (recorded("bce", 0.0871), recorded("bce", np.float64(0.0866))),
    (recorded("steps", 4), recorded("steps", 6)),
    (recorded("floor", 0.05812), recorded("floor", 0.0581203)),  # rounding
    # Lines of a kind that was measured, each number with its own allowance.
    (printed("epoch  9/10: loss 0.0890"), printed("epoch  9/10: loss 0.0950")),
    (printed("better recipe   0.0871 0.8136"), printed("better recipe   0.0877 0.8136")),
    (recorded("effect", "1.001 (0.998)"), recorded("effect", "1.002 (0.985)")),
    (shown(html="<td>0.1</td><td>15.7</td>"), shown(html="<td>0.1</td><td>16.1</td>")),
    # A line of a new kind that shows a recorded result.
    (printed("a new sentence on 0.0871"), printed("a new sentence on 0.0874")),
    (printed("it took 4 steps"), printed("it took 5 steps")),
    # Alignment.
    (printed("bits    97"), printed("bits 97")),
]
DIFFER = [
    (recorded("bce", 0.0871), recorded("bce", 0.0878)),
    (recorded("bce", 0.0865), recorded("bce", 0.0871)),
    (recorded("bce", 0.0865), recorded("bce", 0.0865)),  # stored and new agree, and both are wrong
    (recorded("steps", 4), recorded("steps", 7)),
    (recorded("floor", 0.05812), recorded("floor", 0.05813)),
    (recorded("floor", 0.05812), recorded("floor", float("nan"))),
    (recorded("sure", True), recorded("sure", False)),
    (recorded("word", "half"), recorded("word", "whole")),
    (recorded("bce", 0.0871), recorded("mse", 0.0871)),
    (printed("epoch  9/10: loss 0.0890"), printed("epoch  9/10: loss 0.1000")),
    (printed("epoch  9/10: loss 0.0890"), printed("epoch  8/10: loss 0.0890")),
    (printed("epoch  9/10: loss 0.0890"), printed("epoch  9/10: loss nan")),
    (printed("better recipe   0.0871 0.8136"), printed("better recipe   0.0871 0.8137")),
    (printed("a new sentence on 0.0871"), printed("a new sentence on 0.0881")),
    (printed("a new sentence on 0.1234"), printed("a new sentence on 0.1235")),
    (printed("57,268 parameters"), printed("57,269 parameters")),
    (printed("shape (5, 36)"), printed("shape (5, 37)")),
    (printed("validation BCE"), printed("training BCE")),
    (printed("version 2.1.0"), printed("version 2.1.1")),
    (printed("one line"), printed("one line\nand another")),
    (printed("one line"), new_output("stream", name="stderr", text="one line")),
    (shown(markdown="```python\nrate = 0.001\n```"), shown(markdown="```python\nrate = 0.0010\n```")),
    (shown(html="<td>0.1</td><td>15.7</td>"), shown(html="<td>0.1</td><td>16.9</td>")),
    (shown(plain="1"), shown(html="1")),
]


@pytest.mark.parametrize(("old", "new"), AGREE)
def test_what_agrees(page, old, new):
    assert faults(page, old, new, "tab-noise" if "text/html" in old.get("data", {}) else "") == []


@pytest.mark.parametrize(("old", "new"), DIFFER)
def test_what_differs(page, old, new):
    assert faults(page, old, new, "tab-noise" if "text/html" in old.get("data", {}) else "")


def test_a_fault_names_the_number():
    page = compare.Page(new_notebook(), compare.Bands())
    assert faults(page, printed("validation BCE: 0.0873"), printed("validation BCE: 0.0871")) == [
        "0.0873 in 'validation BCE: 0.0873' is now 0.0871"
    ]


def test_an_output_too_many_or_too_few_differs(page):
    assert page.faults([printed("a")], [], {}) and page.faults([], [printed("a")], {})


def test_sentences_on_the_stored_run_are_not_judged_for_another_seed(page):
    old, new = printed("true: the code helps"), printed("not judged: the code helps")
    assert faults(page, old, new) and faults(page, old, new, another_seed=True) == []
    assert faults(page, old, printed("not judged: the code harms"), another_seed=True)


def drawing(values, size=(4, 2)):
    figure = Figure(size, dpi=80)
    figure.subplots().plot(values)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return new_output("display_data", {"image/png": base64.b64encode(file.getvalue()).decode() + "\n"})


@pytest.mark.parametrize(
    ("figure", "other", "agree"),
    [
        ("fig-exact", [1, 3, 2], True),
        ("fig-exact", [1, 3, 2.3], False),
        ("fig-rows", [1, 3, 2.1], True),
        ("fig-rows", [3, 1, 3], False),
    ],
)
def test_a_picture_agrees_by_what_it_shows(page, figure, other, agree):
    found = faults(page, drawing([1, 3, 2]), drawing(other), figure)
    assert (found == []) == agree, found
    assert agree or found[0].startswith(f"{figure} shows something else: similarity 0.")


def test_a_picture_may_be_a_little_larger_and_not_another_format(page):
    assert faults(page, drawing([1, 3, 2]), drawing([1, 3, 2], (4.05, 2)), "fig-rows") == []
    assert faults(page, drawing([1, 3, 2]), drawing([1, 3, 2], (5, 2)), "fig-rows")


def test_bands_come_from_the_spread_of_runs():
    """From runs to bands: each run agrees with the stored one, and a number that never moved must not move."""

    def run(bce, epoch, word):
        outputs = [
            recorded("bce", bce),
            recorded("n", 36),
            recorded("word", word),
            printed(f"epoch 1/2: loss {epoch}\nepoch 2/2: loss 0.0900\nsize 36"),
            drawing([1, bce * 10, 2]),
        ]
        return new_notebook(
            cells=[new_code_cell("", outputs=outputs, metadata={"mystnb": {"figure": {"name": "fig-a"}}})]
        )

    runs = [run(0.0871, 0.1474, "a"), run(0.0873, 0.1400, "a"), run(0.0869, 0.1500, "a")]
    seen = bands.spread(runs)
    assert seen["results"] == {"bce": [0.0869, 0.0873]}
    assert seen["lines"] == {"epoch #/#: loss #": [0.0, 0.0, pytest.approx(1 - 0.14 / 0.15, abs=2e-5)]}
    page = compare.Page(runs[0], compare.Bands(seen))
    for other in runs:
        assert page.faults(runs[0].cells[0].outputs, other.cells[0].outputs, runs[0].cells[0].metadata) == []
    for wrong in (run(0.0880, 0.1474, "a"), run(0.0871, 0.18, "a"), run(0.0871, 0.1474, "b")):
        assert page.faults(runs[0].cells[0].outputs, wrong.cells[0].outputs, runs[0].cells[0].metadata)
    json.dumps(seen)


def test_every_measured_notebook_has_its_seeds_and_its_stored_results_lie_in_their_bands():
    measured = json.loads(compare.FILE.read_text(encoding="utf-8"))
    assert set(measured["notebooks"]) == {path.stem for path in (bands.ROOT / "notebooks").glob("*.ipynb")}
    for stem, seen in measured["notebooks"].items():
        assert seen["runs"] == [f"{machine}-{seed}" for planned, machine, seed in bands.plan() if planned == stem]
        page = compare.page(bands.ROOT / "notebooks" / f"{stem}.ipynb")
        for cell in page.notebook.cells:
            if cell.cell_type == "code":
                assert page.faults(cell.outputs, cell.outputs, cell.metadata) == []
    for stem in bands.TRAINED:
        assert len({name.partition("-")[2] for name in measured["notebooks"][stem]["runs"]}) >= 10
