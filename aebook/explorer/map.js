// The map of a model with two numbers: every place of the plane decoded, and test images where their codes lie.

import { digitChoice } from "./digits.js";
import { area, eachFrame, h, inWords, label, slider } from "./dom.js";
import { images as unpack, lives, load } from "./engine.js";
import { picture } from "./pictures.js";
import { plane } from "./plane.js";

/** The middle of the points of each class, as a list for those who hear the map. */
function middles(points, word) {
  const middle = values => inWords(values.sort((a, b) => a - b)[values.length >> 1]);
  return h("ul", { class: "explorer-said" }, ...[...Array(10).keys()].flatMap(digit => {
    const codes = points.filter(point => point.label === digit).map(point => point.code);
    if (!codes.length) return [];
    const [first, second] = [0, 1].map(axis => middle(codes.map(code => code[axis])));
    return [h("li", {}, word("classAt", { digit, first, second }))];
  }));
}

export async function map({ model, word, need, say, put }) {
  const [name] = model.get("models");
  const [packed, pack] = await Promise.all([need(name), need("test")]);
  const { decode, encode, map: facts } = load(packed), images = unpack(pack);
  if (!facts) throw new Error(word("noMap", { name }));
  const { low, high, points } = facts;
  let code = low.map((least, axis) => (least + high[axis]) / 2);

  const drawn = picture(word("drawnHere"));
  const words = h("p", { class: "explorer-here" });
  function nearest() {
    const along = (point, axis) => (point.code[axis] - code[axis]) / (high[axis] - low[axis]);
    const away = point => Math.hypot(along(point, 0), along(point, 1));
    return points.reduce((near, point) => away(point) < away(near) ? point : near).label;
  }
  const update = eachFrame(() => {
    drawn.show(decode(code));
    sheet.mark(code);
    numbers.forEach((number, axis) => number.show(code[axis]));
    const said = lives(facts, code) ? word("nearestIs", { digit: nearest() }) : word("nobodyLives");
    words.textContent = said;
    say(said);
  });
  function go(place) {
    code = place.map((value, axis) => Math.min(high[axis], Math.max(low[axis], value)));
    update();
  }
  const move = place => {
    ten.mark(null);
    go(place);
  };
  const sheet = plane(facts, word("mapIs"), move);
  const numbers = [word("firstNumber"), word("secondNumber")].map((called, axis) => slider(called, {
    low: low[axis], high: high[axis], step: (high[axis] - low[axis]) / 100, value: code[axis],
    words: inWords, move: value => move(code.map((old, other) => other === axis ? value : old)) }));
  const ten = digitChoice(word("goTo"), { images, word, choose: ({ pixels }) => go([...encode(pixels)]) });
  put(h("div", { class: "explorer-map" },
    area("place", label(word("drawnHere")), drawn.element, words),
    area("plane", label(word("thePlane")), sheet.element, middles(points, word)),
    area("numbers", ...numbers.map(number => number.element)),
    area("goto", ten.element)));
  update();
}
