"""One training of the bench, in a process of its own.

This module imports neither Keras nor PyTorch: a process loads only the library of its training,
so that its memory is that training's. (Keras itself loads TensorFlow, whatever its backend.)
"""

import itertools
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil

from aebook import data, metrics

CONTENDERS = {
    "source": "the source's recipe",
    "book": "this book",
    "pytorch": "PyTorch loop",
    "pytorch_first": "PyTorch loop, channels first",
    "keras_jax": "this book, on JAX",
    "keras_torch": "this book, on PyTorch",
}
"""What the table calls each: the source's recipe and this book's in Keras on TensorFlow; this
book's model and recipe in a plain PyTorch loop, for images with the channel axis last (PyTorch's
"channels last" memory format) and first; and this book's on Keras's other backends."""

TRAIN_PER_TEST = 6
"""MNIST has 60,000 training images and 10,000 test images; a bench on fewer keeps the proportion."""

BACKENDS = {"keras_jax": "jax", "keras_torch": "torch"}


@dataclass(frozen=True)
class Run:
    """One training: which model by whom, and every setting of it.

    ``size`` is the z_dim of the dense model and the code_filters of the convolutional one. The
    last four are what aebook.models and aebook.training.train call them.
    """

    model: str
    contender: str
    seed: int
    optimizer: str
    learning_rate: float
    epochs: int
    batch_size: int
    size: int
    n_train: int
    cosine_decay: bool
    code_bias: float
    kernel_initializer: str
    xla: bool
    steps_per_call: int


class Stopwatch:
    """Seconds of training up to the end of each epoch, and the loss on the test images there.

    It runs from its making, and stands still while a loss is measured.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.ends: list[float] = []
        self.losses: list[float] = []
        self._since = time.perf_counter()

    def pause(self) -> None:
        """Stand still from now on."""
        self.seconds += time.perf_counter() - self._since

    def resume(self) -> None:
        """Run again from now on."""
        self._since = time.perf_counter()

    def end_epoch(self, measure_loss: Callable[[], float]) -> None:
        """Record the time, and the loss that ``measure_loss`` gives, which takes none of it."""
        self.pause()
        self.ends.append(self.seconds)
        self.losses.append(measure_loss())
        self.resume()


def train_in_new_process(run: Run, log: Path) -> dict[str, Any]:
    """What ``train`` gives for a Run, from a new process that has loaded nothing before.

    What that process says goes into the file ``log``, off the progress bar.
    """
    prepared = BACKENDS.get(run.contender, "tensorflow"), log
    with ProcessPoolExecutor(1, get_context("spawn"), _prepare, prepared, max_tasks_per_child=1) as process:
        return process.submit(train, run).result()


def _prepare(backend: str, log: Path) -> None:
    """Name Keras's backend before anything is imported, and send what the libraries say into the log."""
    os.environ["KERAS_BACKEND"] = backend
    os.dup2(os.open(log, os.O_WRONLY), sys.stderr.fileno())


def train(run: Run) -> dict[str, Any]:
    """Do one training in this process.

    Returns:
        ``epoch_s``: the seconds of each epoch, the first with all that comes before it;
        ``test_bce``: the loss on the test images after each; ``peak_mb``: the largest memory of
        the process, libraries and data included; ``verified``: whether the data is the real MNIST.
    """
    with redirect_stdout(sys.stderr):
        images = data.load("mnist", run.n_train)
        images = replace(images, x_test=images.x_test[: run.n_train // TRAIN_PER_TEST])
        watch = (_pytorch if run.contender.startswith("pytorch") else _keras)(run, images)
    return {
        "epoch_s": [round(end - start, 4) for start, end in itertools.pairwise([0.0, *watch.ends])],
        "test_bce": [round(loss, 5) for loss in watch.losses],
        "peak_mb": round(_peak_memory() / 1e6),
        "verified": images.verified,
    }


def _peak_memory() -> int:
    """The largest memory of this process so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says on Linux starts with the memory of the parent
        return 1024 * int(status.read_text(encoding="utf-8").partition("VmHWM:")[2].split()[0])
    if os.name == "nt":
        return psutil.Process().memory_info().peak_wset
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _keras(run: Run, images: data.Images) -> Stopwatch:
    import keras

    from aebook import training
    from aebook.models import ConvAutoencoder, DenseAutoencoder

    class Clock(keras.callbacks.Callback):
        """The Stopwatch as Keras calls it; validation is no training."""

        def on_test_begin(self, logs: Any = None) -> None:
            keras.ops.convert_to_numpy(model.trainable_variables[-1])  # JAX may still be computing them
            watch.pause()

        def on_test_end(self, logs: Any = None) -> None:
            watch.resume()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            watch.end_epoch(loss_on_test)

    def loss_on_test() -> float:
        codes = model.encoder.predict(x_test, batch_size=500, verbose=0)
        return metrics.bce(x_test, model.decoder.predict(codes, batch_size=500, verbose=0))

    keras.utils.set_random_seed(run.seed)
    watch = Stopwatch()
    if run.model == "dense":
        model = DenseAutoencoder(z_dim=run.size, code_bias=run.code_bias)
        x, x_test = data.to_vectors(images.x_train), data.to_vectors(images.x_test)
        validation: dict[str, Any] = {"validation_data": x_test}
    else:
        model = ConvAutoencoder(run.size, "channels_last", run.kernel_initializer, run.code_bias)
        x, x_test = (data.to_channels(part, "channels_last") for part in (images.x_train, images.x_test))
        validation = {"validation_split": 0.2}
    if run.contender == "source":  # its own lines, with the learning rate that they meant
        model.compile(
            optimizer=keras.optimizers.Adadelta(run.learning_rate), loss="binary_crossentropy", metrics=["accuracy"]
        )
        if run.model == "dense":
            validation = {"validation_data": (x_test, x_test)}
        model.fit(x, x, epochs=run.epochs, batch_size=run.batch_size, verbose=0, callbacks=[Clock()], **validation)
    else:
        recipe = training.Recipe(run.optimizer, run.learning_rate, run.epochs, run.batch_size, run.cosine_decay)
        training.train(
            model, recipe, x, xla=run.xla, steps_per_call=run.steps_per_call, callbacks=[Clock()], **validation
        )
    return watch


def _pytorch(run: Run, images: data.Images) -> Stopwatch:
    """This book's models and recipes in a plain loop, with Keras's constants in the optimizer."""
    import torch
    from torch import nn

    torch.manual_seed(run.seed)
    watch = Stopwatch()
    if run.model == "dense":
        model, order = _torch_dense(run.size, run.code_bias), torch.contiguous_format
        x, x_test = (torch.from_numpy(data.to_vectors(part)) for part in (images.x_train, images.x_test))
    else:
        model = _torch_conv(run.size, run.code_bias)
        order = torch.contiguous_format if run.contender == "pytorch_first" else torch.channels_last
        x, x_test = (
            torch.from_numpy(data.to_channels(part, "channels_first")).contiguous(memory_format=order)
            for part in (images.x_train, images.x_test)
        )
        x = x[: int(len(x) * 0.8)]  # the last fifth is for validation
    model = model.to(memory_format=order)
    steps = -(-len(x) // run.batch_size)
    optimizer = torch.optim.NAdam(model.parameters(), lr=run.learning_rate, eps=1e-7, momentum_decay=1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, run.epochs * steps)
    loss = nn.functional.binary_cross_entropy_with_logits

    @torch.no_grad()
    def loss_on_test() -> float:
        y = torch.cat([torch.sigmoid(model(batch)) for batch in x_test.split(500)])
        return metrics.bce(x_test.numpy(), y.numpy())

    for _ in range(run.epochs):
        for chosen in torch.randperm(len(x)).split(run.batch_size):
            batch = x[chosen].contiguous(memory_format=order)
            optimizer.zero_grad()
            loss(model(batch), batch).backward()
            optimizer.step()
            schedule.step()
        watch.end_epoch(loss_on_test)
    return watch


def _torch_dense(z_dim: int, code_bias: float) -> Any:
    from torch import nn

    model = nn.Sequential(nn.Linear(784, z_dim), nn.ReLU(), nn.Linear(z_dim, 784))
    for layer in (model[0], model[2]):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
    nn.init.constant_(model[0].bias, code_bias)
    return model


def _torch_conv(code_filters: int, code_bias: float) -> Any:
    from torch import nn

    filters = [1, 4, 8, code_filters, 16, 8, 4, 1]
    sizes = [3, 3, 7, 3, 3, 3, 3]
    convolutions = [
        nn.Conv2d(before, after, size, padding="same")
        for (before, after), size in zip(itertools.pairwise(filters), sizes, strict=True)
    ]
    for layer in convolutions:
        spread = (2 / layer.weight[0].numel()) ** 0.5 / 0.87962566  # he_normal, which Keras cuts off at two
        nn.init.trunc_normal_(layer.weight, std=spread, a=-2 * spread, b=2 * spread)
        nn.init.zeros_(layer.bias)
    nn.init.constant_(convolutions[2].bias, code_bias)
    after = {0: nn.MaxPool2d(2), 1: nn.MaxPool2d(2), 3: nn.Upsample(scale_factor=2), 4: nn.Upsample(scale_factor=2)}
    model = nn.Sequential()
    for number, layer in enumerate(convolutions):
        model.append(layer)
        if number < len(convolutions) - 1:  # the loss takes the sigmoid of the last
            model.append(nn.ReLU())
        if number in after:
            model.append(after[number])
    return model
