"""What a folder of runs shows: the table, and the page that sums it up, one HTML file that needs no other."""

import base64
import io
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import pandas
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from aebook import charts
from aebook.rerun.files import write_whole
from aebook.rerun.plan import OUTCOME, RECORD

HIDDEN = ("python", "keras", "tensorflow", "aebook", "worker", "notebook", "code", "error")
"""Columns of the table that the page leaves to runs.csv."""

TEMPLATE = Path(__file__).with_name("report.html")


def make_table(rows: Sequence[dict[str, Any]], parameters: Sequence[str] = ()) -> pandas.DataFrame:
    """Recorded runs as a table, one row a run, ordered by their parameters.

    Columns: run (the notebook's file name), status, error, the parameters, wall_s (seconds the
    run took), store_s (seconds it took to store it), elapsed_s (seconds from the start of the
    sweep until then), peak_mb (the most memory any run of that worker took so far), notebook_kb,
    finished (UTC), worker, versions, the hash of the code, and what the notebook recorded with
    glue, unless it has the name of one of these columns.

    Args:
        rows: what aebook.rerun.cluster.Sweep records.
        parameters: those to name first; the others follow.
    """
    parameters = list(dict.fromkeys([*parameters, *(name for row in rows for name in row["parameters"])]))
    results = (name for row in rows for name in row["results"])
    frame = pandas.DataFrame(
        [{**row["results"], **row["parameters"], **row} for row in rows],
        columns=list(dict.fromkeys([*OUTCOME, *parameters, *RECORD, *results])),
    )
    return frame.sort_values(
        parameters, ignore_index=True, key=lambda values: values if is_numeric_dtype(values) else values.astype(str)
    )


def write_table(path: Path, table: pandas.DataFrame) -> None:
    """Write a table as CSV, whole or not at all."""
    write_whole(path, table.to_csv(index=False, lineterminator="\n"))


def page(
    title: str,
    table: pandas.DataFrame,
    settings: Sequence[str],
    results: Container[str],
    pages: Container[str] = (),
) -> str:
    """The summary of a sweep as HTML: how many runs, which failed and why, a figure, the table.

    The figure shows each result that differs between runs against the first parameter that was
    given several values; the second such parameter, the seed aside, tells lines apart.

    Args:
        title: the heading.
        table: what make_table gives.
        settings: the names of the parameters that were set.
        results: the columns that the notebook recorded.
        pages: the names, without .html, of the pages that ``make rerun NB=RUN.ipynb`` has made of runs.
    """
    complete, failed = (table[table["status"] == status] for status in ("complete", "failed"))
    varied = [name for name in settings if complete[name].nunique() > 1]
    numbers = [
        name
        for name in table.columns
        if name in results
        and is_numeric_dtype(complete[name])
        and not is_bool_dtype(complete[name])
        and complete[name].nunique() > 1
    ]
    x, figure = None, None
    if varied and numbers:
        x = varied[0]
        group = next((name for name in varied[1:] if name != "seed"), None)
        file = io.BytesIO()
        texts = {
            name: complete[name].astype(str).str.replace("$", r"\$")
            for name in varied
            if not is_numeric_dtype(complete[name])
        }  # 1 and a on one axis; $ would begin a formula
        charts.spread(complete.assign(**texts), x, {name: name for name in numbers}, group).savefig(file)
        figure = base64.b64encode(file.getvalue()).decode()
    template = jinja2.Environment(autoescape=True).from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        title=title,
        complete=len(complete),
        x=x,
        figure=figure,
        link=quote,
        text=_text,
        seconds=f"{complete['wall_s'].median():.0f}" if len(complete) else None,
        failed=[
            {**row, "settings": ", ".join(f"{name}={row[name]}" for name in settings)}
            for row in failed.to_dict("records")
        ],
        names=[name for name in table.columns if name not in HIDDEN],
        rows=table.to_dict("records"),
        pages=pages,
    )


def _text(value: object) -> str:
    if value != value:  # not a number: a run that failed has no results
        return ""
    return f"{value:.5g}" if isinstance(value, float) else str(value)
