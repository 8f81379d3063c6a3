// Every text goes through textContent: a question may come from a URL, and a word from the model.
// The strip's box moves with a click, and this line when the page has been drawn anew: while a job
// is running that takes a while, and until then the word here is of the click before.
const WAITING = "medgemma-dash-word-waiting";
const NAMES = new Set(["film", "question", "word", "method", "model"]);

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".subject-line");
  let picture = root.querySelector("img");
  if (!data.picture) picture?.remove();
  else {
    if (!picture) root.prepend((picture = document.createElement("img")));
    // The line is drawn with every click; the same picture is not decoded again.
    if (picture.src !== data.picture) picture.src = data.picture;
    picture.alt = data.alt;
  }
  const parts = data.parts.filter(({ name }) => NAMES.has(name)).map(({ name, text }) => {
    const part = document.createElement("span");
    part.className = name;
    part.title = `${name[0].toUpperCase()}${name.slice(1)}: ${text}`;
    part.textContent = text;
    return part;
  });
  const line = document.createElement("div");
  line.className = "parts";
  line.append(...parts);
  root.replaceChildren(...(data.picture ? [picture] : []), line);
  root.classList.remove("waiting");
  const wait = ({ detail }) => root.classList.toggle("waiting", detail);
  window.addEventListener(WAITING, wait);
  return () => window.removeEventListener(WAITING, wait);
}
