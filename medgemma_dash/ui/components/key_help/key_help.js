// A quiet button and a native dialog: it holds the focus, closes with Escape and gives it back.
const drawn = new WeakMap();

export default function (component) {
  const { parentElement, data } = component;
  // Streamlit calls again, without an end between, where the next page has other keys.
  drawn.get(parentElement)?.();
  const open = element("button", "?");
  open.type = "button";
  open.className = "open";
  open.title = "Keys (?)";
  open.setAttribute("aria-label", "List the keys");
  const dialog = element("dialog");
  dialog.setAttribute("aria-label", "Keys");
  const close = element("button", "Close");
  close.type = "button";
  dialog.append(element("h2", "Keys"));
  for (const { title, keys } of data.groups) {
    const list = element("dl");
    for (const [key, meaning] of keys) list.append(element("dt", key), element("dd", meaning));
    dialog.append(element("h3", title), list);
  }
  dialog.append(close);
  parentElement.append(open, dialog);

  // The list itself has the focus: of the button at its end the browser would show the end.
  dialog.tabIndex = -1;
  const toggle = () => {
    if (dialog.open) return dialog.close();
    dialog.showModal();
    dialog.focus({ preventScroll: true });
    dialog.scrollTop = 0;
  };
  open.addEventListener("click", toggle);
  close.addEventListener("click", toggle);
  // A click beside the list closes it.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  const onKey = (event) => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey || writing(event)) return;
    event.preventDefault();
    toggle();
  };
  document.addEventListener("keydown", onKey);
  const clear = () => {
    document.removeEventListener("keydown", onKey);
    open.remove();
    dialog.remove();
  };
  drawn.set(parentElement, clear);
  return clear;
}

function writing(event) {
  // Inside a component's own tree the event's target is its host.
  const target = event.composedPath()[0];
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

function element(name, text = "") {
  const node = document.createElement(name);
  node.textContent = text;
  return node;
}
