// The answer as a listbox of words, or of single tokens where the reader asks for them. Model text
// only ever enters through textContent and attribute values, never as markup.
//
// A unit is what one click chooses: in words a word, or a control token; in tokens a token. Every
// token has an element; a word of several that are visible has one more around those.

const strips = new WeakMap();
const session = Math.random().toString(36).slice(2, 10);
let clicks = 0;
// A word on which the arrow keys rest so long is chosen; those passed on the way are not.
const REST_MILLISECONDS = 180;
let single = false; // whether tokens are chosen: a habit of the reader, so one for all strips

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
    clearTimeout(strip.resting);
    tellWaiting(false);
    strip.root.remove();
    strips.delete(parentElement);
  };
}

function build(parent) {
  const root = element("div", "token-strip");
  const words = element("div", "words");
  words.setAttribute("role", "listbox");
  words.setAttribute("aria-multiselectable", "true");
  words.dir = "auto";
  const hint = element("div", "hint");
  const sentence = element("span");
  const whole = button("whole answer");
  const note = element("span");
  const tokens = button("single tokens");
  tokens.setAttribute("role", "switch");
  tokens.title = "Choose the tokens that a word is made of, one by one";
  hint.append(sentence, whole, note, " ", tokens);
  root.append(words, hint);
  parent.append(root);

  const strip = {
    root, words, sentence, whole, note, tokens,
    options: [], gaps: [], wraps: [], wordOf: [], units: [],
    data: null, shown: null, anchor: 0, focused: 0, pending: null, resting: 0,
  };
  words.addEventListener("mousedown", (event) => {
    // Shift-click chooses a span, and a hurried reader clicks twice; neither should mark text.
    if (event.shiftKey || event.detail > 1) event.preventDefault();
  });
  words.addEventListener("click", (event) => {
    const index = indexOf(event.target);
    if (index !== null) choose(strip, index, event.shiftKey, event.altKey);
  });
  words.addEventListener("keydown", (event) => onKey(strip, event));
  words.addEventListener("focusin", (event) => {
    const index = indexOf(event.target);
    if (index !== null) rove(strip, index);
  });
  whole.addEventListener("click", () => chooseAll(strip));
  tokens.addEventListener("click", () => {
    single = !single;
    draw(strip);
  });
  return strip;
}

function update(strip, data) {
  const before = strip.data;
  const fresh = !before || before.generation !== data.generation;
  if (fresh) {
    clearTimeout(strip.resting);
    strip.pending = null;
    strip.anchor = data.selected ? data.selected[0] : 0;
    strip.focused = strip.anchor;
  }
  strip.data = data;
  if (strip.pending && strip.pending.nonce === data.seen) strip.pending = null;

  // Words that are already there keep their elements, and with them focus and selection.
  const kept = fresh ? 0 : sameWords(before, data);
  const tokens = kept ? data.words[kept - 1].stop : 0;
  const dropped = [strip.options.slice(tokens), strip.gaps.slice(tokens), strip.wraps.slice(kept)];
  for (const node of dropped.flat()) node?.remove();
  strip.options.length = strip.gaps.length = strip.wordOf.length = tokens;
  strip.wraps.length = kept;
  const added = document.createDocumentFragment();
  for (let word = kept; word < data.words.length; word++) appendWord(strip, added, word);
  strip.words.append(added);
  draw(strip);
}

function sameWords(before, after) {
  const same = (word, index) => {
    const { start, stop } = after.words[index] ?? {};
    return word.start === start && word.stop === stop &&
      after.tokens.slice(start, stop).every(({ text, special }, place) => {
        const old = before.tokens[start + place];
        return old.text === text && old.special === special;
      });
  };
  const count = before.words.findIndex((word, index) => !same(word, index));
  return count < 0 ? before.words.length : count;
}

function appendWord(strip, target, word) {
  const { start, stop } = strip.data.words[word];
  const [first, last] = inked(strip, start, stop);
  const wrap = last - first > 1 ? element("span", "word") : null;
  strip.wraps[word] = wrap;
  for (let index = start; index < stop; index++) {
    const within = wrap && index >= first && index < last ? wrap : target;
    // White space before a word belongs to its token but stays outside the box and underline.
    const space = strip.data.tokens[index].text.match(/^\s*/)[0];
    const gap = space && hasInk(strip, index) ? element("span", "gap") : null;
    if (gap) {
      gap.setAttribute("role", "presentation");
      gap.textContent = space;
      (index === first ? target : within).append(gap);
    }
    if (wrap && index === first) target.append(wrap);
    strip.gaps[index] = gap;
    strip.wordOf[index] = word;
    within.append((strip.options[index] = tokenElement(strip, index, word)));
  }
}

function tokenElement(strip, index, word) {
  const { text, special } = strip.data.tokens[index];
  const option = element("span", "token");
  option.dataset.tokenIndex = String(index);
  option.dataset.wordIndex = String(word);
  option.textContent = hasInk(strip, index) ? text.trimStart() : text;
  const mark = markOf(strip, index);
  if (mark) {
    option.classList.add("quiet");
    option.dataset.mark = mark;
  }
  if (special) option.classList.add("special");
  if (/[\u202a-\u202e\u2066-\u2069]/.test(text)) option.classList.add("turns");
  return option;
}

function hasInk(strip, index) {
  return strip.data.tokens[index].text.trim() !== "";
}

function inked(strip, start, stop) {
  // The part of a range that can be seen; all of it where nothing can.
  let [first, last] = [start, stop];
  while (first < stop && !hasInk(strip, first)) first++;
  while (last > first && !hasInk(strip, last - 1)) last--;
  return first < last ? [first, last] : [start, stop];
}

function markOf(strip, index) {
  const { text, special } = strip.data.tokens[index];
  if (special) return text ? "" : index === strip.data.tokens.length - 1 ? "end" : "control";
  if (hasInk(strip, index)) return "";
  if (!text) return "·";
  return text.includes("\n") ? "⏎" : "␣";
}

function draw(strip) {
  const { data, words } = strip;
  const nodes = new Set([...strip.options, ...strip.wraps.filter(Boolean)]);
  strip.units = single ? data.tokens.map((_, index) => tokenUnit(strip, index)) : data.words.map(
    (word, index) => wordUnit(strip, word, index));
  for (const unit of strip.units) {
    nodes.delete(unit.node);
    describe(unit, data);
  }
  nodes.forEach(undescribe);
  strip.options.forEach((option, index) =>
    option.classList.toggle("computed", data.tokens[index].computed));

  words.setAttribute("aria-label", `The answer, ${single ? "token by token" : "word by word"}`);
  words.setAttribute("aria-busy", String(!data.ready));
  words.classList.toggle("single", single);
  words.classList.toggle("long", data.tokens.length > 45);
  words.classList.toggle("very-long", data.tokens.length > 150);
  strip.sentence.textContent = sentence(data);
  strip.whole.hidden = strip.tokens.hidden = !data.ready;
  strip.tokens.setAttribute("aria-checked", String(single));
  strip.note.textContent = data.ready ? `. ${data.note}` : data.note;
  paint(strip, strip.pending ? strip.pending.selected : data.selected);
  rove(strip, Math.min(strip.focused, Math.max(data.tokens.length - 1, 0)));
}

function tokenUnit(strip, index) {
  const token = strip.data.tokens[index];
  const name = token.text.trim() || nameless(token, index === strip.data.tokens.length - 1);
  const { mark } = strip.data.words[strip.wordOf[index]];
  return { ...token, name, mark, start: index, stop: index + 1, node: strip.options[index] };
}

function wordUnit(strip, word, index) {
  const tokens = strip.data.tokens.slice(word.start, word.stop);
  const text = tokens.map((token) => token.text).join("").trim();
  const [first] = inked(strip, word.start, word.stop);
  return {
    ...tokenUnit(strip, first), ...word, node: strip.wraps[index] ?? strip.options[first],
    ...(text && { name: text }), computed: tokens.every((token) => token.computed),
  };
}

function describe(unit, data) {
  const { node, share, effect, mark, probability, computed } = unit;
  // A loss of e nats is a loss of 1 - exp(-e) of the probability.
  const lost = typeof effect === "number" ? 1 - Math.exp(-Math.max(effect, 0)) : null;
  const value = { probability, "image effect": lost }[data.measure] ??
    (data.measure === "image share" ? share : null);
  const known = typeof value === "number" && Number.isFinite(value);
  node.style.setProperty("--value", known ? Math.min(Math.max(value, 0), 1).toFixed(3) : "0");
  node.classList.add("unit");
  node.classList.toggle("unknown", !known);
  node.classList.toggle("prior", mark === "language prior" && data.measure === "image effect");
  node.classList.toggle("computed", computed);
  const facts = [unit.name];
  if (typeof share === "number") {
    facts.push(`${Math.round(share * 100)}% of its relevance on the image`);
  }
  facts.push(`probability ${probabilityWords(probability)}`);
  if (typeof effect === "number") facts.push(`image effect ${effect.toFixed(2)} nats`);
  if (mark) facts.push(mark);
  if (!computed) facts.push("not explained yet");
  unit.label = facts.join(", ");
  if (unit.runners_up) facts.push(unit.runners_up);
  setAttribute(node, "title", facts.join(" · "));
  setAttribute(node, "role", "option");
  setAttribute(node, "aria-disabled", String(!data.ready));
  if (!node.hasAttribute("tabindex")) node.tabIndex = -1;
}

function probabilityWords(value) {
  // Two decimals, and never a false 0 or 1: as `wording.probability` says it.
  if (value < 0.005) return "< 0.01";
  return value > 0.995 ? "> 0.99" : value.toFixed(2);
}

function undescribe(node) {
  node.classList.remove("unit", "unknown", "prior");
  node.style.removeProperty("--value");
  for (const name of ["title", "tabindex", "aria-label", "aria-disabled", "aria-selected"]) {
    node.removeAttribute(name);
  }
  setAttribute(node, "role", "presentation");
}

function nameless(token, last) {
  if (token.special) return last ? "end of the answer" : "control token";
  // Rare characters are spelled by several tokens; all but the last of them have no text.
  return token.text ? "white space" : "part of a character";
}

function sentence(data) {
  if (!data.ready) return "Writing the answer… ";
  const one = single ? "token" : "word";
  const meaning = {
    probability: `the probability that the model gave the ${one}`,
    "image share": `share of the ${one}'s relevance that lies on the image`,
    "image effect": `how much of the ${one}'s probability a blank image takes; grey: language prior`,
  }[data.measure];
  const way = single ? "Click a token, shift-click for several"
    : "Click a word, shift-click for a phrase, Alt-click for one token";
  return `Underline: ${meaning}. ${way}; arrow keys choose the next. `;
}

function paint(strip, selected) {
  strip.shown = selected;
  // While an answer is written, what was chosen before may lie behind its end.
  const [start, stop] = (selected ?? [0, 0]).map((end) => Math.min(end, strip.options.length));
  const [first, last] = inked(strip, start, stop);
  strip.options.forEach((option, index) => {
    const inside = index >= first && index < last;
    option.classList.toggle("selected", inside);
    option.classList.toggle("first", inside && index === first);
    option.classList.toggle("last", inside && index === last - 1);
    strip.gaps[index]?.classList.toggle("selected", inside && index > first);
  });
  for (const unit of strip.units) {
    const [from, to] = [Math.max(unit.start, start), Math.min(unit.stop, stop)];
    const part = from < to && to - from < unit.stop - unit.start;
    const texts = strip.data.tokens.slice(from, to).map((token) => token.text).join("").trim();
    setAttribute(unit.node, "aria-selected", String(from < to));
    setAttribute(unit.node, "aria-label", unit.label + (part ? `, of it chosen: ${texts}` : ""));
  }
  strip.words.classList.toggle("waiting", Boolean(strip.pending) || Boolean(strip.data.busy));
  tellWaiting(Boolean(strip.pending));
  strip.whole.setAttribute("aria-pressed", String(!selected));
}

// Whatever else names the chosen word (`subject_line.js`) stands back until Python has followed.
function tellWaiting(waiting) {
  window.dispatchEvent(new CustomEvent("medgemma-dash-word-waiting", { detail: waiting }));
}

function unitAt(strip, index) {
  return strip.units[single ? index : strip.wordOf[index]];
}

function choose(strip, index, extend, alone) {
  clearTimeout(strip.resting);
  if (!strip.data.ready) return;
  rove(strip, index);
  strip.rover.focus({ preventScroll: true });
  if (!extend) strip.anchor = index;
  const ends = [strip.anchor, index].map((at) =>
    alone ? { start: at, stop: at + 1 } : unitAt(strip, at));
  const start = Math.min(...ends.map((end) => end.start));
  const stop = Math.max(...ends.map((end) => end.stop));
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
  const enter = event.key === "Enter";
  if (index === null || event.metaKey || (event.altKey && !enter)) return;
  const here = strip.units.indexOf(unitAt(strip, index));
  const last = strip.units.length - 1;
  const forward = getComputedStyle(strip.words).direction === "rtl" ? -1 : 1;
  const moves = {
    ArrowRight: () => here + forward,
    ArrowLeft: () => here - forward,
    ArrowDown: () => otherLine(strip, here, 1),
    ArrowUp: () => otherLine(strip, here, -1),
    Home: () => 0,
    End: () => last,
  };
  if (event.ctrlKey && !moves[event.key]) return;
  if (moves[event.key]) {
    const to = strip.units[Math.min(Math.max(moves[event.key](), 0), last)].start;
    rove(strip, to);
    strip.rover.focus();
    clearTimeout(strip.resting);
    const { shiftKey } = event;
    if (!event.ctrlKey) {
      strip.resting = setTimeout(() => choose(strip, to, shiftKey, false), REST_MILLISECONDS);
    }
  } else if (enter && event.altKey) {
    choose(strip, nextToken(strip, unitAt(strip, index)), event.shiftKey, true);
  } else if (enter || event.key === " ") {
    choose(strip, index, event.shiftKey, false);
  } else if (event.key === "Escape") {
    // Leaves the words, and closes what is open over them: whoever listens further out hears it.
    strip.rover.blur();
    return;
  } else {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}

function nextToken(strip, { start, stop }) {
  // The unit's first token; if one of them is chosen alone, the next of them, in turn.
  const [at, end] = strip.shown ?? [];
  const alone = end - at === 1 && at >= start && at < stop;
  return alone && at + 1 < stop ? at + 1 : start;
}

function otherLine(strip, index, step) {
  // The unit of the next line above or below that stands nearest; of a broken one, its first line.
  const boxOf = (at) => strip.units[at].node.getClientRects()[0];
  const here = boxOf(index);
  const middle = (box) => (box.left + box.right) / 2;
  let best = index, line = null, distance = Infinity;
  for (let at = index + step; at >= 0 && at < strip.units.length; at += step) {
    const box = boxOf(at);
    if (!box || Math.abs(box.top - here.top) < here.height / 2) continue;
    line ??= box.top;
    if (Math.abs(box.top - line) > here.height / 2) break;
    const off = Math.abs(middle(box) - middle(here));
    if (off < distance) [best, distance] = [at, off];
  }
  return best;
}

function rove(strip, index) {
  const node = unitAt(strip, index)?.node;
  if (strip.rover !== node && strip.rover?.hasAttribute("tabindex")) strip.rover.tabIndex = -1;
  strip.focused = index;
  strip.rover = node;
  node?.setAttribute("tabindex", "0");
}

function indexOf(target) {
  const found = target.closest?.("[data-token-index]") ??
    target.closest?.(".word")?.querySelector("[data-token-index]");
  return found ? Number(found.dataset.tokenIndex) : null;
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

function element(name, className = "") {
  const node = document.createElement(name);
  if (className) node.className = className;
  return node;
}

function button(text) {
  const node = element("button");
  node.type = "button";
  node.textContent = text;
  return node;
}
