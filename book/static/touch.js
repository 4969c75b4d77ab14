// The explorer comes when a part of it is nearly in sight, or with the Tab key, which finds only what is there:
// its script, named by what it holds, and its styles. What a part needs is loaded by that script.
{
  const NEAR = "400px";
  const { src, dataset } = document.currentScript;
  const hosts = new Set(document.querySelectorAll(".explorer[data-part]"));
  const explorer = (globalThis.aebookExplorer ??= { packed: {}, add(one) { this.packed[one.name] = one; } });
  explorer.wanted = [];
  explorer.want = host => {
    if (explorer.wanted.push(host) > 1) return;
    const style = Object.assign(document.createElement("link"), { rel: "stylesheet" });
    const script = document.createElement("script");
    style.href = new URL(`explorer.css?v=${dataset.styles}`, src);
    script.src = new URL(`explorer.js?v=${dataset.script}`, src);
    style.onload = () => document.head.append(script);
    document.head.append(style);
  };

  const watcher = new IntersectionObserver(seen => {
    for (const { target, isIntersecting } of seen) if (isIntersecting) want(target);
  }, { rootMargin: NEAR });
  function want(host) {
    watcher.unobserve(host);
    if (!hosts.delete(host)) return;
    host.dataset.wanted = "";
    explorer.want(host);
  }
  for (const host of hosts) watcher.observe(host);
  addEventListener("keydown", ({ key }) => key === "Tab" && [...hosts].forEach(want));
}
