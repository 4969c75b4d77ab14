// A code, drawn as bars or, where it has rows and columns, as a small picture. And how large an error is.

import { h, svg } from "./dom.js";
import { picture } from "./pictures.js";

const HEIGHT = 40;

function bars(label, ranges) {
  const low = Math.min(0, ...ranges.map(range => range.low)), high = Math.max(...ranges.map(range => range.high), 1e-6);
  const zero = HEIGHT * high / (high - low);
  const parts = ranges.map((_, place) => svg("rect", { x: place + 0.15, width: 0.7, y: zero, height: 0 }));
  const element = svg("svg", { class: "explorer-bars", viewBox: `0 0 ${ranges.length} ${HEIGHT}`, role: "img",
    preserveAspectRatio: "none", "aria-label": label },
  ...parts, svg("line", { class: "explorer-axis", x1: 0, x2: ranges.length, y1: zero, y2: zero }));
  const show = code => parts.forEach((part, place) => {
    const height = code ? HEIGHT * Math.max(low, Math.min(high, code[place])) / (high - low) : 0;
    part.setAttribute("y", zero - Math.max(0, height));
    part.setAttribute("height", Math.abs(height));
  });
  return { element, show };
}

/** The code of a model: `show` draws one, or none. */
export function codeView(label, { codeShape, ranges }) {
  if (codeShape[2] !== 1) return bars(label, ranges);
  const small = picture(label, codeShape[1]);
  const white = Math.max(...ranges.map(range => range.high), 1e-6);
  return { element: small.element, show: code => small.show(code, white) };
}

/**
 * An error on a line. The gray part is where the errors of test images lie, all but one in a hundred, and their mean.
 *
 * @param end: the largest error that there is room for; a larger one stands at the end.
 */
export function errorLine(label, { mean, seen }, end) {
  const at = error => `${100 * Math.min(0.99, error / end)}%`;
  const own = svg("line", { class: "explorer-own", y1: 0, y2: 14 });
  const element = svg("svg", { class: "explorer-errors", role: "img", "aria-label": label, width: "100%", height: 14 },
    svg("rect", { class: "explorer-axis", x: 0, width: "100%", y: 8.5, height: 1 }),
    svg("rect", { class: "explorer-usual", x: 0, width: at(seen), y: 5, height: 8, rx: 2 }),
    svg("line", { class: "explorer-mean", x1: at(mean), x2: at(mean), y1: 5, y2: 13 }), own);
  const show = error => {
    own.style.display = error === null ? "none" : "";
    for (const side of ["x1", "x2"]) own.setAttribute(side, at(error ?? 0));
  };
  return { element, show };
}
