// Listens to the figure in a container, whichever element it is at the moment.

const watchers = new WeakMap();

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  let watcher = watchers.get(parentElement);
  if (!watcher) {
    const marker = document.createElement("div");
    marker.className = "kept-view";
    parentElement.append(marker);
    watcher = { heard: new WeakSet(), last: null, timer: 0 };
    watcher.observer = new MutationObserver(() => attach(watcher));
    watcher.observer.observe(document.body, { childList: true, subtree: true });
    watchers.set(parentElement, watcher);
  }
  watcher.container = data.container;
  watcher.send = (view) => setStateValue("view", view);
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
