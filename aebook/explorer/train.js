// Train one: the dense model, in a worker, on images that are loaded when it starts. Two runs can be compared.

import { lossChart } from "./chart.js";
import { area, button, h, label, list } from "./dom.js";
import { images as unpack } from "./engine.js";
import { picture, tenOf } from "./pictures.js";
import { trainInWorker } from "./training.js";

const CHOICES = {
  optimizer: ["adadelta", "adam", "nadam"],
  learningRate: [1, 0.1, 0.01, 0.001],
  codeSize: [2, 4, 8, 16, 36, 64],
  codeBias: [0, 1],
  epochs: [5, 10, 20],
  seed: [0, 1, 2],
};
const USUAL = { optimizer: "nadam", learningRate: 0.01, codeSize: 36, codeBias: 0, epochs: 10, seed: 0 };
const NAMES = { adadelta: "Adadelta", adam: "Adam", nadam: "Nadam" };

/** Ten pictures in a row, with a name for all of them. */
function row(called) {
  const pictures = [...Array(10).keys()].map(() => picture());
  const element = h("div", { role: "img", "aria-label": called, class: "explorer-stops" },
    ...pictures.map(one => one.element));
  const show = pixels => pictures.forEach((one, place) =>
    one.show(pixels && pixels.subarray(784 * place, 784 * (place + 1))));
  return { element: h("div", {}, label(called), element), show };
}

/** What there is to choose; `values` gives it in the form that the engine takes. */
function settings(word) {
  const lists = Object.entries(CHOICES).map(([name, values]) => [name,
    list(word(name), values.map(value => [value, NAMES[value] ?? String(value)]), USUAL[name])]);
  const values = () => Object.fromEntries(lists.map(([name, { select }]) =>
    [name, name === "optimizer" ? select.value : +select.value]));
  return { elements: lists.map(([, { element }]) => element), values };
}

export async function train({ word, need, say, put, reason, atEnd }) {
  if (!globalThis.Worker) throw Object.assign(new Error("no workers"), { reason: "no workers" });
  const shown = Float32Array.from(tenOf(unpack(await need("test"))).flatMap(({ pixels }) => [...pixels]));
  let run = null, old = null, training = null;

  const chosen = settings(word);
  const chart = lossChart({ chart: word("lossChart"), epoch: word("epoch"), loss: word("loss"),
    gray: word("evenGray") });
  const rows = { images: row(word("testImages")), old: row(word("runBefore")), run: row(word("thisRun")) };
  const runs = h("ul", { class: "explorer-runs" });
  const state = h("p", { class: "explorer-state" }, word("notStarted"));

  const made = one => word("runWith", { ...one.settings, optimizer: NAMES[one.settings.optimizer] });
  const came = one => word("runGave", { loss: one.losses.at(-1)?.[1].toFixed(4) ?? "–", dead: one.dead });
  function show() {
    chart.show(run, old);
    rows.run.show(run?.shown);
    rows.old.show(old?.shown);
    rows.old.element.hidden = !old;
    runs.replaceChildren(...[["now", run], ["before", old]].filter(([, one]) => one).map(([name, one]) =>
      h("li", { "data-run": name }, h("strong", {}, word(name === "now" ? "thisRun" : "runBefore")),
        h("span", {}, made(one)), h("span", {}, came(one)))));
  }
  function tell(words) {
    state.textContent = words;
    say(words);
  }
  function end(words) {
    training = null;
    [start.disabled, stop.disabled] = [false, true];
    tell(words);
  }
  function progress({ epoch, loss, dead, shown, done, error }) {
    if (error) return end(word("trainingFailed", { reason: error }));
    Object.assign(run, { shown, dead: dead.filter(Boolean).length });
    if (loss !== null) run.losses.push([epoch, loss]);
    show();
    if (done) return end(word("ended", { epochs: +epoch.toFixed(1), result: came(run) }));
    state.textContent = word("stateIs", { epoch: Math.floor(epoch) + 1, epochs: run.epochs });
  }
  async function begin() {
    [start.disabled, stop.disabled] = [true, false];
    tell(word("loadingImages"));
    const wanted = chosen.values(), asked = (training = { stop: () => end(word("notStarted")) });
    try {
      const images = unpack(await need("training"));
      if (training !== asked) return; // stopped while the images were loaded
      if (run) old = run;
      run = { settings: wanted, epochs: wanted.epochs, losses: [], dead: 0, shown: null };
      tell(word("started", { count: images.count }));
      training = trainInWorker(images.pixels, { ...wanted, shown }, progress);
    } catch (error) {
      end(word("trainingFailed", { reason: reason(error) }));
    }
  }
  const start = button(word("start"), begin), stop = button(word("stop"), () => training?.stop());
  start.classList.add("explorer-main");
  stop.disabled = true;
  atEnd(() => training?.stop());
  put(h("div", { class: "explorer-train" },
    area("settings", ...chosen.elements),
    h("div", { class: "explorer-row" }, start, stop, state),
    area("curve", chart.element, runs),
    area("rows", rows.images.element, rows.old.element, rows.run.element)));
  rows.images.show(shown);
  show();
}
