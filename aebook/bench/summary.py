"""What the trainings of a bench say: the table, the ratios, the quality."""

import statistics
from typing import Any

import pandas

from aebook import training
from aebook.bench.plan import FULL
from aebook.bench.trainers import CONTENDERS


def key_figures(result: dict[str, Any], target: float) -> dict[str, Any]:
    """What one training says, beside the loss that the source's recipe ended with.

    Returns:
        ``epoch_s``: the median of all epochs but the first; ``preparation_s``: by how much the
        first took longer; ``epochs_to_source``: after how many epochs the loss on the test images
        was at most the target, or None; ``to_source_s``: so many times ``epoch_s``;
        ``to_source_prepared_s``: the same with the preparation; ``test_bce`` at the end; ``peak_mb``.
        What is about the loss is None for a contender that runs for a few epochs only.
    """
    first, *others = result["epoch_s"]
    epoch = statistics.median(others)
    preparation = max(0.0, first - epoch)
    in_full = result["contender"] in FULL
    reached = [number for number, loss in enumerate(result["test_bce"], 1) if loss <= target]
    needed = reached[0] if reached and in_full else None
    return {
        "epoch_s": epoch,
        "preparation_s": preparation,
        "epochs_to_source": needed,
        "to_source_s": needed and needed * epoch,
        "to_source_prepared_s": needed and needed * epoch + preparation,
        "test_bce": result["test_bce"][-1] if in_full else None,
        "peak_mb": result["peak_mb"],
    }


def summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The table, the ratios and the quality of a bench, as they stand in results/bench.json.

    Args:
        results: what ``bench`` gives.

    Returns:
        ``table``: for each model and contender the medians over the seeds of what
        ``key_figures`` gives; ``ratios`` and ``quality``: each as min, median and max over the seeds.
    """
    runs: dict[tuple[str, str, int], dict[str, Any]] = {}
    for result in results:
        if result["contender"] in CONTENDERS:
            source = next(
                other
                for other in results
                if other["contender"] == "source"
                and (other["model"], other["seed"]) == (result["model"], result["seed"])
            )
            runs[result["model"], result["contender"], result["seed"]] = {
                "epochs": result["epochs"],
                **key_figures(result, source["test_bce"][-1]),
            }
    table, ratios, quality = [], {}, {}
    for model, epochs in (("dense", training.DENSE_SOURCE.epochs), ("conv", training.CONV_SOURCE.epochs)):
        for contender in CONTENDERS:
            of_seeds = [run for (m, c, _), run in runs.items() if (m, c) == (model, contender)]
            if of_seeds:
                table.append(
                    {"model": model, "contender": contender, "epochs": of_seeds[0]["epochs"]}
                    | {name: _median([run[name] for run in of_seeds]) for name in list(of_seeds[0])[1:]}
                )
        seeds = sorted({seed for m, _, seed in runs if m == model})
        books, sources = ([runs[model, who, seed] for seed in seeds] for who in ("book", "source"))
        torch = [
            min(
                run["epoch_s"]
                for (m, c, s), run in runs.items()
                if m == model and s == seed and c.startswith("pytorch")
            )
            for seed in seeds
        ]
        for name, key in (("to_source", "to_source_s"), ("to_source_with_preparation", "to_source_prepared_s")):
            if all(run[key] for run in books):
                ratios[f"{model}_time_{name}"] = _range([a[key] / b[key] for a, b in zip(sources, books, strict=True)])
        against_torch = [run["epoch_s"] / best for run, best in zip(books, torch, strict=True)]
        ratios[f"{model}_epoch_vs_torch"] = _range(against_torch)
        quality[f"{model}_bce_{epochs}_epochs"] = _range([run["test_bce"] for run in books])
    return {"table": table, "ratios": ratios, "quality": quality}


def _median(values: list[float | None]) -> float | None:
    """The median, or None if a value is None: one training did not get there."""
    there = [value for value in values if value is not None]
    return statistics.median(there) if len(there) == len(values) else None


def _range(values: list[float]) -> dict[str, float]:
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def show(report: dict[str, Any]) -> str:
    """The table and the ratios of a bench as text, and where and when it was measured."""
    table = pandas.DataFrame(report["table"])
    table["contender"] = table["contender"].map(CONTENDERS)
    lines = [table.to_string(index=False, float_format="{:.4g}".format, na_rep="-"), ""]
    for group in ("ratios", "quality"):
        for name, value in report[group].items():
            lines.append(f"{name:40}{value['median']:8.4g}  ({value['min']:.4g} to {value['max']:.4g})")
    lines += ["", f"{report['started']} to {report['finished']}"]
    lines += [", ".join(f"{name} {value}" for name, value in report[part].items()) for part in ("machine", "versions")]
    return "\n".join(lines)
