// The square to draw in, with a mouse, a finger, a pen, or the keys. Strokes are kept as points.

import { eachFrame, h } from "./dom.js";

const SIDE = 448;
const CELLS = 28;
const CELL = SIDE / CELLS;
const NEAR = 0.006;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const within = place => Math.min(1, Math.max(0, place));
const inside = cell => Math.min(CELLS - 1, Math.max(0, cell));

/**
 * @param word: gives the words of the square, of its cursor and of the pen, by their keys.
 * @param pen: how wide a stroke is; the square has a side of 1.
 * @param changed: called whenever there are other strokes.
 * @param say: reads a text out.
 */
export function drawingPad({ word, pen, changed, say }) {
  const canvas = h("canvas", { width: SIDE, height: SIDE, class: "explorer-pad", tabindex: 0, role: "application",
    "aria-label": word("pad"), "aria-roledescription": word("padRole") });
  const brush = canvas.getContext("2d");
  let strokes = [], image = null, past = [], cursor = { x: 13, y: 6 }, keys = false, down = false;

  function paint() {
    brush.fillStyle = "#000";
    brush.fillRect(0, 0, SIDE, SIDE);
    image?.forEach((value, place) => {
      brush.fillStyle = `rgb(100% 100% 100% / ${value})`;
      brush.fillRect((place % CELLS) * CELL, Math.floor(place / CELLS) * CELL, CELL, CELL);
    });
    Object.assign(brush, { strokeStyle: "#fff", lineWidth: pen * SIDE, lineCap: "round", lineJoin: "round" });
    for (const stroke of strokes) {
      brush.beginPath();
      brush.moveTo(stroke[0].x * SIDE + 0.01, stroke[0].y * SIDE); // a line without length would not be painted
      for (const { x, y } of stroke) brush.lineTo(x * SIDE, y * SIDE);
      brush.stroke();
    }
    if (keys) {
      Object.assign(brush, { strokeStyle: down ? "#ffb000" : "#8ab4ff", lineWidth: 4, lineJoin: "miter" });
      brush.strokeRect(cursor.x * CELL, cursor.y * CELL, CELL, CELL);
    }
  }

  const repaint = eachFrame(paint);
  function renew() {
    repaint();
    changed();
  }
  function replace(newStrokes, newImage = null) {
    past.push([strokes, image]);
    [strokes, image] = [newStrokes, newImage];
    renew();
  }
  const begin = point => replace([...strokes, [point]]);
  function goOn(point) {
    const stroke = strokes.at(-1), last = stroke?.at(-1);
    if (!last || Math.hypot(point.x - last.x, point.y - last.y) < NEAR) return;
    stroke.push(point);
    renew();
  }
  function undo() {
    down = false;
    [strokes, image] = past.pop() ?? [[], null];
    renew();
  }
  function clear() {
    down = false;
    if (strokes.length || image) replace([]);
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return { x: within((event.clientX - box.left) / box.width), y: within((event.clientY - box.top) / box.height) };
  }
  canvas.addEventListener("pointerdown", event => {
    if (!event.isPrimary || event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    keys = down = false;
    begin(place(event));
  });
  canvas.addEventListener("pointermove", event => {
    if (!event.isPrimary || !canvas.hasPointerCapture(event.pointerId)) return;
    for (const one of event.getCoalescedEvents?.() ?? []) goOn(place(one));
    goOn(place(event));
  });

  const underCursor = () => ({ x: (cursor.x + 0.5) / CELLS, y: (cursor.y + 0.5) / CELLS });
  function turnPen() {
    down = !down;
    if (down) begin(underCursor());
    say(word(down ? "penDown" : "penUp"));
  }
  function press(event) {
    const step = ARROWS[event.key];
    if (step) {
      cursor = { x: inside(cursor.x + step[0]), y: inside(cursor.y + step[1]) };
      if (down) goOn(underCursor());
      say(word(down ? "cursorDrawing" : "cursorAt", { column: cursor.x + 1, row: cursor.y + 1 }));
    } else if (event.key === " ") {
      if (!event.repeat) turnPen();
    } else if (event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey))) undo();
    else if (event.key === "Delete") clear();
    else return;
    event.preventDefault();
    keys = true;
    repaint();
  }
  canvas.addEventListener("keydown", press);
  canvas.addEventListener("focus", () => {
    keys = canvas.matches(":focus-visible");
    repaint();
  });
  canvas.addEventListener("blur", () => {
    keys = down = false;
    repaint();
  });
  paint();
  return { element: canvas, undo, clear, strokes: () => strokes, image: () => image,
    show: pixels => replace([], pixels) };
}
