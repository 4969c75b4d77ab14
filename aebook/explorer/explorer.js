// Touch an autoencoder: draw, turn, walk, map, train. anywidget calls `render`, and a page calls it in the same way.

import { draw } from "./draw.js";
import { h, voice } from "./dom.js";
import { map } from "./map.js";
import { train } from "./train.js";
import { turn } from "./turn.js";
import { walk } from "./walk.js";

const PARTS = { draw, turn, walk, map, train };

/**
 * Show a part of the explorer.
 *
 * @param model: holds what is shown. "part" is its name, or a list of names; "words" has its words; "packs" the models
 *   and images by their names, or "need" a function that promises one; "models" the names of the models to show.
 *   The part puts what a reader does into it.
 * @param el: the element to fill.
 * @returns a function that ends what is still at work.
 */
function render({ model, el }) {
  const ends = [];
  const words = model.get("words");
  const word = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const reason = error => error.reason ? word(`reason_${error.reason}`, { layer: error.layer }) : error.message;
  const packs = model.get("packs") ?? {};
  const need = model.get("need") ??
    (async name => packs[name] ?? Promise.reject(new Error(word("notHere", { name }))));
  el.classList.add("explorer");
  el.addEventListener("keydown", event => { // in JupyterLab a letter or an arrow would change the notebook
    if (el.closest(".jp-Notebook") && !event.ctrlKey && !event.metaKey) event.stopPropagation();
  });
  showAll([model.get("part")].flat());

  async function showAll(parts) {
    for (const part of parts) await show(part); // one after the other, so that they keep their order
  }
  async function show(part) {
    const { element: said, say: sayNow } = voice();
    let touched = false; // nothing is read out before a reader has done something
    const say = text => touched && sayNow(text);
    const body = h("div", { class: "explorer-body" });
    const title = h("p", { class: "explorer-title", id: `explorer-${part}-${Math.random().toString(36).slice(2)}` },
      word(`${part}Title`));
    const touch = () => (touched = true);
    const group = h("div", { class: "explorer-part", role: "group", "aria-labelledby": title.id, "data-part": part,
      onpointerdown: touch, onkeydown: touch, onchange: touch },
      title, h("p", { class: "explorer-lead" }, word(`${part}Lead`)), body, said);
    try {
      if (!PARTS[part]) throw new Error(word("notHere", { name: part }));
      await PARTS[part]({ model, word, need, say, reason, atEnd: end => ends.push(end),
        put: (...things) => body.replaceChildren(...things) });
    } catch (error) {
      body.replaceChildren(h("p", { class: "explorer-fault" }, word("fault", { reason: reason(error) })));
    }
    el.append(group);
  }
  return () => ends.forEach(end => end());
}

export default { render };
