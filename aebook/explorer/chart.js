// A loss that falls: one line for each run, on a scale where each step up is twice as much.

import { svg } from "./dom.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [340, 210, 30, 34, 24, 8];
const [LOW, HIGH] = [0.08, 0.9];
const TICKS = [0.1, 0.2, 0.4, 0.8];
const GRAY = Math.log(2);

/** @param names: those of the chart, of its axes, and of the dashed line at the loss of an even gray. */
export function lossChart({ chart, epoch, loss, gray }) {
  const share = value => Math.log(Math.min(HIGH, Math.max(LOW, value)) / LOW) / Math.log(HIGH / LOW);
  const up = value => HEIGHT - BOTTOM - share(value) * (HEIGHT - BOTTOM - TOP);
  let epochs = 1;
  const across = value => LEFT + (value / epochs) * (WIDTH - LEFT - RIGHT);
  const text = (attributes, words) => svg("text", attributes, words);

  const numbers = svg("g", { "text-anchor": "middle" });
  const before = svg("polyline", { class: "explorer-run", "data-run": "before" });
  const now = svg("polyline", { class: "explorer-run", "data-run": "now" });
  const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": chart };
  const element = svg("svg", { class: "explorer-chart", ...box },
    ...TICKS.flatMap(tick => [
      svg("line", { class: "explorer-grid", x1: LEFT, x2: WIDTH - RIGHT, y1: up(tick), y2: up(tick) }),
      text({ x: LEFT - 5, y: up(tick) + 4, "text-anchor": "end" }, String(tick))]),
    svg("line", { class: "explorer-gray", x1: LEFT, x2: WIDTH - RIGHT, y1: up(GRAY), y2: up(GRAY) }),
    text({ x: WIDTH - RIGHT, y: up(GRAY) + 13, "text-anchor": "end" }, gray),
    text({ x: (LEFT + WIDTH) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, epoch),
    text({ x: 0, y: 12 }, loss),
    numbers, before, now);

  function scale(newEpochs) {
    epochs = newEpochs;
    const step = epochs > 10 ? 5 : epochs > 5 ? 2 : 1;
    numbers.replaceChildren(...[...Array(Math.floor(epochs / step) + 1).keys()].map(place =>
      text({ x: across(place * step), y: HEIGHT - BOTTOM + 14 }, String(place * step))));
  }
  function draw(line, run) {
    const points = (run?.losses ?? []).map(([x, y]) => `${across(x).toFixed(1)},${up(y).toFixed(1)}`);
    line.setAttribute("points", points.join(" "));
  }
  function show(run, old) {
    scale(Math.max(run?.epochs ?? 1, old?.epochs ?? 1));
    draw(now, run);
    draw(before, old);
  }
  show();
  return { element, show };
}
