// Draw a digit: what you drew, what the model sees of it, its code, and what is drawn again from the code.

import { codeView, errorLine } from "./code.js";
import { digitChoice } from "./digits.js";
import { area, button, eachFrame, h, label, settled, toggle } from "./dom.js";
import { frame, images as unpack, ink, load, mse, naive } from "./engine.js";
import { drawingPad } from "./pad.js";
import { picture } from "./pictures.js";

const PEN = 0.08;
const SIDE = 112;
const ROOM = 2;
const NOTHING = { said: "", again: null };

/** What one model makes of an image; `end` is the largest error that its line has room for. */
function answer(model, end, word) {
  const called = word(`kind_${model.kind}`), name = called.replace("\u00ad", ""), { seen } = model.error;
  const size = word(model.codeShape.length > 1 ? "sizeInRows" : "size",
    { size: model.codeSize, shape: model.codeShape.filter(side => side > 1).join("×") });
  const code = codeView(word("codeOf", { name }), model);
  const drawn = picture(word("drawnBy", { name }));
  const line = errorLine(word("errorsOf", { name }), model.error, end);
  const words = h("p", { class: "explorer-verdict" });
  function show(pixels) {
    const numbers = pixels && model.encode(pixels);
    const again = pixels && model.decode(numbers);
    const error = pixels && mse(pixels, again);
    code.show(numbers);
    drawn.show(again);
    line.show(error);
    if (!pixels) {
      words.replaceChildren("\u00a0");
      return NOTHING;
    }
    const said = { name, error: error.toFixed(4), verdict: word(error <= seen ? "seenBefore" : "newToIt") };
    words.replaceChildren(word("error", said), h("strong", {}, said.verdict));
    return { said: word("modelSays", said), again };
  }
  const element = h("div", { class: "explorer-answer", role: "group", "aria-label": name },
    h("p", { class: "explorer-model" }, h("strong", {}, called), h("span", {}, size)),
    h("div", { class: "explorer-code" }, code.element), drawn.element, line.element, words);
  return { element, show };
}

/** The models that can be shown, and a sentence in the place of every other one. */
async function loadAll(names, need, word, reason) {
  const loaded = await Promise.all(names.map(async name => {
    try {
      return load(await need(name));
    } catch (error) {
      return h("p", { class: "explorer-fault explorer-answer" }, word("modelFault", { name, reason: reason(error) }));
    }
  }));
  const end = ROOM * Math.max(...loaded.map(model => model.error?.seen ?? 0));
  const answers = loaded.map(one => one.encode ? answer(one, end, word) : { element: one, show: () => NOTHING });
  return { answers, columns: answers.map(({ element }) => element) };
}

export async function draw({ model, word, need, say, put, reason }) {
  const small = model.get("small");
  const images = await need("test").then(unpack, () => null); // a drawing needs none
  const { answers, columns } = await loadAll(model.get("models"), need, word, reason);
  const seen = picture(word("seen"));
  const hint = h("p", { class: "explorer-hint", "aria-hidden": "true" }, word("drawHere"));
  let framed = true;

  function look() {
    if (pad.image()) return pad.image();
    if (!pad.strokes().length) return null;
    return framed ? frame(pad.strokes()) : naive(ink(pad.strokes(), PEN, SIDE), SIDE, SIDE);
  }
  const keep = settled(({ drawing, reconstruction }) => {
    model.set("drawing", drawing && Array.from(drawing));
    model.set("reconstruction", reconstruction && Array.from(reconstruction));
    model.save_changes();
  });
  const update = eachFrame(() => {
    const pixels = look();
    seen.show(pixels);
    const shown = answers.map(one => one.show(pixels));
    hint.hidden = Boolean(pixels);
    ten?.mark(pad.image());
    keep({ drawing: pixels, reconstruction: shown[0].again });
    say(pixels ? shown.map(({ said }) => said).join(" ") : word("nothingDrawn"));
  });
  const pad = drawingPad({ word, pen: PEN, changed: update, say });
  const ten = images && digitChoice(word("orTestImage"), { images, word, choose: ({ pixels }) => pad.show(pixels) });
  const turnFrame = on => {
    framed = on;
    update();
  };
  const things = [
    area("drawn", label(word("drawn")), h("div", { class: "explorer-square" }, pad.element, hint)),
    area("buttons", button(word("undo"), pad.undo), button(word("clear"), pad.clear)),
    area("seen", label(word("seen")), seen.element),
    area("results", h("div", { class: "explorer-answers", "data-count": columns.length }, ...columns),
      h("p", { class: "explorer-note" }, word("errorsAre"))),
    area("frame", toggle(word("frame"), true, turnFrame), h("p", { class: "explorer-note" }, word("frameIs"))),
    area("tests", ten?.element ?? "", h("p", { class: "explorer-note" }, word("padKeys")))];
  put(h("div", { class: "explorer-draw", "data-small": small }, ...things));
  update();
}
