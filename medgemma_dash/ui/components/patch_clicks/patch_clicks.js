// Listens to the figure in a container, whichever element it is at the moment.

const watchers = new WeakMap();
const DOUBLE_MS = 300; // as long as Plotly waits for a second click, and a little
const NEAR_PX = 8;

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let watcher = watchers.get(parentElement);
  if (!watcher) {
    const marker = document.createElement("div");
    marker.className = "patch-clicks";
    parentElement.append(marker);
    watcher = { heard: new WeakSet(), timer: 0, last: null };
    watcher.observer = new MutationObserver(() => attach(watcher));
    watcher.observer.observe(document.body, { childList: true, subtree: true });
    watchers.set(parentElement, watcher);
  }
  watcher.container = data.container;
  watcher.send = (cell) => setTriggerValue("cell", cell);
  attach(watcher);
  return () => {
    watcher.observer.disconnect();
    clearTimeout(watcher.timer);
    watchers.delete(parentElement);
  };
}

function attach(watcher) {
  const figure = document.querySelector(`.st-key-${watcher.container} .js-plotly-plot`);
  // Plotly gives the element its `on` when it has drawn; a later mutation brings us back.
  if (!figure || watcher.heard.has(figure) || typeof figure.on !== "function") return;
  watcher.heard.add(figure);
  figure.on("plotly_click", ({ points, event }) => {
    const point = points.find((one) => Array.isArray(one.customdata));
    if (point) clicked(watcher, figure, point.customdata.slice(0, 2), event);
  });
}

// The second click of a double one chooses nothing, on whichever figure it falls. A double click
// means something in a zoomed figure only: there alone the first one waits for it.
function clicked(watcher, figure, cell, event) {
  const now = { at: performance.now(), x: event.clientX, y: event.clientY };
  const last = watcher.last;
  watcher.last = now;
  clearTimeout(watcher.timer);
  if (
    last && now.at - last.at < DOUBLE_MS &&
    Math.hypot(now.x - last.x, now.y - last.y) < NEAR_PX
  ) return;
  if (zoomed(figure)) watcher.timer = setTimeout(() => watcher.send(cell), DOUBLE_MS);
  else watcher.send(cell);
}

function zoomed(figure) {
  const { images, xaxis } = figure.layout;
  const [left, right] = xaxis.range;
  return right - left < 0.98 * images[0].sizex;
}
