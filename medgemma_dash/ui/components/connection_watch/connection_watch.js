// Streamlit writes the state of its connection on the element that holds the program.

const STATE = "data-test-connection-state";
const watchers = new WeakMap();
let returned = 0;

export default function ({ parentElement, setStateValue }) {
  let watcher = watchers.get(parentElement);
  if (!watcher) {
    const marker = document.createElement("div");
    marker.className = "connection-watch";
    parentElement.append(marker);
    const app = document.querySelector(`[${STATE}]`);
    let before = app?.getAttribute(STATE);
    watcher = {};
    watcher.observer = new MutationObserver(() => {
      const now = app.getAttribute(STATE);
      if (now === "CONNECTED" && before !== now) watcher.tell(++returned);
      before = now;
    });
    if (app) watcher.observer.observe(app, { attributes: true, attributeFilter: [STATE] });
    watchers.set(parentElement, watcher);
  }
  watcher.tell = (count) => setStateValue("returned", count);
  return () => {
    watcher.observer.disconnect();
    watchers.delete(parentElement);
  };
}
