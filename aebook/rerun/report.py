"""The page that sums a sweep up: one HTML file that needs no other."""

import base64
import io
from urllib.parse import quote

import jinja2
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from aebook import charts

HIDDEN = ("python", "keras", "tensorflow", "aebook", "worker", "notebook", "notebook_code", "aebook_code", "error")
"""Columns of the table that the page leaves to runs.csv."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{ title }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid #8886; padding: .3em .6em; text-align: right; white-space: nowrap }
img { background: white; max-width: 100% }
</style>
<h1>{{ title }}</h1>
<p>{{ complete }} complete, {{ failed | length }} failed.
{%- if seconds %} A run took {{ seconds }} s (median).{% endif %}</p>
{% if failed %}<h2>Failed</h2>
<ul>
{% for row in failed %}<li>{{ row.run or row.settings }}: {{ row.error }}</li>
{% endfor %}</ul>
{% endif %}
{% if figure %}<h2>Results against {{ x }}</h2>
<img src="data:image/png;base64,{{ figure }}" alt="Each result that differs between runs, against {{ x }}">
{% endif %}
<h2>Runs</h2>
<div class="wide" tabindex="0" role="region" aria-label="All runs">
<table>
<tr>{% for name in names %}<th scope="col">{{ name }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>{% for name in names %}<td>
{%- if name == "run" and row.run %}<a href="{{ link(row.run) }}">{{ row.run }}</a>
{%- else %}{{ text(row[name]) }}{% endif %}</td>{% endfor %}</tr>
{% endfor %}</table>
</div>
</html>
"""


def page(title, table, settings):
    """The summary of a sweep as HTML: how many runs, which failed and why, a figure, the table.

    The figure shows each result that differs between runs against the first parameter that was
    given several values; the second such parameter, the seed aside, tells lines apart.

    Args:
        title: the heading.
        table: what aebook.rerun.cluster.Sweep.table gives.
        settings: the names of the parameters that were set.
    """
    complete, failed = (table[table["status"] == status] for status in ("complete", "failed"))
    varied = [name for name in settings if complete[name].nunique() > 1]
    x, group, figure = None, None, None
    measured = [name for name in complete.columns[complete.columns.get_loc("aebook_code") + 1:]
                if is_numeric_dtype(complete[name]) and not is_bool_dtype(complete[name])
                and complete[name].nunique() > 1]
    if varied and measured:
        x = varied[0]
        group = next((name for name in varied[1:] if name != "seed"), None)
        file = io.BytesIO()
        texts = {name: complete[name].astype(str).str.replace("$", r"\$") for name in varied
                 if not is_numeric_dtype(complete[name])}  # 1 and a on one axis; $ would begin a formula
        charts.spread(complete.assign(**texts), x, {name: name for name in measured}, group).savefig(file)
        figure = base64.b64encode(file.getvalue()).decode()
    return jinja2.Environment(autoescape=True).from_string(PAGE).render(
        title=title, complete=len(complete), x=x, figure=figure, link=quote, text=_text,
        seconds=f"{complete['wall_s'].median():.0f}" if len(complete) else None,
        failed=[{**row, "settings": ", ".join(f"{name}={row[name]}" for name in settings)}
                for row in failed.to_dict("records")],
        names=[name for name in table.columns if name not in HIDDEN],
        rows=table.to_dict("records"),
    )


def _text(value):
    if value != value:  # not a number: a run that failed has no results
        return ""
    return f"{value:.5g}" if isinstance(value, float) else str(value)
