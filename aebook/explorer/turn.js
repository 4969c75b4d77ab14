// Turn the numbers: the code of a digit, each number of it to be pulled, and what the decoder draws then.

import { digitChoice } from "./digits.js";
import { area, button, eachFrame, h, inWords, label, settled, slider } from "./dom.js";
import { images as unpack, load } from "./engine.js";
import { levels } from "./levels.js";
import { picture } from "./pictures.js";

const STEPS = 100;

export async function turn({ model, word, need, say, put }) {
  const [name] = model.get("models");
  const [packed, pack] = await Promise.all([need(name), need("test")]);
  const { codeShape, codeSize, decode, dead, encode, ranges } = load(packed), images = unpack(pack);
  let first, code, other, chosen = 0, past = [], last = -1;

  const keep = settled(numbers => {
    model.set("code", Array.from(numbers));
    model.save_changes();
  });
  const digit = picture(word("digit")), plain = picture(word("fromItsCode")), turned = picture(word("fromYours"));
  const update = eachFrame(() => {
    numbers.show(code, first);
    turned.show(decode(code));
    one.show(code[chosen]);
    back.disabled = !past.length;
    keep(code);
  });
  function change(newCode, { keep = true, place = -1 } = {}) {
    if (keep) past.push(code);
    [code, last] = [newCode, place];
    update();
  }
  function set(place, value, begins = place !== last) { // one pull is undone at once
    const next = code.slice();
    next[place] = value;
    change(next, { keep: begins, place });
    say(word("numberIs", { number: place + 1, value: inWords(value) }));
  }
  function choose(place) {
    chosen = place;
    const { low, high } = ranges[place];
    Object.assign(one.input, { min: low, max: high, step: (high - low) / STEPS || 1, disabled: dead[place] });
    one.name.textContent = word("number", { number: place + 1 });
    one.input.setAttribute("aria-label", one.name.textContent);
    range.textContent = word(dead[place] ? "isDead" : "isIn", { low: inWords(low), high: inWords(high) });
    one.show(code[place]);
  }
  function begin({ pixels }) {
    first = encode(pixels);
    [code, past, last] = [first, [], -1];
    digit.show(pixels);
    plain.show(decode(first));
    update();
  }

  const numbers = levels({ legend: word("pull", { size: codeSize }), ranges, dead, word, choose, pull: set,
    columns: codeShape.length > 1 ? codeShape[1] : 12 });
  const one = slider("", { low: 0, high: 1, step: 0.01, value: 0, words: inWords,
    move: value => set(chosen, value) });
  const range = h("p", { class: "explorer-note" });
  const back = button(word("undo"), () => change(past.pop(), { keep: false }));
  const from = digitChoice(word("aDigitFirst"), { images, word, chosen: 0, choose: begin });
  const to = digitChoice(word("anotherDigit"), { images, word, chosen: 1,
    choose: ({ pixels }) => (other = encode(pixels)) });
  const row = (called, ...buttons) => h("div", { class: "explorer-row", role: "group", "aria-label": called },
    label(called), ...buttons);
  const alive = work => () => dead[chosen] || work();
  put(h("div", { class: "explorer-turn" },
    area("first", from.element),
    area("pictures", h("div", {}, label(word("digit")), digit.element),
      h("div", {}, label(word("fromItsCode")), plain.element), h("div", {}, label(word("fromYours")), turned.element)),
    area("pull", numbers.element),
    area("actions", one.element, range,
      row(word("thisNumber"), button(word("toZero"), alive(() => set(chosen, 0))),
        button(word("toOther"), alive(() => set(chosen, other[chosen])))),
      row(word("allNumbers"), button(word("toZero"), () => change(new Float32Array(codeSize))),
        button(word("halfToOther"), () => change(code.map((value, place) => place % 2 ? other[place] : value)))),
      h("div", { class: "explorer-row" }, back, button(word("reset"), () => change(first)))),
    area("second", to.element)));
  other = encode(to.image().pixels);
  begin(from.image());
  numbers.mark(0);
  choose(0);
}
