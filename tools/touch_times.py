"""How quick the explorer is: its redraws beside a frame, its training beside Keras and TensorFlow.js, as ratios.

`make bench PAGES=1` prints it. TensorFlow.js is no part of the project: npm brings it, where there is one.
"""

import base64
import shutil
import subprocess
import time
from pathlib import Path
from statistics import median

import keras
import numpy as np
from playwright.sync_api import Browser, Page

from aebook import data, models
from aebook.explorer import bundle
from book.explorer import PACKS
from tools.built import ROOT, served, small_book
from tools.explorer import TRAINING

FRAME = 1000 / 60
SLOW_PROCESSOR = {"rate": 4}
MODELS = {"dense": "6_2_dense", "convolutional": "6_3_convolutional"}
EPOCHS, BATCH = 3, 256
TFJS = "@tensorflow/tfjs@4.22.0"

# What is done in each frame, summed by the time that the browser gives the frame.
WATCH = """
  globalThis.frames_ = new Map();
  const ask = requestAnimationFrame;
  globalThis.requestAnimationFrame = work => ask(frame => {
    const begin = performance.now();
    work(frame);
    frames_.set(frame, (frames_.get(frame) ?? 0) + performance.now() - begin);
  });
"""
OURS = """async ([engine, settings]) => {
  const address = URL.createObjectURL(new Blob([engine], {type: "text/javascript"}));
  const {images, trainInWorker} = await import(address);
  const {pixels} = images(aebookExplorer.packed.training);
  return await new Promise(done => {
    let begin;
    trainInWorker(pixels, settings, progress => {
      begin ??= performance.now();
      if (progress.done) done((performance.now() - begin) / 1000 / settings.epochs);
    });
  });
}"""
TENSORFLOW = """async ([text, n, batchSize, epochs]) => {
  await tf.setBackend("cpu");
  const x = tf.tensor(Float32Array.from(atob(text), letter => letter.charCodeAt(0) / 255), [n, 784]);
  const model = tf.sequential({layers: [
    tf.layers.dense({inputShape: [784], units: 36, activation: "relu"}),
    tf.layers.dense({units: 784, activation: "sigmoid"})]});
  model.compile({optimizer: tf.train.adam(0.01), loss: "binaryCrossentropy"});
  const begin = performance.now();
  await model.fit(x, x, {batchSize, epochs});
  return (performance.now() - begin) / 1000 / epochs;
}"""


def print_redraws(browser: Browser, folder: Path) -> None:
    """Draw in the page of each model, and print the longest and the median redraw beside a frame."""
    print("\nFrom a pointer to the redraw, the processor four times as slow; the ratio is to a frame of 16.7 ms.")
    pages = {f"{name}.md": f"# Draw\n\n```{{explorer}} draw\n:models: {file}\n```\n" for name, file in MODELS.items()}
    shutil.copytree(ROOT / "static", folder / "static")
    with served(small_book(folder, pages)) as address:
        for name in MODELS:
            page = browser.new_page()
            page.add_init_script(WATCH)
            page.goto(f"{address}/{name}.html")
            pad = page.locator(".explorer-pad")
            pad.scroll_into_view_if_needed()
            page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", SLOW_PROCESSOR)
            times = sorted(_draw(page, pad.bounding_box()))
            page.close()
            print(f"{median(times) / FRAME:5.2f}  {name}, half of them ({median(times):.1f} ms)")
            print(f"{times[-1] / FRAME:5.2f}  {name}, the longest of {len(times)} ({times[-1]:.1f} ms)", flush=True)


def _draw(page: Page, box: dict) -> list[float]:
    """Milliseconds of work in each frame, while a bow is drawn."""
    turns = np.linspace(0, 2 * np.pi, 60)
    places = np.stack([0.5 + 0.3 * np.sin(turns), 0.5 + 0.35 * np.cos(turns)], axis=1) * box["width"]
    page.mouse.move(box["x"] + places[0, 0], box["y"] + places[0, 1])
    page.mouse.down()
    page.evaluate("frames_.clear()")
    for x, y in places[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.up()
    return page.evaluate("[...frames_.values()]")


def print_epochs(browser: Browser, book: str) -> None:
    """Train the dense model on the images of the pages: here, in Keras and in TensorFlow.js."""
    x = data.load("mnist").x_train[:TRAINING]
    page = browser.new_page()
    page.goto(f"{book}/index.html")
    page.add_script_tag(path=PACKS / "training.js")
    engine = "\n".join((bundle.HERE / name).read_text(encoding="utf-8") for name in ("engine.js", "training.js"))
    settings = {"optimizer": "nadam", "learningRate": 0.01, "codeSize": 36, "epochs": EPOCHS, "batchSize": BATCH}
    ours = page.evaluate(OURS, [engine, settings])
    print(f"\nAn epoch of {TRAINING:,} images in the page's worker takes {ours:.2f} s; the ratios are to that.")
    keras_s = _in_keras(data.to_vectors(x))
    print(f"{keras_s / ours:5.2f}  Keras ({keras_s:.2f} s)", flush=True)
    script, why = _tensorflow_js(ROOT / "_build" / "tfjs")
    if why:
        print(f"    –  TensorFlow.js, CPU backend: not measured, {why}")
        return
    page.add_script_tag(path=script)
    pixels = base64.b64encode(x.tobytes()).decode()
    tensorflow_s = page.evaluate(TENSORFLOW, [pixels, len(x), BATCH, EPOCHS])
    print(f"{tensorflow_s / ours:5.2f}  TensorFlow.js, CPU backend ({tensorflow_s:.2f} s)", flush=True)


def _in_keras(x: np.ndarray) -> float:
    """Seconds an epoch, without the first, in which Keras prepares."""
    model = models.DenseAutoencoder()
    model.compile(keras.optimizers.Nadam(0.01), "binary_crossentropy")
    model.fit(x, x, batch_size=BATCH, verbose=0)
    begin = time.perf_counter()
    model.fit(x, x, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return (time.perf_counter() - begin) / EPOCHS


def _tensorflow_js(folder: Path) -> tuple[Path, str]:
    """The script of TensorFlow.js in the folder, brought there once, and why there is none."""
    script = folder / "package" / "dist" / "tf.min.js"
    if script.exists():
        return script, ""
    if shutil.which("npm") is None:
        return script, "there is no npm"
    folder.mkdir(parents=True, exist_ok=True)
    packed = subprocess.run(["npm", "pack", "--silent", TFJS], cwd=folder, capture_output=True, encoding="utf-8")
    if packed.returncode:
        return script, f"npm has no {TFJS}: {packed.stderr.strip()}"
    shutil.unpack_archive(folder / packed.stdout.strip(), folder)
    return script, ""
