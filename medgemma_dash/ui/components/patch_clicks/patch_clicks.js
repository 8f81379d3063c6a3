// Tells Python of single clicks on the cells of the figure in a container; see figure_watch.js.

const DOUBLE_MS = 300; // as long as Plotly waits for a second click, and a little
const NEAR_PX = 8;

export default function ({ parentElement, data, setTriggerValue }) {
  const watcher = watchFigure(parentElement, "patch-clicks", data.container, hear);
  watcher.send = (cell) => setTriggerValue("cell", cell);
  return () => unwatch(parentElement);
}

function hear(watcher, figure) {
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
