// Pictures of 28×28 pixels, or of a code that is one: black is 0, white is 1.

import { h } from "./dom.js";

/** A canvas with a name; `show` draws an array of pixels in it, and without one leaves it empty. */
export function picture(label, side = 28) {
  const canvas = h("canvas", { width: side, height: side, class: "explorer-picture", role: "img", "aria-label": label });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(side, side);
  const show = (pixels, white = 1) => {
    canvas.classList.toggle("explorer-empty", !pixels);
    if (!pixels) return pen.clearRect(0, 0, side, side);
    for (let place = 0; place < side * side; place++) {
      image.data.fill(255 * (pixels[place] / white), 4 * place, 4 * place + 3);
      image.data[4 * place + 3] = 255;
    }
    pen.putImageData(image, 0, 0);
  };
  show(null);
  return { element: canvas, show, name: words => canvas.setAttribute("aria-label", words) };
}

/** A picture that stands on something with a name of its own. */
export function thumbnail(pixels) {
  const { element, show } = picture("");
  element.removeAttribute("role");
  element.removeAttribute("aria-label");
  element.setAttribute("aria-hidden", "true");
  show(pixels);
  return { element, show };
}

/** Of a pack of test images ten, one of each class, in the order of the classes: the `turn`-th of each. */
export function tenOf({ labels, image }, turn = 0) {
  return [...Array(10).keys()].map(label => {
    const same = [...labels.keys()].filter(place => labels[place] === label);
    return { label, pixels: image(same[turn % same.length]) };
  });
}
