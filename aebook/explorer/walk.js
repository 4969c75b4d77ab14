// A walk between two digits, in two rows: through the pixels, where one fades into the other, and through the codes.

import { digitChoice } from "./digits.js";
import { eachFrame, h, label, slider } from "./dom.js";
import { images as unpack, load } from "./engine.js";
import { picture } from "./pictures.js";

const STOPS = 9;

const between = (a, b, share) => a.map((value, place) => (1 - share) * value + share * b[place]);

/** One way between two digits: all its stops, and the picture where the reader is. */
function way(called, word) {
  const stops = [...Array(STOPS).keys()].map(() => picture());
  const here = picture(word("whereYouAre", { way: called }));
  const element = h("div", { class: "explorer-way", role: "group", "aria-label": called }, label(called),
    h("div", { class: "explorer-stops" }, ...stops.map(stop => stop.element)), here.element);
  function show(at, share) {
    here.show(at(share));
    stops.forEach((stop, place) => {
      stop.element.toggleAttribute("data-here", place === Math.round(share * (STOPS - 1)));
    });
  }
  const begin = at => stops.forEach((stop, place) => stop.show(at(place / (STOPS - 1))));
  return { element, show, begin };
}

export async function walk({ model, word, need, say, put }) {
  const [name] = model.get("models");
  const [packed, pack] = await Promise.all([need(name), need("test")]);
  const { decode, encode } = load(packed), images = unpack(pack);
  const fading = way(word("throughPixels"), word), walking = way(word("throughCodes"), word);
  let share = 0.5, ends, codes;

  const throughPixels = at => between(...ends, at), throughCodes = at => decode(between(...codes, at));
  const update = eachFrame(() => {
    fading.show(throughPixels, share);
    walking.show(throughCodes, share);
  });
  function begin() {
    ends = [from.image().pixels, to.image().pixels];
    codes = ends.map(encode);
    fading.begin(throughPixels);
    walking.begin(throughCodes);
    update();
  }
  const from = digitChoice(word("walkFrom"), { images, word, chosen: 3, choose: begin });
  const to = digitChoice(word("walkTo"), { images, word, chosen: 8, choose: begin });
  const percent = value => word("ofTheWay", { percent: Math.round(100 * value) });
  const move = value => {
    share = value;
    say(percent(value));
    update();
  };
  const at = slider(word("howFar"), { low: 0, high: 1, step: 0.01, value: share, words: percent, move });
  put(h("div", { class: "explorer-walk" }, fading.element, walking.element, at.element),
    h("div", { class: "explorer-ends" }, from.element, to.element));
  begin();
}
