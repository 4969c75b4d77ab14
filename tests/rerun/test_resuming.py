"""Sweeps that are killed at any step and go on: nothing is lost, nothing doubled, nothing half."""

import functools
import tempfile
from concurrent.futures import Executor, Future
from pathlib import Path

import pandas
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from aebook.rerun import cluster, report
from aebook.rerun.plan import Plan
from aebook.rerun.store import Store
from tests.rerun.death import Death, often

SEEDS = range(4)


class AtOnce(Executor):
    """Runs what is submitted when it is submitted."""

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future


class Runs(RuleBasedStateMachine):
    """A folder against the newest run of each seed: its number, whether it is complete, by which code."""

    def __init__(self):
        super().__init__()
        self.patch, self.place = pytest.MonkeyPatch(), tempfile.TemporaryDirectory()
        self.patch.setattr(report, "page", lambda *_: "page")
        self.patch.setattr(cluster, "IN_FLIGHT", 1)  # one after another, as workers end them
        self.patch.setattr(cluster, "tqdm", lambda **_: Silent())
        self.death, self.out = Death(self.patch), Path(self.place.name)
        self.code, self.recorded, self.number = "0", {}, 0

    def teardown(self):
        self.patch.undo()
        self.place.cleanup()

    def pretend(self, failing, source, parameters, file, code, folder, partial):
        """In the place of worker.run; notes what it did."""
        self.number += 1
        failed = parameters["seed"] in failing
        self.done.append((parameters["seed"], (self.number, not failed, code)))
        return {
            "status": "failed" if failed else "complete",
            "error": "",
            "wall_s": 1.0,
            "results": {"number": self.number},
        }, f"notebook {self.number}"

    def sweep(self, seeds, failing, rerun):
        plan = Plan(Path("small.ipynb"), ("seed",), {f"key{seed}": {"seed": seed} for seed in seeds}, "", self.code)
        with Store(self.out) as store:
            runs = cluster.Sweep(plan, store, rerun, functools.partial(self.pretend, failing))
            runs.run(AtOnce())

    def found(self):
        with Store(self.out) as store:
            return {
                row["parameters"]["seed"]: (row["results"]["number"], row["status"] == "complete", row["code"])
                for row in store.rows.values()
            }

    @rule(
        seeds=st.sets(st.sampled_from(SEEDS), min_size=1),
        failing=st.sets(st.sampled_from(SEEDS)),
        rerun=st.booleans(),
        step=st.one_of(st.none(), st.integers(1, 60)),
    )
    def start(self, seeds, failing, rerun, step):
        self.done, before = [], self.recorded
        killed = (
            self.death.strikes(step, lambda: self.sweep(seeds, failing, rerun))
            if step
            else self.sweep(seeds, failing, rerun)
        )
        self.recorded = self.found()
        to_do = {
            seed
            for seed in seeds
            if not before.get(seed, (0, False, ""))[1] or (rerun and before[seed][2] != self.code)
        }
        executed = dict(self.done)
        assert len(executed) == len(self.done) and set(executed) <= to_do, "a recorded run was repeated"
        assert self.recorded in ({**before, **executed}, {**before, **dict(self.done[:-1])}), "a run is lost"
        if not killed:
            assert set(executed) == to_do and self.recorded == {**before, **executed}
            self.recorded_in_table()

    @rule()
    def change_code(self):
        self.code = str(int(self.code) + 1)

    def recorded_in_table(self):
        table = pandas.read_csv(self.out / "runs.csv", dtype={"code": str})
        assert {
            row.seed: (row.number, row.status == "complete", row.code) for row in table.itertuples()
        } == self.recorded

    @invariant()
    def each_run_has_its_notebook(self):
        with_notebook = {number for number, _, _ in self.recorded.values()}
        assert sorted(path.read_text() for path in self.out.glob("*.ipynb")) == sorted(
            f"notebook {number}" for number in with_notebook
        )


class Silent:
    """A progress bar that shows nothing."""

    def __getattr__(self, name):
        return lambda *_, **__: None


def test_killed_at_any_step_and_started_again():
    run_state_machine_as_test(Runs, settings=often(runs=60, steps=20))
