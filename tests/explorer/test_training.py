"""training.js against Keras, step by step; and the worker that the page trains in."""

import json

import keras
import numpy as np
import pytest

from aebook import data, models

STEPS, BATCH, SIZE = 100, 32, 12
CHOICES = [("adadelta", 1.0), ("adadelta", 0.001), ("adam", 0.001), ("nadam", 0.01)]

TRAIN = """
    const x = Float32Array.from(given.x);
    const trainer = new e.Trainer({ ...given.settings, weights: given.weights });
    const losses = given.batches.map((batch) => {
        const images = new Float32Array(batch.length * 784);
        batch.forEach((from, to) => images.set(x.subarray(from * 784, (from + 1) * 784), to * 784));
        return trainer.step(images, batch.length);
    });
    return [losses, trainer.weights()];
"""


@pytest.fixture(scope="module")
def x(digits):
    return data.to_vectors(digits)


@pytest.mark.parametrize(("optimizer", "rate"), CHOICES)
def test_a_hundred_steps_lose_what_keras_loses(optimizer, rate, x, javascript):
    keras.utils.set_random_seed(0)
    model = models.DenseAutoencoder(z_dim=SIZE, code_bias=0.5)
    first = model.get_weights()
    kind = {"class_name": optimizer, "config": {"learning_rate": rate}}
    model.compile(optimizer=keras.optimizers.get(kind), loss="binary_crossentropy")
    order = np.random.default_rng(0).integers(len(x), size=(STEPS, BATCH))
    batches = [batch[: BATCH - n % 2].tolist() for n, batch in enumerate(order)]
    losses = [float(model.train_on_batch(x[batch], x[batch])) for batch in batches]
    got, weights = javascript(
        TRAIN,
        x=x.ravel().tolist(),
        weights=[w.ravel().tolist() for w in first],
        batches=batches,
        settings={"codeSize": SIZE, "optimizer": optimizer, "learningRate": rate},
    )
    np.testing.assert_allclose(got, losses, rtol=1e-4)
    assert losses[-1] != losses[0]
    for mine, keras_s in zip(weights, model.get_weights()):
        np.testing.assert_allclose(mine, keras_s.ravel(), atol=2e-3)


def test_a_new_trainer_starts_as_keras_does(javascript):
    w1, b1, w2, b2, again, other = javascript("""
        const settings = { codeSize: 36, codeBias: 1, seed: 3, optimizer: "adam", learningRate: 0.01 };
        const [first] = new e.Trainer(settings).weights();
        const others = new e.Trainer({ ...settings, seed: 4 }).weights();
        return [...new e.Trainer(settings).weights(), first, others[0]];
    """)
    limit = np.sqrt(6 / (784 + 36))
    for kernel in (w1, w2):
        assert len(kernel) == 784 * 36 and np.abs(kernel).max() == pytest.approx(limit, rel=1e-3)
        assert np.mean(kernel) == pytest.approx(0, abs=limit / 50)
        assert np.std(kernel) == pytest.approx(limit / np.sqrt(3), rel=0.02)
    assert set(b1) == {1} and set(b2) == {0}
    assert w1 == again and w1 != other and w1 != w2


def test_dead_units_are_those_that_are_0_for_every_image(x, javascript):
    dead, none, codes = javascript(
        """
        const x = Float32Array.from(given.x), n = x.length / 784;
        const trainer = new e.Trainer({ codeSize: 40, codeBias: -1, seed: 0 });
        const alive = new e.Trainer({ codeSize: 40, codeBias: 5, seed: 0 });
        return [trainer.deadUnits(x, n), alive.deadUnits(x, n), trainer.encode(x, n)];
        """,
        x=x.ravel().tolist(),
    )
    codes = np.reshape(codes, (len(x), 40))
    assert dead == (codes == 0).all(axis=0).tolist() and 0 < sum(dead) < 40
    assert sum(dead) < sum((codes[:256] == 0).all(axis=0))  # some are seen to live only in the second part
    assert none == [False] * 40


def test_shuffled_is_an_order_of_its_seed(javascript):
    one, same, other = javascript("return [e.shuffled(1000, 1), e.shuffled(1000, 1), e.shuffled(1000, 2)]")
    assert sorted(one) == list(range(1000)) and one == same and one != other
    assert np.mean(np.array(one) == np.arange(1000)) < 0.01


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"codeSize": 4, "optimizer": "sgd"}, "The optimizer sgd is not known here."),
        ({"codeSize": 4, "optimizer": "toString"}, "The optimizer toString is not known here."),
        ({"codeSize": 4, "weights": [[1], [2]]}, "The weights do not fit a code of 4 numbers."),
    ],
)
def test_wrong_settings_are_told_in_a_sentence(settings, said, javascript):
    body = "try { new e.Trainer(given.settings); } catch (error) { return error.message; }"
    assert javascript(body, settings=settings) == said


# The worker

IN_A_WORKER = """
    const heard = [];
    const self = { postMessage: (message) => heard.push(message) };
    new Function("self", e.workerSource)(self);
    const start = { images: Uint8Array.from(given.images), settings: given.settings };
    const running = self.onmessage({ data: { start } });
    if (given.stop) self.onmessage({ data: { stop: true } });
    await running;
    return heard;
"""
SETTINGS = {"codeSize": 8, "optimizer": "nadam", "learningRate": 0.01, "codeBias": 1, "epochs": 3, "batchSize": 64}


def test_a_worker_reports_its_training_from_before_the_first_step(digits, x, javascript):
    shown = x[:10].ravel().tolist()
    settings = {**SETTINGS, "every": 2, "shown": shown}
    heard = javascript(IN_A_WORKER, images=digits[:300].ravel().tolist(), settings=settings)
    assert [one["step"] for one in heard] == [0, 2, 4, 6, 8, 10, 12, 14, 15]
    assert [one["done"] for one in heard] == [False] * 8 + [True]
    assert [one["loss"] is None for one in heard] == [True] + [False] * 8
    assert heard[-1]["epoch"] == 3 and heard[-1]["steps"] == 15
    assert heard[-1]["loss"] < 0.6 * heard[1]["loss"]
    assert all(len(one["shown"]) == 7840 and len(one["dead"]) == 8 for one in heard)
    errors = [np.mean(np.square(np.subtract(one["shown"], shown))) for one in (heard[0], heard[-1])]
    assert errors[1] < 0.7 * errors[0]
    assert [len(w) for w in heard[-1]["weights"]] == [6272, 8, 6272, 784] and "weights" not in heard[0]


def test_a_stopped_worker_gives_what_it_has(digits, javascript):
    heard = javascript(IN_A_WORKER, images=digits[:300].ravel().tolist(), settings=SETTINGS, stop=True)
    assert [(one["step"], one["done"]) for one in heard] == [(0, False), (0, True)]
    assert len(heard[-1]["weights"]) == 4


def test_without_workers_there_is_a_sentence(javascript):
    reason, sentence = javascript("""
        globalThis.Worker = undefined;
        try {
            e.trainInWorker(new Uint8Array(784), {}, () => 0);
        } catch (error) { return [error.reason, error.message]; }
    """)
    assert reason == "no workers"
    assert sentence == "This browser starts no workers, so nothing can be trained in this page."


def test_a_page_from_a_file_trains_in_a_worker(chromium, engine, digits, tmp_path):
    """The engine as an inline module, the only kind that a page from a file may have."""
    text = f"<!doctype html><title>.</title><script type=module>{engine}\nwindow.train = trainInWorker;</script>"
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    page = chromium.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    call = """(text) => new Promise((ended) => {
        const losses = [], [images, settings] = JSON.parse(text);
        train(Uint8Array.from(images), settings, ({ loss, done, error }) => {
            losses.push(error ?? loss);
            if (done) ended(losses);
        });
    })"""
    losses = page.evaluate(call, json.dumps([digits[:300].ravel().tolist(), SETTINGS]))
    page.close()
    assert len(losses) == 4 and losses[-1] < 0.6 * losses[1]
