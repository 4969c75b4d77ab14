// Pictures of 28×28 pixels, or of a code that is one: black is 0, white is 1.

import { h } from "./dom.js";

/**
 * A canvas; `show` draws an array of pixels in it, and without one leaves it empty.
 *
 * @param label: its name; a picture that is part of a thing with a name needs none.
 */
export function picture(label = null, side = 28) {
  const named = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  const canvas = h("canvas", { width: side, height: side, class: "explorer-picture", ...named });
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
  return { element: canvas, show };
}

/** Of a pack of test images ten, one of each class, in the order of the classes: the `turn`-th of each. */
export function tenOf({ labels, image }, turn = 0) {
  return [...Array(10).keys()].map(label => {
    const same = [...labels.keys()].filter(place => labels[place] === label);
    return { label, pixels: image(same[turn % same.length]) };
  });
}
