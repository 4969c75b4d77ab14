// The numbers of a code as columns that can be pulled: with a pointer directly, by keys as one of a group of radios.

import { h } from "./dom.js";

const within = (value, { low, high }) => Math.min(high, Math.max(low, value));

/**
 * @param ranges: for each number the lowest and the highest value that it may have.
 * @param dead: for each number whether it is 0 for every image; such a one cannot be pulled.
 * @param columns: how many stand side by side.
 * @param choose: called with the place of the number that is chosen.
 * @param pull: called with its place and its new value, and whether this begins a new pull.
 */
export function levels({ legend, ranges, dead, columns, word, choose, pull }) {
  const name = `explorer-levels-${Math.random().toString(36).slice(2)}`;
  const inputs = ranges.map((_, place) => h("input", { type: "radio", name, "aria-label":
    word(dead[place] ? "deadNumber" : "number", { number: place + 1 }), onchange: () => choose(place) }));
  const bars = ranges.map(() => h("span", { class: "explorer-level-bar" }));
  const before = ranges.map(() => h("span", { class: "explorer-level-before" }));
  const cells = ranges.map((_, place) => h("label", { class: "explorer-level", "data-dead": dead[place] },
    inputs[place], bars[place], before[place]));
  const grid = h("div", { class: "explorer-levels", "data-columns": columns }, ...cells);
  const element = h("fieldset", { class: "explorer-choice" }, h("legend", {}, legend), grid);
  const share = (value, { low, high }) => 100 * (high > low ? (within(value, { low, high }) - low) / (high - low) : 0);

  let pulled = -1;
  function follow(event, begins) {
    const box = cells[pulled].getBoundingClientRect(), { low, high } = ranges[pulled];
    const up = (box.bottom - event.clientY) / box.height;
    pull(pulled, within(low + up * (high - low), ranges[pulled]), begins);
  }
  grid.addEventListener("pointerdown", event => {
    const place = cells.indexOf(event.target.closest(".explorer-level"));
    if (place < 0 || !event.isPrimary || event.button !== 0) return;
    inputs[place].checked = true;
    inputs[place].focus({ preventScroll: true });
    choose(place);
    event.preventDefault();
    if (dead[place]) return;
    pulled = place;
    grid.setPointerCapture(event.pointerId);
    follow(event, true);
  });
  grid.addEventListener("pointermove", event => {
    if (pulled >= 0 && grid.hasPointerCapture(event.pointerId)) follow(event, false);
  });
  grid.addEventListener("lostpointercapture", () => (pulled = -1));

  function show(code, first) {
    ranges.forEach((range, place) => {
      const zero = share(0, range), now = share(code[place], range);
      bars[place].style.bottom = `${Math.min(zero, now)}%`;
      bars[place].style.height = `${Math.abs(now - zero)}%`;
      before[place].style.bottom = `${share(first[place], range)}%`;
      before[place].hidden = code[place] === first[place];
    });
  }
  return { element, show, mark: place => (inputs[place].checked = true) };
}
