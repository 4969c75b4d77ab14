// The explorer in a page of the book. Models and images are packed as scripts that call aebookExplorer.add, one file
// each, in a folder beside this script: a page that is opened as a file may load nothing else.

import explorer from "./explorer.js";

const NEAR = "400px";

const folder = new URL("explorer/", document.currentScript.src);
const promises = new Map();
const { packed } = (globalThis.aebookExplorer ??= { packed: {}, add(one) { this.packed[one.name] = one; } });

function need(name) {
  if (!promises.has(name)) promises.set(name, new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(`${name}.js`, folder);
    const fail = words => reject(new Error(words.replace("{name}", name)));
    script.onload = () => packed[name] ? resolve(packed[name]) : fail(WORDS.damaged);
    script.onerror = () => fail(WORDS.notLoaded);
    document.head.append(script);
  }));
  return promises.get(name);
}

function start(host) {
  const { part, models, small } = host.dataset;
  const values = { part, models: models.split(" "), small: small !== undefined, words: WORDS, need };
  const nothing = () => {};
  const model = { get: name => values[name], set: (name, value) => (values[name] = value),
    on: nothing, off: nothing, save_changes: nothing };
  explorer.render({ model, el: host });
}

const hosts = new Set(document.querySelectorAll(".explorer[data-part]"));

function begin(host) {
  watcher.unobserve(host);
  if (hosts.delete(host)) start(host);
}

// A part comes when it is nearly in sight; with the Tab key, which finds only what is there, all of them come.
const watcher = new IntersectionObserver(seen => {
  for (const { target, isIntersecting } of seen) if (isIntersecting) begin(target);
}, { rootMargin: NEAR });
for (const host of hosts) {
  host.dataset.state = "known";
  watcher.observe(host);
}
addEventListener("keydown", ({ key }) => key === "Tab" && [...hosts].forEach(begin));
