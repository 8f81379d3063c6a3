// The answer as a listbox of tokens. Model text only ever enters through textContent and
// attribute values, never as markup.

const strips = new WeakMap();
const session = Math.random().toString(36).slice(2, 10);
let clicks = 0;

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  let strip = strips.get(parentElement);
  if (!strip || !strip.root.isConnected) {
    strip = build(parentElement);
    strips.set(parentElement, strip);
  }
  strip.send = (choice) => setStateValue("choice", choice);
  update(strip, data);
  // Streamlit may end an overtaken drawing after a newer one has come: only the last one clears.
  const drawing = (strip.drawing = {});
  return () => {
    if (strip.drawing !== drawing) return;
    strip.root.remove();
    strips.delete(parentElement);
  };
}

function build(parent) {
  const root = element("div", "token-strip");
  const words = element("div", "words");
  words.setAttribute("role", "listbox");
  words.setAttribute("aria-multiselectable", "true");
  words.setAttribute("aria-label", "The answer, token by token");
  words.dir = "auto";
  const hint = element("div", "hint");
  const sentence = element("span");
  const whole = element("button");
  whole.type = "button";
  whole.textContent = "whole answer";
  const note = element("span");
  hint.append(sentence, whole, note);
  root.append(words, hint);
  parent.append(root);

  const strip = {
    root, words, sentence, whole, note,
    options: [], gaps: [], data: null, shown: null, anchor: 0, focused: 0, pending: null,
  };
  words.addEventListener("mousedown", (event) => {
    // Shift-click chooses a span; it should not also mark text.
    if (event.shiftKey) event.preventDefault();
  });
  words.addEventListener("click", (event) => {
    const index = indexOf(event.target);
    if (index !== null) choose(strip, index, event.shiftKey);
  });
  words.addEventListener("keydown", (event) => onKey(strip, event));
  words.addEventListener("focusin", (event) => {
    const index = indexOf(event.target);
    if (index !== null) rove(strip, index);
  });
  whole.addEventListener("click", () => chooseAll(strip));
  return strip;
}

function update(strip, data) {
  const before = strip.data;
  const fresh = !before || before.generation !== data.generation;
  if (fresh) {
    strip.pending = null;
    strip.anchor = data.selected ? data.selected[0] : 0;
    strip.focused = strip.anchor;
  }
  strip.data = data;
  if (strip.pending && strip.pending.nonce === data.seen) strip.pending = null;

  // Tokens that are already there keep their elements, and with them focus and selection.
  const kept = fresh ? 0 : samePrefix(before.tokens, data.tokens);
  for (const node of [...strip.options.slice(kept), ...strip.gaps.slice(kept)]) node?.remove();
  strip.options.length = strip.gaps.length = kept;
  const added = document.createDocumentFragment();
  for (let index = kept; index < data.tokens.length; index++) append(strip, added, index);
  strip.words.append(added);
  strip.options.forEach((option, index) => describe(option, index, data));

  strip.words.setAttribute("aria-busy", String(!data.ready));
  strip.words.classList.toggle("long", data.tokens.length > 45);
  strip.words.classList.toggle("very-long", data.tokens.length > 150);
  strip.sentence.textContent = sentence(data);
  strip.whole.hidden = !data.ready;
  strip.note.textContent = data.ready ? `. ${data.note}` : data.note;
  paint(strip, strip.pending ? strip.pending.selected : data.selected);
  rove(strip, Math.min(strip.focused, Math.max(data.tokens.length - 1, 0)));
}

function samePrefix(before, after) {
  let count = 0;
  while (
    count < before.length && count < after.length &&
    before[count].text === after[count].text && before[count].special === after[count].special
  ) count++;
  return count;
}

function append(strip, target, index) {
  const token = strip.data.tokens[index];
  const option = element("span", "token");
  option.setAttribute("role", "option");
  option.dataset.tokenIndex = String(index);
  // White space before a word belongs to its token but stays outside the box and underline.
  const [, space, rest] = token.text.match(/^(\s*)([^]*)$/);
  let gap = null;
  if (space && rest) {
    gap = element("span", "gap");
    gap.setAttribute("role", "presentation");
    gap.textContent = space;
    target.append(gap);
  }
  option.textContent = rest || space;
  const mark = markOf(token, rest, space, index === strip.data.tokens.length - 1);
  if (mark) {
    option.classList.add("quiet");
    option.dataset.mark = mark;
  }
  if (token.special) option.classList.add("special");
  if (/[\u202a-\u202e\u2066-\u2069]/.test(token.text)) option.classList.add("turns");
  strip.options[index] = option;
  strip.gaps[index] = gap;
  target.append(option);
}

function markOf(token, rest, space, last) {
  if (token.special) return token.text ? "" : last ? "end" : "control";
  if (rest) return "";
  if (!space) return "·";
  return space.includes("\n") ? "⏎" : "␣";
}

function describe(option, index, data) {
  const token = data.tokens[index];
  const value = data.measure === "probability" ? token.probability : token.share;
  const known = typeof value === "number" && Number.isFinite(value);
  option.style.setProperty("--value", known ? Math.min(Math.max(value, 0), 1).toFixed(3) : "0");
  option.classList.toggle("unknown", !known);
  option.classList.toggle("computed", token.computed);
  const name = token.text.trim() || nameless(token, index === data.tokens.length - 1);
  const facts = [name];
  if (typeof token.share === "number") {
    facts.push(`${Math.round(token.share * 100)}% of its relevance on the image`);
  }
  facts.push(`probability ${token.probability.toFixed(2)}`);
  if (!token.computed) facts.push("not explained yet");
  setAttribute(option, "title", facts.join(" · "));
  setAttribute(option, "aria-label", facts.join(", "));
  setAttribute(option, "aria-disabled", String(!data.ready));
}

function nameless(token, last) {
  if (token.special) return last ? "end of the answer" : "control token";
  // Rare characters are spelled by several tokens; all but the last of them have no text.
  return token.text ? "white space" : "part of a character";
}

function sentence(data) {
  if (!data.ready) return "Writing the answer… ";
  const meaning = data.measure === "probability"
    ? "the probability that the model gave the word"
    : "share of the word's relevance that lies on the image";
  return `Underline: ${meaning}. Click a word, shift-click for a phrase, arrow keys to walk, `;
}

function paint(strip, selected) {
  strip.shown = selected;
  const [start, stop] = selected ?? [0, 0];
  strip.options.forEach((option, index) => {
    const inside = index >= start && index < stop;
    option.classList.toggle("selected", inside);
    option.classList.toggle("first", inside && index === start);
    option.classList.toggle("last", inside && index === stop - 1);
    setAttribute(option, "aria-selected", String(inside));
    strip.gaps[index]?.classList.toggle("selected", inside && index > start);
  });
  strip.words.classList.toggle("waiting", Boolean(strip.pending) || Boolean(strip.data.busy));
  strip.whole.setAttribute("aria-pressed", String(!selected));
}

function choose(strip, index, extend) {
  if (!strip.data.ready) return;
  rove(strip, index);
  strip.options[index].focus({ preventScroll: true });
  if (!extend) strip.anchor = index;
  const start = Math.min(strip.anchor, index);
  const stop = Math.max(strip.anchor, index) + 1;
  emit(strip, [start, stop], { start, stop, whole: false });
}

function chooseAll(strip) {
  const count = strip.data.tokens.length;
  if (strip.data.ready && count) emit(strip, null, { start: 0, stop: count, whole: true });
}

function emit(strip, selected, choice) {
  // The box moves at once; what Python says later only confirms it.
  const nonce = `${session}-${++clicks}`;
  strip.pending = { nonce, selected };
  paint(strip, selected);
  strip.send({ ...choice, generation: strip.data.generation, nonce });
}

function onKey(strip, event) {
  const index = indexOf(event.target);
  if (index === null || event.ctrlKey || event.metaKey || event.altKey) return;
  const last = strip.options.length - 1;
  const forward = getComputedStyle(strip.words).direction === "rtl" ? -1 : 1;
  const moves = {
    ArrowRight: () => index + forward,
    ArrowLeft: () => index - forward,
    ArrowDown: () => otherLine(strip, index, 1),
    ArrowUp: () => otherLine(strip, index, -1),
    Home: () => 0,
    End: () => last,
  };
  if (moves[event.key]) {
    const next = Math.min(Math.max(moves[event.key](), 0), last);
    rove(strip, next);
    strip.options[next].focus();
  } else if (event.key === "Enter" || event.key === " ") {
    choose(strip, index, event.shiftKey);
  } else if (event.key === "Escape") {
    chooseAll(strip);
  } else {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}

function otherLine(strip, index, step) {
  // The token of the next line above or below that stands nearest.
  const here = strip.options[index].getBoundingClientRect();
  const middle = (box) => (box.left + box.right) / 2;
  let best = index, line = null, distance = Infinity;
  for (let at = index + step; at >= 0 && at < strip.options.length; at += step) {
    const box = strip.options[at].getBoundingClientRect();
    if (Math.abs(box.top - here.top) < here.height / 2) continue;
    line ??= box.top;
    if (Math.abs(box.top - line) > here.height / 2) break;
    const off = Math.abs(middle(box) - middle(here));
    if (off < distance) [best, distance] = [at, off];
  }
  return best;
}

function rove(strip, index) {
  if (strip.rover !== strip.options[index]) strip.rover?.setAttribute("tabindex", "-1");
  strip.options.forEach((option) => {
    if (!option.hasAttribute("tabindex")) option.tabIndex = -1;
  });
  strip.focused = index;
  strip.rover = strip.options[index];
  strip.rover?.setAttribute("tabindex", "0");
}

function indexOf(target) {
  const option = target.closest?.("[data-token-index]");
  return option ? Number(option.dataset.tokenIndex) : null;
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

function element(name, className = "") {
  const node = document.createElement(name);
  if (className) node.className = className;
  return node;
}
