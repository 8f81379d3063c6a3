// Draws lines of text from plain data. Every text goes through textContent, so that
// nothing a model or a user wrote can become markup, a link or a picture.
const ROLES = new Set(["plain", "word", "quiet", "small", "action", "pill", "accent-pill", "warning", "bar"]);

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".rich-line");
  root.replaceChildren();
  root.dataset.tone = data.tone;
  if (data.announce) root.setAttribute("role", data.announce);
  else root.removeAttribute("role");
  for (const line of data.lines) {
    const paragraph = document.createElement("p");
    for (const segment of line) {
      const action = segment.role === "action";
      const element = document.createElement(action ? "button" : "span");
      element.className = ROLES.has(segment.role) ? segment.role : "plain";
      if (segment.role === "bar") {
        // The words beside it say the same.
        element.setAttribute("aria-hidden", "true");
        element.style.setProperty("--filled", String(Number(segment.text) || 0));
      } else element.textContent = segment.text;
      if (segment.hint) element.title = segment.hint;
      if (action) {
        element.type = "button";
        element.dataset.action = segment.action;
        element.onclick = () => setTriggerValue("chosen", segment.action);
      }
      paragraph.append(element);
    }
    if (line.length && line.every((segment) => ["small", "bar"].includes(segment.role))) paragraph.className = "small";
    root.append(paragraph);
  }
}
