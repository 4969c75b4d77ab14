// The explorer in a page of the book: the hosts that the page has, and the packs beside the script, one file each.
// A pack is a script that calls aebookExplorer.add: a page that is opened as a file may load nothing else.

import explorer from "./explorer.js";

const NEAR = "400px";

const folder = new URL("explorer/", document.currentScript.src);
const promises = new Map(), found = new Map();

globalThis.aebookExplorer = { add: pack => found.set(pack.name, pack) };

function need(name) {
  if (!promises.has(name)) promises.set(name, new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(`${name}.js`, folder);
    script.onload = () => found.has(name) ? resolve(found.get(name)) : reject(new Error(WORDS.damaged.replace("{name}", name)));
    script.onerror = () => reject(new Error(WORDS.notLoaded.replace("{name}", name)));
    document.head.append(script);
  }));
  return promises.get(name);
}

function start(host) {
  const { part, models = "", small } = host.dataset;
  const values = new Map(Object.entries({ part, models: models.split(" ").filter(Boolean), small: small !== undefined, words: WORDS, need }));
  const model = { get: name => values.get(name), set: (name, value) => values.set(name, value),
    on: () => {}, off: () => {}, save_changes: () => {} };
  explorer.render({ model, el: host });
}

const watcher = new IntersectionObserver(seen => {
  for (const { target, isIntersecting } of seen) {
    if (!isIntersecting) continue;
    watcher.unobserve(target);
    start(target);
  }
}, { rootMargin: NEAR });
for (const host of document.querySelectorAll(".explorer[data-part]")) {
  host.dataset.state = "known";
  watcher.observe(host);
}
