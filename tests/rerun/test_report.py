import re

import pandas
import pytest

from aebook.rerun import report

RESULTS = ["data_verified", "loss", "floor"]


@pytest.fixture
def table():
    rows = [
        {
            "run": f"z_dim={z}.ipynb",
            "status": "complete",
            "error": "",
            "z_dim": z,
            "seed": seed,
            "wall_s": 10.0 + z,
            "python": "3",
            "code": "a",
            "data_verified": True,
            "loss": 1 / z,
            "floor": 0.05,
        }
        for z in (2, 4)
        for seed in (0, 1)
    ]
    rows.append(
        {
            **rows[-1],
            "run": "",
            "status": "failed",
            "error": "cell [5]: <Error> & more",
            "z_dim": 8,
            "loss": float("nan"),
        }
    )
    return pandas.DataFrame(rows)


def test_the_page_is_whole_and_says_what_failed(table):
    page = report.page("Runs", table, ["z_dim", "seed"], RESULTS)
    assert "4 complete, 1 failed. A run took 13 s (median)." in page
    assert "<li>z_dim=8, seed=1: cell [5]: &lt;Error&gt; &amp; more</li>" in page
    assert page.count('<a href="z_dim%3D2.ipynb">z_dim=2.ipynb</a>') == 2
    assert page.count("<tr>") == 6 and "nan" not in page
    assert not re.search(r'(src|href)="(?!data:|z_dim)', page), "the page needs another file"


def test_the_figure_shows_results_that_differ(table, monkeypatch):
    drawn = {}
    spread = report.charts.spread
    monkeypatch.setattr(report.charts, "spread", lambda *arguments: drawn.update(a=arguments) or spread(*arguments))
    report.page("Runs", table, ["seed", "z_dim"], RESULTS)
    _, x, results, group = drawn["a"]
    assert (x, list(results), group) == ("seed", ["loss"], "z_dim")


def test_no_figure_where_nothing_differs(table):
    assert "<img" not in report.page("Runs", table[:1], ["z_dim"], RESULTS)
    assert "0 complete, 1 failed.\n" in report.page("Runs", table[4:], ["z_dim"], RESULTS).replace("</p>", "\n")


@pytest.mark.parametrize("values", [[1, "a"], ["$a$", "b"], [True, False], [1.0, float("inf")]])
@pytest.mark.parametrize("settings", [["name", "seed"], ["seed", "name"]])
def test_any_values_can_be_shown(table, values, settings):
    table["name"] = [*values, *values, values[0]]
    assert "<img" in report.page("Runs", table, settings, RESULTS)


def test_the_table_has_the_parameters_of_all_runs_and_what_they_recorded():
    row = {"run": "a.ipynb", "status": "complete", "error": "", "notebook": "a", "code": "b"}
    rows = [
        {**row, "parameters": {"z_dim": z, "name": name}, "results": {"loss": 1 / z, "z_dim": 7, **more}}
        for z, name, more in ((4, "b", {}), (2, 1, {"new": True}), (2, "a", {}))
    ]
    table = report.make_table(rows, ["seed", "z_dim"])
    assert list(table.columns[:6]) == ["run", "status", "error", "seed", "z_dim", "name"]
    assert list(table.columns[-2:]) == ["loss", "new"]
    assert table[["z_dim", "name"]].values.tolist() == [[2, 1], [2, "a"], [4, "b"]]
