// A sheet over the picture of the figure in a container takes the dragging, and the radiograph
// below the map gets a filter that does to its greys what the window will do.

const watchers = new WeakMap();
const SVG = "http://www.w3.org/2000/svg";

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let watcher = watchers.get(parentElement);
  if (!watcher) {
    const marker = document.createElement("div");
    marker.className = "window-drag";
    parentElement.append(marker);
    const name = `window-drag-${Math.random().toString(36).slice(2)}`;
    watcher = { sheet: sheet(), ...filter(name), name };
    listen(watcher);
    watcher.observer = new MutationObserver(() => cover(watcher));
    watcher.observer.observe(document.body, { childList: true, subtree: true });
    watcher.sizes = new ResizeObserver(() => cover(watcher));
    watchers.set(parentElement, watcher);
  }
  Object.assign(watcher, data, { send: (window) => setTriggerValue("window", window) });
  say(watcher, data.centre, data.width);
  cover(watcher);
  return () => {
    watcher.observer.disconnect();
    watcher.sizes.disconnect();
    watcher.sheet.remove();
    watcher.svg.remove();
    watchers.delete(parentElement);
  };
}

function sheet() {
  const made = document.createElement("div");
  made.className = "window-drag-over";
  return made;
}

// The transfer function of every channel: a straight line, cut off at black and white.
// It stands outside of the marker, in which nothing is rendered.
function filter(name) {
  const svg = document.createElementNS(SVG, "svg");
  const made = document.createElementNS(SVG, "filter");
  made.id = name;
  made.setAttribute("color-interpolation-filters", "sRGB");
  const transfer = document.createElementNS(SVG, "feComponentTransfer");
  const lines = ["R", "G", "B"].map((channel) => {
    const line = document.createElementNS(SVG, `feFunc${channel}`);
    line.setAttribute("type", "linear");
    transfer.append(line);
    return line;
  });
  made.append(transfer);
  svg.append(made);
  svg.style.cssText = "position: absolute; width: 0; height: 0";
  document.body.append(svg);
  return { svg, lines };
}

// The sheet lies over the picture of whichever figure stands there at the moment.
function cover(watcher) {
  const figure = document.querySelector(`.st-key-${watcher.container} .js-plotly-plot`);
  const area = figure?.querySelector(".nsewdrag");
  if (!area) return;
  if (watcher.sheet.parentElement !== figure) {
    figure.style.position = "relative";
    figure.append(watcher.sheet);
    watcher.sizes.disconnect();
    watcher.sizes.observe(figure);
  }
  const [from, to] = [figure, area].map((one) => one.getBoundingClientRect());
  const style = {
    left: `${to.left - from.left}px`, top: `${to.top - from.top}px`,
    width: `${to.width}px`, height: `${to.height}px`,
  };
  for (const [side, value] of Object.entries(style)) {
    if (watcher.sheet.style[side] !== value) watcher.sheet.style[side] = value;
  }
}

function listen(watcher) {
  const { sheet } = watcher;
  let start = null;
  sheet.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    sheet.setPointerCapture(event.pointerId);
    start = { x: event.clientX, y: event.clientY, box: sheet.getBoundingClientRect(), moved: null };
  });
  sheet.addEventListener("pointermove", (event) => {
    if (!start) return;
    const { low, high, narrowest } = watcher;
    const across = (event.clientX - start.x) / start.box.width;
    const down = (event.clientY - start.y) / start.box.height;
    const span = high - low;
    const width = clamp(watcher.width + across * span, narrowest, 2 * span);
    const centre = clamp(watcher.centre + down * span, low, high);
    start.moved = [centre, width];
    show(watcher, centre, width);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    sheet.addEventListener(end, () => {
      const moved = start?.moved;
      start = null;
      if (moved) watcher.send(moved);
    });
  }
}

function show(watcher, centre, width) {
  const slope = watcher.width / width;
  const darkest = watcher.centre - watcher.width / 2;
  const intercept = (darkest - centre + width / 2) / width;
  for (const line of watcher.lines) {
    line.setAttribute("slope", String(slope));
    line.setAttribute("intercept", String(intercept));
  }
  const picture = watcher.sheet.parentElement?.querySelector(".imagelayer image");
  if (picture) picture.style.filter = `url(#${watcher.name})`;
  say(watcher, centre, width);
}

function say(watcher, centre, width) {
  watcher.sheet.dataset.window =
    `centre ${short(centre)} · width ${short(width)} · sideways width, up and down centre`;
}

const short = (value) => String(Number(value.toPrecision(4)));
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
