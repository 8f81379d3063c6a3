// Finds the figure in a container, whichever element it is at the moment.

const watchers = new WeakMap();

// name: class of the invisible mark that the component leaves on the page.
// hear: called with the watcher and each figure, once, when the figure can be listened to.
// Returns the same watcher for the same element: what the component keeps from call to call.
function watchFigure(parentElement, name, container, hear) {
  let watcher = watchers.get(parentElement);
  if (!watcher) {
    const marker = document.createElement("div");
    marker.className = name;
    parentElement.append(marker);
    watcher = { heard: new WeakSet(), last: null, timer: 0 };
    watcher.attach = () => {
      const figure = document.querySelector(`.st-key-${watcher.container} .js-plotly-plot`);
      // Plotly gives the element its `on` when it has drawn; a later mutation brings us back.
      if (!figure || watcher.heard.has(figure) || typeof figure.on !== "function") return;
      watcher.heard.add(figure);
      hear(watcher, figure);
    };
    watcher.observer = new MutationObserver(watcher.attach);
    watcher.observer.observe(document.body, { childList: true, subtree: true });
    watchers.set(parentElement, watcher);
  }
  watcher.container = container;
  watcher.attach();
  return watcher;
}

function unwatch(parentElement) {
  const watcher = watchers.get(parentElement);
  if (!watcher) return;
  watcher.observer.disconnect();
  clearTimeout(watcher.timer);
  watchers.delete(parentElement);
}
