// A plane to drag over: test images stand as numerals where their codes lie; gray is where training images live.

import { h, svg } from "./dom.js";

const SIDE = 320;
const COLORS = ["#7eb0ff", "#ffa552", "#6fd67c", "#ff7b7b", "#c9a2ff",
  "#d0aa96", "#ff9fd8", "#c3c8cf", "#e3df62", "#5adcec"];

/**
 * @param facts: what the engine knows of the map: its edges, where training images live, and the test images.
 * @param name: that of the plane.
 * @param move: called with the place that a pointer is at.
 */
export function plane({ low, high, side, counts, points }, name, move) {
  const across = value => SIDE * (value - low[0]) / (high[0] - low[0]);
  const up = value => SIDE * (1 - (value - low[1]) / (high[1] - low[1]));
  const lived = h("canvas", { width: side, height: side, "aria-hidden": "true" });
  const pen = lived.getContext("2d");
  pen.fillStyle = "#2b3038";
  counts.forEach((count, place) => count && pen.fillRect(place % side, side - 1 - Math.floor(place / side), 1, 1));

  const lines = () => svg("path", { d: "M-16 0H-7M16 0H7M0-16V-7M0 16V7M9 0A9 9 0 1 1-9 0A9 9 0 1 1 9 0" });
  const cross = svg("g", { class: "explorer-cross" }, lines(), lines());
  const inside = points.filter(({ code }) => code.every((value, axis) => low[axis] < value && value < high[axis]));
  const numerals = inside.map(({ code, label }) =>
    svg("text", { x: across(code[0]), y: up(code[1]), fill: COLORS[label] }, label));
  const box = { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", "aria-label": name };
  const drawing = svg("svg", box, ...numerals, cross);
  const element = h("div", { class: "explorer-sheet" }, lived, drawing);

  function follow(event) {
    const box = element.getBoundingClientRect();
    const share = [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height];
    move(share.map((part, axis) => low[axis] + part * (high[axis] - low[axis])));
  }
  element.addEventListener("pointerdown", event => {
    if (!event.isPrimary || event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    follow(event);
    event.preventDefault();
  });
  element.addEventListener("pointermove", event => {
    if (element.hasPointerCapture(event.pointerId)) follow(event);
  });
  const mark = code => cross.setAttribute("transform", `translate(${across(code[0])} ${up(code[1])})`);
  return { element, mark };
}
