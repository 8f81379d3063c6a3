// Draws a Plotly figure, and the next one in its place: what is the same in both stays as it is.

const NARROWEST_PX = 150;
const drawings = new WeakMap();
const session = Math.random().toString(36).slice(2);
let selections = 0;
let figures = 0;
let loading = null;

export default function ({ parentElement, data, setStateValue }) {
  let drawing = drawings.get(parentElement);
  if (!drawing) drawings.set(parentElement, (drawing = begun(parentElement)));
  drawing.tell = (selection) =>
    setStateValue("selection", { ...selection, nonce: `${session}-${++selections}` });
  const { host } = drawing;
  host.setAttribute("role", "figure");
  host.ariaLabel = data.alt;
  host.style.height = data.height ? `${data.height}px` : "100%";
  if (data.figure !== drawing.data?.figure) {
    drawing.data = data;
    draw(drawing);
  }
  // Streamlit also ends a drawing that a newer one has overtaken; only what has left the page ends.
  return () => setTimeout(() => host.isConnected || end(drawing));
}

function begun(parentElement) {
  const host = document.createElement("div");
  host.className = "chart-figure";
  const plot = document.createElement("div");
  host.append(plot);
  parentElement.append(host);
  const drawing = { host, plot, data: null, drawn: null, tell: null, room: null };
  // Told and not asked for: to measure in the middle of a change has the whole page laid out.
  drawing.sizes = new ResizeObserver(([{ contentRect: { width, height } }]) => {
    drawing.room = { width: Math.round(width), height: Math.round(height) };
    draw(drawing);
  });
  drawing.sizes.observe(host);
  return drawing;
}

function end({ sizes, plot }) {
  sizes.disconnect();
  window.Plotly?.purge(plot);
}

// As often as something has changed: the figure, or its room.
async function draw(drawing) {
  const { host, plot } = drawing;
  let Plotly;
  try {
    Plotly = window.Plotly ?? (await (loading ??= load(drawing.data.library)));
  } catch {
    loading = null;
    plot.textContent = "The script that draws figures could not be loaded. Reload the page.";
    return;
  }
  const { data, drawn } = drawing;
  const size = sizeOf(drawing);
  if (!size || !host.isConnected) return;
  if (drawn?.figure === data.figure) {
    if (drawn.width === size.width && drawn.height === size.height) return;
    drawing.drawn = { figure: data.figure, ...size };
    Plotly.relayout(plot, size);
    return;
  }
  drawing.drawn = { figure: data.figure, ...size };
  const figure = JSON.parse(data.figure);
  // What was chosen in the figure before is not chosen in this one.
  const layout = { ...figure.layout, ...size, selectionrevision: ++figures };
  if (!drawn) plot.replaceChildren();
  Plotly.react(plot, figure.data, layout, configuration(drawing));
  if (!drawn) listen(drawing);
}

// In a tab that is hidden there is no room, and nothing is drawn.
function sizeOf({ host, room, data }) {
  if (!room?.width || !room.height) return null;
  const own = document.fullscreenElement !== host && data.height;
  return { width: Math.max(room.width, NARROWEST_PX), height: own || room.height };
}

function load(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(name, root());
    script.onload = () => resolve(window.Plotly);
    script.onerror = reject;
    document.head.append(script);
  });
}

// The server's own address, under whatever path it is reached: Streamlit's script lies below it.
function root() {
  const own = document.querySelector('script[src*="static/js/"]').src;
  return own.slice(0, own.lastIndexOf("static/js/"));
}

function configuration({ data, host }) {
  if (!data.whole) return data.config;
  const whole = {
    name: "Full screen", title: "Full screen", icon: CORNERS,
    click: () => (document.fullscreenElement ? document.exitFullscreen() : host.requestFullscreen()),
  };
  return { ...data.config, modeBarButtonsToAdd: [whole] };
}

const CORNERS = {
  width: 24, height: 24,
  path: "M3 3h7v2H5v5H3zM14 3h7v7h-2V5h-5zM3 14h2v5h5v2H3zM19 14h2v7h-7v-2h5z",
};

function listen(drawing) {
  const { plot } = drawing;
  plot.on("plotly_selected", (event) => event && drawing.tell(told(event)));
  plot.on("plotly_deselect", () => drawing.tell(told({ points: [] })));
}

function told({ points, selections: shapes = [] }) {
  const [boxes, lines] = ["rect", "path"].map((type) => shapes.filter((one) => one.type === type));
  return {
    points: points.map(({ customdata = null, pointNumber }) => ({ customdata, place: pointNumber })),
    box: boxes.map(({ x0, x1, y0, y1 }) => ({ x: [x0, x1], y: [y0, y1] })),
    lasso: lines.map(({ path }) => {
      const places = path.replace(/[MZ]/g, "").split("L").map((place) => place.split(",").map(Number));
      return { x: places.map(([x]) => x), y: places.map(([, y]) => y) };
    }),
  };
}
