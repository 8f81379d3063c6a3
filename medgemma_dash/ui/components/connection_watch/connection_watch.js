// Streamlit writes the state of its connection on the element that holds the program. What is said
// while there is no connection comes from here, for nothing else is there to say it.

const STATE = "data-test-connection-state";
// A connection that is back sooner has lost nothing, and is not worth a word.
const PATIENCE_MS = 1000;
// Streamlit's own box asks whether there is internet, covers the sentence, and keeps screen readers
// from all that stands outside of it. Closed once, it stays away until the connection is back.
const ITS_BOX = '[data-testid="stDialog"]';
const watchers = new WeakMap();
let returned = 0;

export default function ({ parentElement, data, setStateValue }) {
  if (!watchers.has(parentElement)) watchers.set(parentElement, watch(parentElement));
  const watcher = watchers.get(parentElement);
  watcher.sentence = () => `${data.unreachable} ${data.then[opened()]}`.trim();
  // Streamlit asks with the address that it saw last, which need not be the one that stands there.
  watcher.tell = () => setStateValue("returned", {
    session: data.session, search: window.location.search, times: ++returned,
  });
  return () => {
    watcher.end();
    watchers.delete(parentElement);
  };
}

function watch(parentElement) {
  const line = document.createElement("div");
  line.className = "connection-watch";
  // It stands there before it speaks: screen readers tell only what changes.
  line.setAttribute("role", "alert");
  parentElement.append(line);
  const app = document.querySelector(`[${STATE}]`);
  const watcher = {};
  let before = app?.getAttribute(STATE);
  let patience = null;
  const closeItsBox = () => {
    if (line.textContent) document.querySelector(`${ITS_BOX} button[aria-label="Close"]`)?.click();
  };
  const speak = () => {
    line.textContent = watcher.sentence();
    closeItsBox();
  };
  const boxes = new MutationObserver(closeItsBox);
  boxes.observe(document.body, { childList: true });
  const silence = () => {
    clearTimeout(patience);
    patience = null;
    line.textContent = "";
  };
  const observer = new MutationObserver(() => {
    const now = app.getAttribute(STATE);
    if (now === before) return;
    before = now;
    if (now === "CONNECTED") {
      silence();
      watcher.tell();
    } else {
      patience ??= setTimeout(speak, PATIENCE_MS);
    }
  });
  if (app) observer.observe(app, { attributes: true, attributeFilter: [STATE] });
  watcher.end = () => {
    silence();
    observer.disconnect();
    boxes.disconnect();
    line.remove();
  };
  return watcher;
}

// What the page has open, as its address says.
function opened() {
  const address = new URLSearchParams(window.location.search);
  return ["film", "sample"].find((name) => address.has(name)) ?? "nothing";
}
