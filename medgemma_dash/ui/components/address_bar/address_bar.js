// Writes what is open into the address bar. Going back and forward is answered by Streamlit, which
// runs the page with the entry's own address.

let written = null; // the path where the address was written last
let turn = null; // the drawing that was answered last
let reached = null; // the address that was reached by going back or forward
let awaited = null; // the place that was reached and that no drawing has answered yet

let there = false; // the reader went back or forward, and has done nothing since

window.addEventListener("popstate", () => {
  reached = window.location.search;
  awaited = window.location.pathname + reached;
  there = true;
});

// Streamlit writes a page's path at the beginning of each run of it, also of one that was under way
// when the reader went back or forward from there: it would stand over the entry that was reached.
// Only the reader goes to another page, so without a click or a key no page was gone to.
for (const kind of ["pointerdown", "click", "keydown"]) {
  window.addEventListener(kind, () => (there = false), { capture: true });
}
const push = window.history.pushState.bind(window.history);
window.history.pushState = (state, title, url) => {
  const { pathname } = new URL(url ?? "", window.location.href);
  if (!there || pathname === window.location.pathname) push(state, title, url);
};

export default function ({ parentElement, data }) {
  if (!parentElement.querySelector(".address-bar")) {
    const marker = document.createElement("div");
    marker.className = "address-bar";
    parentElement.append(marker);
  }
  // Streamlit also calls for reasons of its own, when the address may be another one already.
  if (data.turn === turn) return;
  turn = data.turn;
  const { pathname, search, hash } = window.location;
  // A drawing that was under way when the reader went back or forward knows nothing of it: what it
  // says belongs to the entry that was left, and would be written over the one that was reached.
  if (awaited === pathname + search && !same(data.reached, search)) return;
  awaited = null;
  const here = search.replace(/^\?/, "");
  if (here !== data.search) {
    const [before, now] = [filmOf(here), filmOf(data.search)];
    // On a page that was just come to, and for an address that was just reached, the entry is new.
    const another = pathname === written && search !== reached && before && now && before !== now;
    const address = pathname + (data.search && `?${data.search}`) + hash;
    window.history[another ? "pushState" : "replaceState"](window.history.state, "", address);
  }
  reached = null;
  written = pathname;
}

function same(honoured, search) {
  const sorted = (text) => [...new URLSearchParams(text)].map(String).sort().join("&");
  return honoured !== null && sorted(honoured) === sorted(search);
}

function filmOf(search) {
  const address = new URLSearchParams(search);
  return address.get("film") ?? address.get("sample");
}
