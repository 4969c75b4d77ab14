"""The command of the bench: what it records, goes on from, stores and refuses."""

import json
from types import SimpleNamespace

import pytest

from aebook import data
from aebook.bench import command, plan, trainers
from aebook.bench.trainers import CONTENDERS
from aebook.rerun.store import Store


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """The trainings that were done so far, by one that takes no time, in a folder of their own."""

    def train(run, log):
        trained.append(run)
        return {"epoch_s": [2.0, 1.0], "test_bce": [0.2, 0.1], "peak_mb": 1, "verified": True}

    trained = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trainers, "train_in_new_process", train)
    monkeypatch.setattr(command, "version", lambda name: "3")
    monkeypatch.setattr(data, "load", lambda name: SimpleNamespace(verified=True))
    return trained


@pytest.fixture
def interrupt(monkeypatch, trained):
    """Interrupt what a function does after so many trainings."""
    train = trainers.train_in_new_process

    def interrupt(call, after):
        left = iter(range(after))

        def interrupted(*arguments):
            if next(left, None) is None:
                raise KeyboardInterrupt
            return train(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(trainers, "train_in_new_process", interrupted)
            return call()

    return interrupt


def bench(runs):
    with Store(command.FOLDER) as store:
        return command.bench(runs, store, command.circumstances())


def recorded():
    with Store(command.FOLDER) as store:
        return list(store.rows.values())


def test_an_interrupted_bench_goes_on(monkeypatch, trained, interrupt):
    runs = plan.plan()[:4]
    with pytest.raises(KeyboardInterrupt):
        interrupt(lambda: bench(runs), after=2)
    assert trained == runs[:2]
    results = bench(runs)
    assert trained == runs
    assert [result["contender"] for result in results] == [run.contender for run in runs]
    monkeypatch.setattr(command, "version", lambda name: "4")  # another library: all again
    bench(runs[:1])
    assert trained == [*runs, runs[0]] and len(recorded()) == 4
    monkeypatch.setattr(command, "code", lambda: "other")  # and with other code
    bench(runs[:1])
    assert trained == [*runs, runs[0], runs[0]]


def test_a_file_edited_meanwhile_stops_the_bench(monkeypatch, trained):
    """No time of one code is recorded or stored as another one's, and what is recorded of the first stays."""
    train, code = trainers.train_in_new_process, command.code()

    def edit(run, log):
        if len(trained) == 2:
            monkeypatch.setattr(command, "code", lambda: "other")
        return train(run, log)

    with monkeypatch.context() as patch:
        patch.setattr(trainers, "train_in_new_process", edit)
        assert command.main(["--quick"]).startswith("the code was changed while the bench ran")
    assert len(trained) == 3 and not command.QUICK_OUT.exists()
    assert [row["state"]["code"] for row in recorded()] == [code, code]
    monkeypatch.setattr(command, "code", lambda: code)  # as it was
    assert command.main(["--quick"]) == 0
    assert trained[3:] == [run for run in plan.plan(6000) if run.contender in CONTENDERS][2:]
    assert json.loads(command.QUICK_OUT.read_text())["code"] == code


def test_a_quick_bench_leaves_an_interrupted_full_one_alone(trained, interrupt):
    assert interrupt(lambda: command.main([]), after=2) == "interrupted; the same command goes on from here"
    assert command.main(["--quick"]) == 0 and len(recorded()) == 2
    assert command.main([]) == 0 and recorded() == []
    quick = [run for run in plan.plan(6000) if run.contender in CONTENDERS]
    assert trained == [*plan.plan()[:2], *quick, *plan.plan()[2:]]
    full = json.loads(command.OUT.read_text())
    assert full["images"] == 60_000 and full["code"] == command.code()
    assert json.loads(command.QUICK_OUT.read_text())["images"] == 6000


def test_no_two_benches_at_once(monkeypatch, trained):
    """No training shares the machine."""
    answers = []
    monkeypatch.setattr(trainers, "train_in_new_process", lambda *_: answers.append(command.main(["--quick"])) or {})
    bench(plan.plan()[:1])
    assert answers == [f"another sweep or bench is writing to {command.FOLDER}; wait until it ends"]


def test_a_damaged_store_is_one_clear_line(trained):
    bench(plan.plan()[:1])
    path = command.FOLDER / "runs.sqlite"
    path.write_text("text")
    advice = "is damaged (file is not a database); delete it, and the same command runs everything again"
    assert command.main([]) == f"{path} {advice}"
    path.unlink()
    assert command.main(["--quick"]) == 0


class Dying:
    """A Run whose process says which libraries it has loaded, and dies."""

    contender = "book"

    def __reduce__(self):
        return exec, (
            "import os, sys\nloaded = {'keras', 'torch', 'tensorflow'} & set(sys.modules)\n"
            "os.write(2, f'loaded: {loaded}, and no memory left'.encode())\nos._exit(1)",
        )


def test_a_training_process_loads_only_its_own_library_and_its_last_words_are_told():
    with pytest.raises(RuntimeError, match=r"its process died, and said last: loaded: set\(\), and no memory left$"):
        command._train(Dying())


def test_a_training_that_fails_is_named(monkeypatch, trained):
    def fail(run, log):
        raise FloatingPointError("loss became nan")

    monkeypatch.setattr(trainers, "train_in_new_process", fail)
    answer = command.main(["--quick"])
    assert answer.startswith("the training Run(model='dense', contender='source', seed=0")
    assert answer.endswith("failed: FloatingPointError: loss became nan") and recorded() == []


def test_without_pytorch_the_bench_says_what_to_do(monkeypatch, trained):
    def version(name):
        if name == "torch":
            raise command.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(command, "version", version)
    assert command.main(["--quick"]) == "torch is not installed; make bench installs what the bench needs"
    assert not trained and not command.QUICK_OUT.exists()


def test_nothing_is_stored_from_other_images_than_the_real_ones(monkeypatch, trained):
    images = SimpleNamespace(verified=False, source="stand-in", reason="no network")
    monkeypatch.setattr(data, "load", lambda name: images)
    assert command.main([]) == "results/bench.json is made from the verified MNIST only; got stand-in (no network)"
    assert not trained and not command.OUT.exists()


def test_the_machine_is_described():
    machine = command.machine()
    assert list(machine) == ["processor", "cores", "memory_gb", "system", "python"]
    assert all(machine.values())
