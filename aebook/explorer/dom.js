// Elements and controls that the parts share. A control has a name, a value and a size that a thumb can hit.

const SVG = "http://www.w3.org/2000/svg";
let groups = 0;

function fillIn(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter(child => child !== null));
  return element;
}

/** An element of the page: its attributes, functions under names that begin with "on", and what is inside. */
export const h = (tag, attributes = {}, ...children) => fillIn(document.createElement(tag), attributes, children);

/** The same for what is drawn in lines. */
export const svg = (tag, attributes = {}, ...children) =>
  fillIn(document.createElementNS(SVG, tag), attributes, children);

/** A button with words on it. */
export const button = (words, press) =>
  h("button", { type: "button", class: "explorer-button", onclick: press }, words);

/** A short text over a thing. */
export const label = words => h("p", { class: "explorer-label" }, words);

/** A place of a part, by its kind, and what stands in it. */
export const area = (kind, ...things) => h("div", { class: `explorer-panel explorer-${kind}` }, ...things);

/** One of several things, chosen by a click or with the arrow keys; `show` marks another one without choosing it. */
export function choice(legend, options, chosen, choose) {
  const name = `explorer-choice-${++groups}`;
  const inputs = options.map(({ label }, place) =>
    h("input", { type: "radio", name, "aria-label": label, onchange: () => choose(place) }));
  const show = place => inputs.forEach((input, other) => (input.checked = other === place));
  const element = h("fieldset", { class: "explorer-choice" }, h("legend", {}, legend),
    h("div", { class: "explorer-options" }, h("div", { class: "explorer-ten" },
      ...options.map(({ face }, place) => h("label", { class: "explorer-option" }, inputs[place], face)))));
  show(chosen);
  return { element, show, inputs };
}

/** A native range, its name and its value in words. */
export function slider(called, { low, high, step, value, words = String, move }) {
  const input = h("input", { type: "range", min: low, max: high, step, "aria-label": called });
  const output = h("span", { class: "explorer-value" }); // an output would be read out each time
  const show = now => {
    input.value = now;
    output.textContent = words(+input.value);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => {
    show(input.value);
    move(+input.value);
  });
  show(value);
  const name = h("span", {}, called);
  const element = h("div", { class: "explorer-slider" }, h("span", { class: "explorer-name" }, name, output), input);
  return { element, show, input, name, output };
}

/** A number of a code in words. */
export const inWords = value => (Math.round(10 * value) / 10 || 0).toFixed(1).replace("-", "−");

/** A list to choose from, with its name. */
export function list(called, options, value) {
  const select = h("select", {}, ...options.map(([key, words]) =>
    h("option", { value: key, selected: key === value }, words)));
  return { element: h("label", { class: "explorer-list" }, h("span", {}, called), select), select };
}

/** A switch: on or off. */
export function toggle(called, on, turn) {
  const input = h("input", { type: "checkbox", role: "switch", onchange: () => turn(input.checked) });
  input.checked = on;
  return h("label", { class: "explorer-switch" }, input, h("span", {}, called));
}

/** Calls `work` with the last of several values, once no other has come for a moment. */
export function settled(work) {
  let waiting;
  return value => {
    clearTimeout(waiting);
    waiting = setTimeout(work, 500, value);
  };
}

/** The one place that is read out, once nothing moves. */
export function voice() {
  const element = h("p", { class: "explorer-said", role: "status" });
  return { element, say: settled(text => (element.textContent = text)) };
}

/** Calls `work` with the next frame, once, however often it was asked for. */
export function eachFrame(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}
