// Tells Python on which cell of the figure in a container the pointer went down and up again.
// Plotly's own click needs a hover before it, and its figure to stand from press to release.

const NEAR_PX = 8;
const listeners = new WeakMap();
const session = Math.random().toString(36).slice(2);
let clicks = 0;

export default function ({ parentElement, data, setStateValue }) {
  let listener = listeners.get(parentElement);
  if (!listener) {
    listener = listen();
    const marker = document.createElement("div");
    marker.className = "matrix-clicks";
    parentElement.append(marker);
    listeners.set(parentElement, listener);
  }
  listener.data = data;
  listener.send = (cell) =>
    setStateValue("click", { ...cell, nonce: `${session}-${++clicks}` });
  // Streamlit may end an overtaken drawing after a newer one has come: only the last one clears.
  const drawing = (listener.drawing = {});
  return () => {
    if (listener.drawing !== drawing) return;
    listener.leave.abort();
    listeners.delete(parentElement);
  };
}

function listen() {
  const listener = { leave: new AbortController() };
  const options = { capture: true, signal: listener.leave.signal };
  let pressed = null;
  document.addEventListener("pointerdown", (event) => {
    const on = event.target.closest?.(`.st-key-${listener.data.container}`);
    pressed = event.button === 0 && on && cellAt(listener.data, event) ? event : null;
  }, options);
  document.addEventListener("pointercancel", () => (pressed = null), options);
  document.addEventListener("pointerup", (event) => {
    const from = pressed;
    pressed = null;
    if (!from || Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > NEAR_PX)
      return;
    const cell = cellAt(listener.data, event);
    if (cell) listener.send(cell);
  }, options);
  return listener;
}

// By place alone: from press to release Plotly lays a sheet over the whole page.
function cellAt({ container, columns, rows }, { clientX, clientY }) {
  const figure = document.querySelector(`.st-key-${container} .js-plotly-plot`);
  const area = figure?.querySelector(".nsewdrag")?.getBoundingClientRect();
  if (!area?.width || !area.height) return null;
  const column = Math.floor(((clientX - area.left) / area.width) * columns);
  const row = Math.floor(((clientY - area.top) / area.height) * rows);
  return column >= 0 && column < columns && row >= 0 && row < rows ? { column, row } : null;
}
