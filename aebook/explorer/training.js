/* The dense autoencoder of section 6.2, trained in the page as Keras trains it. No page, no imports.

  new Trainer({codeSize, optimizer, learningRate, codeBias, seed, weights})
    optimizer "adadelta", "adam" or "nadam"; weights: four arrays in the order of Keras's get_weights, to start from
    step(batch, n) -> loss, encode(images, n), decode(codes, n), deadUnits(images, n) -> [bool], weights()
  shuffled(n, seed)            the whole numbers below n, in another order
  trainInWorker(images, settings, onProgress) -> {stop()}
    images    Uint8Array(n·784), grays from 0 to 255
    settings  those of Trainer, and {epochs: 10, batchSize: 256, every: 5, shown: Float32Array(k·784)}
    onProgress({epoch, step, steps, loss, dead: [bool], shown, done, weights})  before the first step and then after
      every `every` steps; loss is the mean since the last report (null in the first), shown the reconstructions.
      The last one has done: true and the weights, also after stop(). If the worker fails: {error, done: true}.
    Without workers it throws an Error with .reason "no workers".
  workerSource                 the worker's text; messages to it are {start: {images, settings}} and {stop: true} */

/* All that a training needs in one function, so that a worker can be started from its text. */
function training() {
  const PIXELS = 784;

  function randomFrom(seed) { // mulberry32
    return () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  function shuffled(n, seed) {
    const [order, random] = [Uint32Array.from({ length: n }, (_, i) => i), randomFrom(seed)];
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  /* out (rows × n) += x (rows × inner) times w (inner × n), four rows of w at a time. Zeros of x are left out: most
     pixels of a digit are 0, many numbers of a code too. Element (r, k) of x is x[r · across + k · down]. */
  function addProduct(x, across, down, rows, inner, w, n, out) {
    const found = new Int32Array(inner);
    for (let r = 0; r < rows; r++) {
      let [count, k] = [0, 0];
      for (let i = 0; i < inner; i++) if (x[r * across + i * down] !== 0) found[count++] = i;
      for (const o = r * n; k < count; k += 4) {
        const [i0, i1, i2, i3] = [found[k], found[k + 1], found[k + 2], found[k + 3]];
        const a = x[r * across + i0 * down];
        const b = k + 1 < count ? x[r * across + i1 * down] : 0;
        const c = k + 2 < count ? x[r * across + i2 * down] : 0;
        const d = k + 3 < count ? x[r * across + i3 * down] : 0;
        const [p, q, s, t] = [i0 * n, b ? i1 * n : 0, c ? i2 * n : 0, d ? i3 * n : 0];
        for (let j = 0; j < n; j++) out[o + j] += a * w[p + j] + b * w[q + j] + c * w[s + j] + d * w[t + j];
      }
    }
  }

  /* One update of the weights w by their gradient g, as Keras's optimizers do it; a and b are what it remembers. */
  const UPDATES = {
    adadelta(w, g, a, b, { rate }) {
      for (let i = 0; i < w.length; i++) {
        a[i] = 0.95 * a[i] + 0.05 * g[i] * g[i];
        const move = (-Math.sqrt(b[i] + 1e-7) * g[i]) / Math.sqrt(a[i] + 1e-7);
        b[i] = 0.95 * b[i] + 0.05 * move * move;
        w[i] += rate * move;
      }
    },
    adam(w, g, a, b, { rate, step }) {
      const alpha = (rate * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
      for (let i = 0; i < w.length; i++) {
        a[i] += (g[i] - a[i]) * 0.1;
        b[i] += (g[i] * g[i] - b[i]) * 0.001;
        w[i] -= (a[i] * alpha) / (Math.sqrt(b[i]) + 1e-7);
      }
    },
    nadam(w, g, a, b, { rate, step, momentum }) {
      const [now, next] = [step, step + 1].map((t) => 0.9 * (1 - 0.5 * 0.96 ** t));
      const [old, fresh, power] = [next / (1 - momentum * next), (1 - now) / (1 - momentum), 1 - 0.999 ** step];
      for (let i = 0; i < w.length; i++) {
        a[i] += (g[i] - a[i]) * 0.1;
        b[i] += (g[i] * g[i] - b[i]) * 0.001;
        w[i] -= ((old * a[i] + fresh * g[i]) * rate) / (Math.sqrt(b[i] / power) + 1e-7);
      }
    },
  };

  class Trainer {
    #weights; #state; #update; #rate; #steps = 0; #momentum = 1;

    constructor({ codeSize = 36, optimizer = "nadam", learningRate = 0.01, codeBias = 0, seed = 0, weights }) {
      if (!Object.hasOwn(UPDATES, optimizer)) throw new Error(`The optimizer ${optimizer} is not known here.`);
      const [random, limit, n] = [randomFrom(seed), Math.sqrt(6 / (PIXELS + codeSize)), PIXELS * codeSize];
      const glorot = () => Float32Array.from({ length: n }, () => (2 * random() - 1) * limit);
      weights ??= [glorot(), new Float32Array(codeSize).fill(codeBias), glorot(), new Float32Array(PIXELS)];
      const sizes = [n, codeSize, n, PIXELS];
      if (sizes.some((size, i) => weights[i]?.length !== size))
        throw new Error(`The weights do not fit a code of ${codeSize} numbers.`);
      this.codeSize = codeSize;
      this.#weights = weights.map((w) => Float32Array.from(w));
      this.#state = sizes.map((size) => [0, 0, 0].map(() => new Float32Array(size))); // gradient, and two to remember
      [this.#update, this.#rate] = [UPDATES[optimizer], learningRate];
    }

    encode(images, n = 1) {
      const [w, b] = this.#weights;
      const codes = repeated(b, n);
      addProduct(images, PIXELS, 1, n, PIXELS, w, this.codeSize, codes);
      return codes.map((v) => (v > 0 ? v : 0));
    }

    #logits(codes, n) {
      const [, , w, b] = this.#weights;
      const logits = repeated(b, n);
      addProduct(codes, this.codeSize, 1, n, this.codeSize, w, PIXELS, logits);
      return logits;
    }

    decode(codes, n = 1) {
      return this.#logits(codes, n).map((v) => 1 / (1 + Math.exp(-v)));
    }

    /* The loss is that before the update: the binary cross-entropy, from the sums before the sigmoid as Keras does. */
    step(batch, n) {
      const size = this.codeSize;
      const codes = this.encode(batch, n);
      const errors = this.#logits(codes, n); // these become the gradient
      let loss = 0;
      for (let i = 0; i < errors.length; i++) {
        const [v, x] = [errors[i], batch[i]];
        const e = Math.exp(-Math.abs(v));
        loss += Math.max(v, 0) - v * x + Math.log1p(e);
        errors[i] = ((v >= 0 ? 1 : e) / (1 + e) - x) / errors.length;
      }
      const [g1, g2, g3, g4] = this.#state.map(([gradient]) => gradient.fill(0));
      addProduct(codes, 1, size, size, n, errors, PIXELS, g3);
      for (let i = 0; i < errors.length; i++) g4[i % PIXELS] += errors[i];
      const turned = this.#weights[2].map((_, i, w) => w[(i % size) * PIXELS + Math.floor(i / size)]);
      const back = new Float32Array(n * size);
      addProduct(errors, PIXELS, 1, n, PIXELS, turned, size, back);
      for (let i = 0; i < back.length; i++) g2[i % size] += codes[i] > 0 ? back[i] : (back[i] = 0);
      addProduct(batch, 1, PIXELS, PIXELS, n, back, size, g1);
      const step = ++this.#steps;
      this.#momentum *= 0.9 * (1 - 0.5 * 0.96 ** step);
      const settings = { rate: this.#rate, step, momentum: this.#momentum };
      this.#state.forEach(([g, a, b], i) => this.#update(this.#weights[i], g, a, b, settings));
      return loss / errors.length;
    }

    /* For each number of the code whether it is 0 for all of the images; once none can be, the others are left out. */
    deadUnits(images, n) {
      const dead = Array(this.codeSize).fill(true);
      for (let from = 0; from < n && dead.includes(true); from += 256) {
        const part = images.subarray(from * PIXELS, Math.min(from + 256, n) * PIXELS);
        this.encode(part, part.length / PIXELS).forEach((v, i) => { if (v > 0) dead[i % this.codeSize] = false; });
      }
      return dead;
    }

    weights() {
      return this.#weights.map((w) => w.slice());
    }
  }

  function repeated(row, n) {
    const rows = new Float32Array(n * row.length);
    for (let i = 0; i < n; i++) rows.set(row, i * row.length);
    return rows;
  }

  return { Trainer, shuffled };
}

/* What runs in the worker. */
function serve(self, { Trainer, shuffled }) {
  let stopped = false;
  self.onmessage = async ({ data }) => {
    if (data.stop) stopped = true;
    if (!data.start) return;
    const { images, settings } = data.start;
    const { epochs = 10, batchSize = 256, every = 5, seed = 0, shown = new Float32Array(0) } = settings;
    const x = Float32Array.from(images, (gray) => gray / 255);
    const [n, trainer] = [x.length / 784, new Trainer(settings)];
    const perEpoch = Math.ceil(n / batchSize);
    const steps = epochs * perEpoch;
    const batch = new Float32Array(Math.min(batchSize, n) * 784);
    let [step, losses, order] = [0, [], null];
    const report = async (done) => {
      self.postMessage({
        epoch: step / perEpoch, step, steps, done,
        loss: losses.length ? losses.reduce((a, b) => a + b) / losses.length : null,
        dead: trainer.deadUnits(x, n),
        shown: trainer.decode(trainer.encode(shown, shown.length / 784), shown.length / 784),
        weights: done ? trainer.weights() : undefined,
      });
      losses = [];
      await new Promise((soon) => setTimeout(soon)); // a message that came meanwhile is read now
    };
    await report(steps === 0);
    while (step < steps && !stopped) {
      const place = (step % perEpoch) * batchSize;
      if (place === 0) order = shuffled(n, seed + step);
      const chosen = order.subarray(place, place + batchSize);
      chosen.forEach((from, to) => batch.set(x.subarray(from * 784, (from + 1) * 784), to * 784));
      losses.push(trainer.step(batch.subarray(0, chosen.length * 784), chosen.length));
      step++;
      if (step % every === 0 || step === steps) await report(step === steps);
    }
    if (step < steps) await report(true);
  };
}

export const { Trainer, shuffled } = training();
export const workerSource = `(${serve})(self, (${training})());`;

export function trainInWorker(images, settings, onProgress) {
  let worker;
  try {
    worker = new Worker(URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" })));
  } catch {
    const sentence = "This browser starts no workers, so nothing can be trained in this page.";
    throw Object.assign(new Error(sentence), { reason: "no workers" });
  }
  worker.onmessage = ({ data }) => {
    if (data.done) worker.terminate();
    onProgress(data);
  };
  worker.onerror = ({ message }) => onProgress({ error: message, done: true });
  worker.postMessage({ start: { images, settings } });
  return { stop: () => worker.postMessage({ stop: true }) };
}
