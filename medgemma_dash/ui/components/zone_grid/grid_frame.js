// Tends the table's frame, whose own script takes no functions from Python: marks the row that
// the sentence names, and makes the table one stop of the Tab key.

const watchers = new WeakMap();

export default function (component) {
  const { parentElement, data } = component;
  let watcher = watchers.get(parentElement);
  if (!watcher) {
    const marker = document.createElement("div");
    marker.className = "grid-frame";
    parentElement.append(marker);
    watcher = { frames: new WeakSet(), heard: new WeakSet() };
    watcher.observer = new MutationObserver(() => tend(watcher));
    watcher.observer.observe(document.body, { childList: true, subtree: true });
    watchers.set(parentElement, watcher);
  }
  watcher.data = data;
  tend(watcher);
  return () => {
    watcher.observer.disconnect();
    watchers.delete(parentElement);
  };
}

function tend(watcher) {
  const { container, named } = watcher.data;
  for (const frame of document.querySelectorAll(`.st-key-${container} iframe`)) {
    if (!watcher.frames.has(frame)) {
      watcher.frames.add(frame);
      frame.addEventListener("load", () => tend(watcher));
    }
    const inside = frame.contentDocument;
    if (!inside?.body) continue;
    if (inside.body.dataset.named !== named) inside.body.dataset.named = named;
    if (watcher.heard.has(inside)) continue;
    watcher.heard.add(inside);
    inside.addEventListener("keydown", leave, true);
  }
}

// The grid would go through all of its cells, as it does with the arrow keys, and the browser
// through its rows: with nothing inside to go to, the browser leaves.
function leave(event) {
  if (event.key !== "Tab") return;
  event.stopPropagation();
  const stops = event.currentTarget.querySelectorAll('[tabindex="0"]');
  for (const stop of stops) stop.tabIndex = -1;
  setTimeout(() => {
    for (const stop of stops) stop.tabIndex = 0;
  });
}
