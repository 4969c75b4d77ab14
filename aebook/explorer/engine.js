/* What an explorer computes without a training: models, images, MNIST's frame. No page, no imports; it runs in pages,
workers and node. training.js is the other half; the two texts may be joined to one module.

  load(packed)                 {name, title, kind, codeSize, codeShape, encode, decode, ranges, dead, error, map}
    encode(image: Float32Array(784)) -> Float32Array(codeSize), decode(code) -> Float32Array(784)
    ranges  [{low, high}] of each number over the training images; dead  [bool], whether it is 0 for all of them
    error   {measure: "mse", mean, seen}: of images it was not trained on; one in a hundred of them lies above `seen`
    map     for two numbers: {low: [a, b], high: [a, b], side, counts: Uint8Array(side²), limit, points: [{code, label,
            index}]}: points are test images; counts, of training images, begin at `low`, the first number across
  lives(map, code) -> bool     whether training images lie near this place of the map; one in 200 lies elsewhere
  images(packed)               {name, count, pixels: Uint8Array(count·784), labels, indices, image(i) -> 0 … 1}
  ink(strokes, pen, side)      strokes [[{x, y}, …], …] in a square of side 1, drawn: Float32Array(side²)
  penFor(strokes)              the pen that gives these strokes, once in the frame, the width of MNIST's lines
  frame(strokes, pen)          MNIST's frame: Float32Array(784), or null without ink; without a pen: penFor(strokes)
  frameOf(ink, width, height)  the same of any gray picture; naive(ink, width, height): shrunk to 28×28, no more
  mse(x, y)                    the mean over the pixels
An Error has .reason ("damaged", "shapes", "unknown layer", "unknown activation") and .layer, the name of the layer. */

const SIDE = 28;
const PIXELS = SIDE * SIDE;

function fault(reason, sentence, layer) {
  return Object.assign(new Error(sentence), { reason, layer });
}

const product = (shape) => shape.reduce((a, b) => a * b, 1);

// ---- Models

const ACTIVATIONS = {
  linear: (v) => v,
  relu: (v) => (v > 0 ? v : 0),
  leaky_relu: (v) => (v > 0 ? v : 0.2 * v),
  elu: (v) => (v > 0 ? v : Math.expm1(v)),
  sigmoid: (v) => 1 / (1 + Math.exp(-v)),
  tanh: Math.tanh,
  clip: (v) => Math.min(Math.max(v, 0), 1), // to the values that a pixel may have
};

/* For each kind of layer: (layer, shape in, weights) -> [shape out, (x, y) => y is filled, 0 before]. */
const LAYERS = {
  dense(layer, shape, [kernel, bias]) {
    const [inputs, units] = kernel.shape;
    fits(layer, shape.at(-1) === inputs && bias.shape[0] === units);
    return [[...shape.slice(0, -1), units], (x, y) => {
      for (let row = 0, out = 0; row < x.length; row += inputs, out += units) {
        y.set(bias.values, out);
        for (let i = 0; i < inputs; i++) {
          const v = x[row + i];
          if (v !== 0) for (let j = 0, k = i * units; j < units; j++, k++) y[out + j] += v * kernel.values[k];
        }
      }
    }];
  },
  conv2d(layer, [h, w, channels], [kernel, bias]) {
    const [kh, kw, inputs, filters] = kernel.shape;
    fits(layer, channels === inputs && bias.shape[0] === filters);
    const [rows, columns] = [stand(layer, h, kh, layer.strides[0]), stand(layer, w, kw, layer.strides[1])];
    const places = overlaps(rows, columns);
    return [[rows.size, columns.size, filters], (x, y) => {
      for (let out = 0; out < y.length; out += filters) y.set(bias.values, out);
      for (let n = 0; n < places.length; n += 3) {
        const [from, to] = [places[n] * inputs, places[n + 1] * filters];
        for (let c = 0, k = places[n + 2] * inputs * filters; c < inputs; c++, k += filters) {
          const v = x[from + c];
          if (v !== 0) for (let f = 0; f < filters; f++) y[to + f] += v * kernel.values[k + f];
        }
      }
    }];
  },
  conv2dtranspose(layer, [h, w, channels], [kernel, bias]) {
    const [kh, kw, filters, inputs] = kernel.shape;
    fits(layer, channels === inputs && bias.shape[0] === filters);
    const [rows, columns] = [h * layer.strides[0], w * layer.strides[1]];
    const [down, across] = [stand(layer, rows, kh, layer.strides[0]), stand(layer, columns, kw, layer.strides[1])];
    const places = overlaps(down, across);
    return [[rows, columns, filters], (x, y) => {
      for (let out = 0; out < y.length; out += filters) y.set(bias.values, out);
      for (let n = 0; n < places.length; n += 3) {
        const [to, from] = [places[n] * filters, places[n + 1] * inputs];
        for (let f = 0, k = places[n + 2] * filters * inputs; f < filters; f++, k += inputs)
          for (let c = 0; c < inputs; c++) y[to + f] += x[from + c] * kernel.values[k + c];
      }
    }];
  },
  maxpooling2d(layer, [h, w, channels]) {
    const [rows, columns] = [0, 1].map((axis) => stand(layer, [h, w][axis], layer.pool[axis], layer.strides[axis]));
    const places = overlaps(rows, columns);
    return [[rows.size, columns.size, channels], (x, y) => {
      y.fill(-Infinity);
      for (let n = 0; n < places.length; n += 3) {
        const [from, to] = [places[n] * channels, places[n + 1] * channels];
        for (let c = 0; c < channels; c++) y[to + c] = Math.max(y[to + c], x[from + c]);
      }
    }];
  },
  upsampling2d(layer, [h, w, channels]) {
    const [down, across] = layer.factors;
    return [[h * down, w * across, channels], (x, y) => {
      for (let i = 0, out = 0; i < h * down; i++)
        for (let j = 0; j < w * across; j++)
          for (let c = 0, at = (Math.floor(i / down) * w + Math.floor(j / across)) * channels; c < channels; c++)
            y[out++] = x[at++];
    }];
  },
  reshape(layer, shape) {
    fits(layer, product(shape) === product(layer.shape));
    return [layer.shape, (x, y) => y.set(x)];
  },
  activation: (layer, shape) => [shape, (x, y) => y.set(x)],
  scale(layer, shape, [factor, offset]) {
    const n = shape.at(-1);
    fits(layer, factor.shape[0] === n && offset.shape[0] === n);
    return [shape, (x, y) => x.forEach((v, i) => { y[i] = v * factor.values[i % n] + offset.values[i % n]; })];
  },
};

function fits(layer, right) {
  if (!right) throw fault("shapes", `The weights do not fit the layer ${layer.name}.`, layer.name);
}

/* Where a window of k pixels stands along an axis of n pixels: how often, how far apart, and its first place. */
function stand(layer, n, k, stride) {
  if (layer.padding === "valid") return { n, k, stride, size: Math.floor((n - k) / stride) + 1, start: 0 };
  const size = Math.ceil(n / stride);
  return { n, k, stride, size, start: -(Math.max((size - 1) * stride + k - n, 0) >> 1) };
}

/* Three numbers for each pixel that each window covers: the pixel, the window, the place in the window. */
function overlaps(rows, columns) {
  const places = [];
  for (let i = 0; i < rows.size; i++)
    for (let ki = 0; ki < rows.k; ki++) {
      const row = i * rows.stride + rows.start + ki;
      if (row < 0 || row >= rows.n) continue;
      for (let j = 0; j < columns.size; j++)
        for (let kj = 0; kj < columns.k; kj++) {
          const column = j * columns.stride + columns.start + kj;
          if (column >= 0 && column < columns.n)
            places.push(row * columns.n + column, i * columns.size + j, ki * columns.k + kj);
        }
    }
  return Int32Array.from(places);
}

/* The bytes that a packed file holds as text. */
function bytesOf(text, { name, adler32 }) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    throw fault("damaged", `The file of ${name} is damaged: its text cannot be read.`);
  }
  let [a, b] = [1, 0];
  for (const byte of bytes) b = (b + (a = (a + byte) % 65521)) % 65521;
  if (b * 65536 + a !== adler32) throw fault("damaged", `The file of ${name} is damaged: its sum is wrong.`);
  return bytes;
}

function half(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  return (bits >> 15 ? -1 : 1) * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

/* Takes one array after the other from the bytes. An int8 array has a scale for each place of its last axis. */
function reader(bytes) {
  let at = 0;
  const take = (Kind, n, layer) => {
    const end = at + n * Kind.BYTES_PER_ELEMENT;
    fits(layer, end <= bytes.length);
    const taken = new Kind(bytes.slice(at, end).buffer);
    at = end;
    return taken;
  };
  const next = ({ shape, type }, layer) => {
    const [n, last] = [product(shape), shape.at(-1)];
    if (type === "float32") return { shape, values: take(Float32Array, n, layer) };
    if (type === "float16") return { shape, values: Float32Array.from(take(Uint16Array, n, layer), half) };
    fits(layer, type === "int8");
    const scales = take(Float32Array, last, layer);
    return { shape, values: Float32Array.from(take(Int8Array, n, layer), (v, i) => v * scales[i % last]) };
  };
  return { next, left: () => bytes.length - at };
}

/* One half of a model, as a function from numbers to numbers. */
function chain(layers, shape, weights) {
  const size = product(shape);
  const steps = layers.map((layer) => {
    const { name, kind, activation = "linear", arrays = [] } = layer;
    const refuse = (what, has) => fault(`unknown ${what}`, `The layer ${name} ${has}, which cannot be shown.`, name);
    if (!Object.hasOwn(LAYERS, kind)) throw refuse("layer", `is of the kind ${kind}`);
    if (!Object.hasOwn(ACTIVATIONS, activation)) throw refuse("activation", `has the activation ${activation}`);
    fits(layer, arrays.length === (LAYERS[kind].length > 2 ? 2 : 0)); // those with weights take them third
    const [out, fill] = LAYERS[kind](layer, shape, arrays.map((array) => weights.next(array, layer)));
    shape = out;
    return (x) => {
      const y = new Float64Array(product(out));
      fill(x, y);
      return activation === "linear" ? y : y.map(ACTIVATIONS[activation]);
    };
  });
  const run = (numbers) => {
    if (numbers.length !== size) throw fault("shapes", `There must be ${size} numbers, there are ${numbers.length}.`);
    return Float32Array.from(steps.reduce((x, step) => step(x), Float64Array.from(numbers)));
  };
  return [shape, run];
}

export function load(packed) {
  const { name, title, kind, layers, dead, error } = packed;
  const weights = reader(bytesOf(packed.weights, packed));
  const [codeShape, encode] = chain(layers.encoder, packed.shape, weights);
  const [outShape, decode] = chain(layers.decoder, codeShape, weights);
  fits(layers.decoder.at(-1), product(outShape) === PIXELS && weights.left() === 0);
  const codeSize = product(codeShape);
  for (const list of [packed.ranges, dead]) fits(layers.encoder.at(-1), list.length === codeSize);
  const ranges = packed.ranges.map(([low, high]) => ({ low, high }));
  const map = packed.map && { ...packed.map, counts: bytesOf(packed.map.counts, { ...packed.map, name }) };
  return { name, title, kind, codeSize, codeShape, encode, decode, ranges, dead, error, map };
}

export function lives({ low, high, side, counts, limit }, code) {
  const [across, up] = [0, 1].map((i) => Math.floor(((code[i] - low[i]) / (high[i] - low[i])) * side));
  return across >= 0 && across < side && up >= 0 && up < side && counts[up * side + across] >= limit;
}

/* Pixels are kept as symbols of 8 or 4 bits: a gray that is not 0, or a 0 and then, in 8 bits, how many more follow. */
export function images(packed) {
  const { name, count, bits, labels, indices } = packed;
  const bytes = bytesOf(packed.pixels, packed);
  const pixels = new Uint8Array(count * PIXELS);
  let [place, at] = [0, 0];
  const symbol = () => (bits === 8 ? bytes[at++] : (bytes[at >> 1] >> (at++ & 1 ? 0 : 4)) & 15);
  while (place < pixels.length) {
    const gray = symbol();
    if (gray) pixels[place++] = bits === 8 ? gray : gray * 17;
    else place += 1 + (bits === 8 ? symbol() : symbol() * 16 + symbol());
  }
  const image = (i) => Float32Array.from(pixels.subarray(i * PIXELS, (i + 1) * PIXELS), (gray) => gray / 255);
  return { name, count, pixels, labels: Array.from(labels, Number), indices, image };
}

export function mse(x, y) {
  return x.reduce((sum, v, i) => sum + (v - y[i]) ** 2, 0) / x.length;
}

// ---- Drawing

const CANVAS = 168; // pixels that a drawing is drawn on before it is put into the frame
const BOX = 20; // the longest side of a digit in MNIST's frame
const LINE = 0.14; // how wide a line is, as a share of that: so drawn digits have as much ink as MNIST's

/* How much of each pixel the pen covers: from its distance to the middle of the line. */
export function ink(strokes, pen, side) {
  const picture = new Float32Array(side * side);
  const reach = (pen * side) / 2 + 0.5;
  for (const stroke of strokes)
    for (let n = 0; n < stroke.length; n++) {
      const [a, b] = [stroke[Math.max(n - 1, 0)], stroke[n]];
      if (n === 0 && stroke.length > 1) continue; // a point alone is a dot
      const [ax, ay, dx, dy] = [a.x * side, a.y * side, (b.x - a.x) * side, (b.y - a.y) * side];
      const length = dx * dx + dy * dy;
      const [left, right] = span(ax, dx, reach, side);
      const [top, bottom] = span(ay, dy, reach, side);
      for (let row = top; row < bottom; row++)
        for (let column = left; column < right; column++) {
          const [x, y] = [column + 0.5 - ax, row + 0.5 - ay];
          const t = length && Math.min(Math.max((x * dx + y * dy) / length, 0), 1);
          const covered = Math.min(reach - Math.hypot(x - t * dx, y - t * dy), 1);
          if (covered > picture[row * side + column]) picture[row * side + column] = covered;
        }
    }
  return picture;
}

function span(from, distance, reach, side) {
  const [low, high] = [Math.min(from, from + distance) - reach, Math.max(from, from + distance) + reach];
  return [Math.max(Math.floor(low), 0), Math.min(Math.ceil(high), side)];
}

export function penFor(strokes) {
  const points = strokes.flat();
  if (!points.length) return LINE;
  const [xs, ys] = [points.map((p) => p.x), points.map((p) => p.y)];
  const longest = Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys), 0.1);
  return (longest * LINE) / (1 - LINE); // the pen adds its width to the box
}

export function frame(strokes, pen = penFor(strokes)) {
  return frameOf(ink(strokes, pen, CANVAS), CANVAS, CANVAS);
}

/* The box of the ink with its longest side 20 pixels, the darkest 1, the ink's center in the middle of 28×28. */
export function frameOf(picture, width, height) {
  let [left, right, top, bottom] = [width, -1, height, -1];
  picture.forEach((v, i) => {
    if (v < 1 / 512) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  });
  if (right < 0) return null;
  const [w, h] = [right + 1 - left, bottom + 1 - top];
  const step = Math.max(w, h) / BOX;
  // The empty margins are whole pixels, so that the edges of the ink stay sharp.
  const [padX, padY] = [w, h].map((size) => Math.floor((BOX - size / step) / 2) * step);
  const small = shrink(picture, width, height, left - padX, top - padY, step, BOX);
  const darkest = Math.max(...small);
  let [sum, x, y] = [0, 0, 0];
  small.forEach((v, i) => {
    sum += v;
    x += v * ((i % BOX) + 0.5);
    y += v * (Math.floor(i / BOX) + 0.5);
  });
  const shift = [x, y].map((v) => Math.min(Math.max(Math.trunc(SIDE / 2 + 1 - v / sum), 0), SIDE - BOX));
  const image = new Float32Array(PIXELS);
  small.forEach((v, i) => { image[(Math.floor(i / BOX) + shift[1]) * SIDE + (i % BOX) + shift[0]] = v / darkest; });
  return image;
}

export function naive(picture, width, height) {
  const side = Math.max(width, height);
  return shrink(picture, width, height, (width - side) / 2, (height - side) / 2, side / SIDE, SIDE);
}

/* Each new pixel is the mean of a square of the picture: side `step`, the first one's corner at (left, top). */
function shrink(picture, width, height, left, top, step, side) {
  const small = new Float32Array(side * side);
  for (let i = 0; i < side * side; i++) {
    const [x, y] = [left + (i % side) * step, top + Math.floor(i / side) * step];
    let sum = 0;
    for (let row = Math.max(Math.floor(y), 0); row < Math.min(y + step, height); row++) {
      const share = Math.min(row + 1, y + step) - Math.max(row, y);
      for (let column = Math.max(Math.floor(x), 0); column < Math.min(x + step, width); column++)
        sum += picture[row * width + column] * share * (Math.min(column + 1, x + step) - Math.max(column, x));
    }
    small[i] = sum / (step * step);
  }
  return small;
}
