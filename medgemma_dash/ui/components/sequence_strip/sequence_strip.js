// Every text goes through textContent: nothing a model or a user wrote can become markup.
const SEEN = { "\n": "⏎", "\t": "⇥", " ": "␣" };

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".sequence-strip");
  const list = document.createElement("ol");
  list.setAttribute("aria-label", data.label);
  list.tabIndex = 0; // a long one is scrolled with the keys
  for (const place of data.places) list.append(item(place));
  root.replaceChildren(list);
  const marked = list.querySelector("[data-mark]");
  list.dataset.scrolls = String(list.scrollHeight > list.clientHeight + 1);
  if (marked) list.scrollTop = rowAbove(list, marked.offsetTop - list.clientHeight / 2);
}

// So that a row is not cut through where the list begins.
function rowAbove(list, top) {
  const rows = [...list.children].map((one) => one.offsetTop);
  return Math.max(rows[0], ...rows.filter((row) => row <= top)) - rows[0];
}

function item(place) {
  const element = document.createElement("li");
  element.dataset.position = String(place.start);
  element.dataset.part = place.part;
  if (place.mark) element.dataset.mark = place.mark;
  if (place.wrong) element.dataset.wrong = place.wrong;
  element.style.setProperty("--value", String(Math.min(Math.max(Number(place.value) || 0, 0), 1)));
  const [text, position] = ["text", "position"].map((name) => {
    const span = document.createElement("span");
    span.className = name;
    element.append(span);
    return span;
  });
  text.textContent = place.text.trim() ? place.text : seen(place.text);
  const last = place.stop - 1;
  const where = last > place.start ? `${place.start}–${last}` : String(place.start);
  position.textContent = [place.mark, place.wrong, where].filter(Boolean).join(" = ");
  element.title = [`position ${where}`, place.part, place.told].filter(Boolean).join(" · ");
  return element;
}

function seen(text) {
  return [...text].map((one) => SEEN[one] ?? one).join("") || "·";
}
