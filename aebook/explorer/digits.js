// Ten real test images to choose from, one of each class; a button brings ten others.

import { button, choice, h } from "./dom.js";
import { picture, tenOf } from "./pictures.js";

/**
 * @param images: many test images with their classes.
 * @param chosen: the class that is chosen first; -1 for none.
 * @param choose: called with the image that is chosen.
 */
export function digitChoice(legend, { images, word, chosen = -1, choose }) {
  let turn = 0, ten = tenOf(images);
  const faces = ten.map(() => picture());
  const show = () => faces.forEach((face, place) => face.show(ten[place].pixels));
  show();
  const options = ten.map(({ label }, place) =>
    ({ label: word("aDigit", { digit: label }), face: faces[place].element }));
  const group = choice(legend, options, chosen, place => {
    chosen = place;
    choose(ten[place]);
  });
  function others() {
    ten = tenOf(images, ++turn);
    show();
    if (chosen >= 0) choose(ten[chosen]);
  }
  const more = button(word("otherImages"), others);
  more.setAttribute("aria-label", word("otherImagesOf", { legend }));
  group.element.lastChild.append(more);
  return {
    element: group.element,
    image: () => ten[chosen],
    mark: pixels => {
      chosen = ten.findIndex(one => one.pixels === pixels);
      group.show(chosen);
    },
  };
}
