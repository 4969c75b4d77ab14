// The explorer in a page of the book. Models and images are packed as scripts that call aebookExplorer.add, one file
// each, in a folder beside this script: a page that is opened as a file may load nothing else.

import explorer from "./explorer.js";

const page = globalThis.aebookExplorer; // the script that has brought this one has made it
const folder = new URL("explorer/", document.currentScript.src);
const promises = new Map();

function need(name) {
  if (!promises.has(name)) promises.set(name, new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(`${name}.js`, folder);
    const fail = words => reject(new Error(words.replace("{name}", name)));
    script.onload = () => page.packed[name] ? resolve(page.packed[name]) : fail(WORDS.damaged);
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
  host.dataset.state = "begun";
  explorer.render({ model, el: host });
}

page.wanted.forEach(start);
page.want = start;
