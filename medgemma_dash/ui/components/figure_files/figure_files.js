// Saves what Plotly has drawn as SVG or PNG, with the caption that the figure carries below it.
// Every text goes through textContent: nothing of it can become markup.

const SVG = "http://www.w3.org/2000/svg";
const DPI = 300, MM_PER_INCH = 25.4, PIXELS_PER_INCH = 96, POINTS_PER_INCH = 72;
// A caption has a journal's 7 points, but never larger letters than the figure's own. Edge: labels
// may reach the very edge of a plot. Below 5 points journals call letters too small.
const TEXT_POINTS = 7, SCREEN_TEXT = 12, LINE = 1.5, EDGE = 8, LEAST_POINTS = 5;
const WIDTHS = [["as shown", 0], ["85 mm", 85], ["120 mm", 120], ["180 mm", 180]];

// What the control must not stand on. Its place is looked for along the edges first.
const DRAWN = ".modebar-group, text, .bars path, .lines path, .cbfills";
// A zoomed picture reaches past its frame, unseen: the frame stands for all that is in it.
const PICTURES = ".imagelayer image, .heatmaplayer image", FRAMES = ".nsewdrag", SHAPES = ".shapelayer path";
const STEP_PX = 4, CLEAR_PX = 2;
const TOUCHED = window.matchMedia("(hover: none)").matches;
const heard = new WeakSet();

export default function (component) {
  const { parentElement } = component;
  if (!parentElement.querySelector(".figure-files-marker")) {
    parentElement.append(made("div", { className: "figure-files-marker" }));
  }
  const observer = new MutationObserver(attachAll);
  observer.observe(document.body, { childList: true, subtree: true });
  attachAll();
  return () => observer.disconnect();
}

function made(name, values, ...children) {
  const element = Object.assign(document.createElement(name), values);
  element.append(...children);
  return element;
}

function attachAll() {
  for (const plot of document.querySelectorAll(".chart-figure .js-plotly-plot")) {
    if (!plot.layout?.meta?.caption) continue;
    const host = plot.closest(".chart-figure");
    if (!host.querySelector(":scope > .figure-files")) host.append(control(host));
    if (!heard.has(plot) && plot.on) {
      heard.add(plot);
      const look = () => (TOUCHED || host.matches(":hover")) && keepOff(host);
      plot.on("plotly_afterplot", look);
      look();
    }
  }
}

// Where a finger points the control is always seen, and its place looked for when the figure is
// drawn, as below a mouse that stands still; elsewhere when the mouse or the focus comes, so that
// drawing a figure costs nothing more.
function keepOff(host) {
  const box = host.querySelector(":scope > .figure-files");
  // What has been opened stays where it is.
  if (!box || !box.querySelector(".figure-files-menu").hidden) return;
  const { x, y } = free(host, box);
  box.style.left = `${x}px`;
  box.style.top = `${y}px`;
}

// The first place that nothing drawn is in: in the top edge from right to left, in the bottom edge,
// then line by line; the upper right corner where there is none.
function free(host, box) {
  const around = host.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const more = host.querySelector(PICTURES) ? FRAMES : SHAPES;
  const taken = Array.from(host.querySelectorAll(`${DRAWN}, ${more}`))
    .filter((one) => !one.closest(".hoverlayer"))
    .map((one) => one.getBoundingClientRect())
    .filter((one) => one.width && one.height)
    .map(({ left, right, top, bottom }) => ({
      left: left - around.left - CLEAR_PX, right: right - around.left + CLEAR_PX,
      top: top - around.top - CLEAR_PX, bottom: bottom - around.top + CLEAR_PX,
    }));
  const [most, lowest] = [around.width - width, around.height - height];
  const lines = [0, lowest];
  for (let y = STEP_PX; y < lowest; y += STEP_PX) lines.push(y);
  for (const y of lines) {
    const beside = taken.filter((one) => one.top < y + height && one.bottom > y);
    for (let x = most; x >= 0; x -= STEP_PX) {
      if (!beside.some((one) => one.left < x + width && one.right > x)) return { x, y };
    }
  }
  return { x: most, y: 0 };
}

function control(host) {
  const width = made("select", { ariaLabel: "Width of the file" });
  for (const [label, value] of WIDTHS) width.append(made("option", { value, textContent: label }));
  const png = made("button", { type: "button", textContent: "PNG" });
  const svg = made("button", { type: "button", textContent: "SVG" });
  const menu = made("div", { className: "figure-files-menu", hidden: true }, width, png, svg);
  const open = made("button", {
    type: "button", textContent: "\u2913", title: "Save this figure", ariaLabel: "Save this figure",
    ariaExpanded: "false",
  });
  const show = (shown) => {
    if (shown) nameWidths(host, width);
    menu.hidden = !shown;
    open.hidden = shown;
    open.ariaExpanded = String(shown);
    (shown ? width : open).focus();
    // What is open may stand on the figure, and stays within it.
    const most = Math.max(0, host.clientWidth - box.offsetWidth);
    if (shown) box.style.left = `${Math.min(box.offsetLeft, most)}px`;
    else keepOff(host);
  };
  open.onclick = () => show(true);
  // The chart is looked up on the click: Streamlit may have drawn it anew in the same place.
  const save = (format) => {
    const plot = host.querySelector(".js-plotly-plot");
    const figure = drawing(plot, Number(width.value), background(host));
    format(figure, plot.layout.meta.file);
    show(false);
  };
  svg.onclick = () => save(saveSvg);
  png.onclick = () => save(savePng);
  const box = made("div", { className: "figure-files" }, open, menu);
  for (const event of ["pointerenter", "focusin"]) host.addEventListener(event, () => keepOff(host));
  box.onkeydown = (event) => {
    // The page's own keys, Escape for one, mean something else.
    event.stopPropagation();
    if (event.key === "Escape" && !menu.hidden) show(false);
  };
  return box;
}

// How wide the file's drawing is in the figure's own pixels.
function wholeWidth(plot) {
  return Number(plot.querySelector(".main-svg").getAttribute("width")) + 2 * EDGE;
}

// A wide figure on a narrow column has small letters: said before it is saved.
function nameWidths(host, select) {
  const whole = wholeWidth(host.querySelector(".js-plotly-plot"));
  WIDTHS.forEach(([label, mm], place) => {
    const points = (SCREEN_TEXT * mm * POINTS_PER_INCH) / (MM_PER_INCH * whole);
    const small = mm && points < LEAST_POINTS;
    select.options[place].textContent = small ? `${label}: letters of ${points.toFixed(1)} pt` : label;
  });
}

function drawing(plot, widthMm, ground) {
  const layers = Array.from(plot.querySelectorAll(".main-svg"));
  const width = wholeWidth(plot);
  const height = Number(layers[0].getAttribute("height"));
  const wanted = (TEXT_POINTS / POINTS_PER_INCH) * MM_PER_INCH / (widthMm || 1) * width;
  const size = widthMm ? Math.min(wanted, SCREEN_TEXT) : SCREEN_TEXT;
  const lines = plot.layout.meta.caption.flatMap((line) => broken(line, width - 2 * EDGE, size));
  const whole = Math.ceil(height + size * (1 + LINE * lines.length));
  const root = document.createElementNS(SVG, "svg");
  const set = (element, values) => {
    for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
    return element;
  };
  const length = (units) => (widthMm ? `${(units * widthMm) / width}mm` : units);
  set(root, {
    xmlns: SVG, width: length(width), height: length(whole), viewBox: `${-EDGE} 0 ${width} ${whole}`,
  });
  root.append(set(document.createElementNS(SVG, "rect"), { x: -EDGE, width, height: whole, fill: ground }));
  for (const layer of layers) {
    const copy = layer.cloneNode(true);
    keepLengths(layer, copy);
    for (const unseen of copy.querySelectorAll(".hoverlayer, .zoomlayer, .draglayer")) unseen.remove();
    copy.removeAttribute("style");  // it paints a background, over the layers below
    root.append(copy);
  }
  const colour = getComputedStyle(plot).color;
  lines.forEach((line, place) => {
    const text = set(document.createElementNS(SVG, "text"), {
      x: 0, y: height + size * (1 + LINE * place), "font-size": size, fill: colour,
      "font-family": "Source Sans, sans-serif",
    });
    text.textContent = line;
    root.append(text);
  });
  const pixels = widthMm ? (widthMm / MM_PER_INCH) * DPI : (width / PIXELS_PER_INCH) * DPI;
  return { root, scale: pixels / width, width, height: whole };
}

// The file may be read where the page's typeface is not: its texts keep the room they have here.
function keepLengths(layer, copy) {
  const copies = copy.querySelectorAll("text, tspan");
  layer.querySelectorAll("text, tspan").forEach((text, place) => {
    const length = text.childElementCount ? 0 : text.getComputedTextLength();
    if (!length) return;
    copies[place].setAttribute("textLength", length.toFixed(2));
    copies[place].setAttribute("lengthAdjust", "spacingAndGlyphs");
  });
}

function broken(text, room, size) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `${size}px sans-serif`;
  const parts = [""];
  for (const word of text.split(/\s+/)) {
    const last = parts.length - 1;
    const longer = parts[last] ? `${parts[last]} ${word}` : word;
    if (pen.measureText(longer).width <= room) { parts[last] = longer; continue; }
    if (parts[last]) parts.push("");
    for (const character of word) {
      const here = parts.length - 1;
      if (parts[here] && pen.measureText(parts[here] + character).width > room) parts.push("");
      parts[parts.length - 1] += character;
    }
  }
  return parts;
}

function background(element) {
  for (let one = element; one; one = one.parentElement) {
    const colour = getComputedStyle(one).backgroundColor;
    if (colour !== "transparent" && !/, 0\)$/.test(colour)) return colour;
  }
  return "#ffffff";
}

function saveSvg({ root }, name) {
  download(new Blob([new XMLSerializer().serializeToString(root)], { type: "image/svg+xml" }), `${name}.svg`);
}

function savePng({ root, scale, width, height }, name) {
  root.setAttribute("width", width);
  root.setAttribute("height", height);
  const picture = new Image();
  picture.onload = () => {
    const canvas = made("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    canvas.toBlob(async (blob) => {
      download(new Blob(withDpi(await blob.arrayBuffer()), { type: "image/png" }), `${name}.png`);
    }, "image/png");
  };
  const text = new XMLSerializer().serializeToString(root);
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}

// A pHYs chunk behind the header, which is 33 bytes long (PNG, 11.3.4.3): pixels a metre.
function withDpi(buffer) {
  const chunk = new DataView(new ArrayBuffer(21));
  chunk.setUint32(0, 9);
  [..."pHYs"].forEach((letter, place) => chunk.setUint8(4 + place, letter.charCodeAt(0)));
  const perMetre = Math.round((DPI / MM_PER_INCH) * 1000);
  chunk.setUint32(8, perMetre);
  chunk.setUint32(12, perMetre);
  chunk.setUint8(16, 1);
  chunk.setUint32(17, crc(new Uint8Array(chunk.buffer, 4, 13)));
  return [buffer.slice(0, 33), chunk.buffer, buffer.slice(33)];
}

function crc(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return (value ^ 0xffffffff) >>> 0;
}

function download(blob, name) {
  const link = made("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
