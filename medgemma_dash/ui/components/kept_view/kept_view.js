// Tells Python what of the figure in a container is in sight; see figure_watch.js.

export default function ({ parentElement, data, setStateValue }) {
  const watcher = watchFigure(parentElement, "kept-view", data.container, hear);
  watcher.send = (view) => setStateValue("view", view);
  return () => unwatch(parentElement);
}

function hear(watcher, figure) {
  figure.on("plotly_relayout", (change) => {
    const names = Object.keys(change ?? {});
    if (!names.some((name) => /^[xy]axis\d*\.(range|autorange)/.test(name))) return;
    const whole = names.some((name) => /^[xy]axis\d*\.autorange/.test(name));
    const { xaxis, yaxis, uirevision } = figure.layout;
    const ranges = whole ? null : [...xaxis.range, ...yaxis.range].map(Number);
    clearTimeout(watcher.timer);
    // A drag or a run of zooming ends in one message.
    watcher.timer = setTimeout(() => {
      const view = JSON.stringify({ revision: String(uirevision), ranges });
      if (view === watcher.last) return;
      watcher.last = view;
      watcher.send(JSON.parse(view));
    }, 150);
  });
}
