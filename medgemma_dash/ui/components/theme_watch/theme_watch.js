// Tells Python when the page is no longer in the theme that it was drawn in. Streamlit shows its
// theme on the element that holds the program, by a class; the media query would be too early.
export default function ({ parentElement, data, setTriggerValue }) {
  if (!parentElement.querySelector(".theme-watch")) {
    const marker = document.createElement("div");
    marker.className = "theme-watch";
    parentElement.append(marker);
  }
  const app = document.querySelector('[data-testid="stApp"]');
  let known = data.drawn;
  const tell = () => {
    const seen = getComputedStyle(app).colorScheme;
    if (seen !== known) setTriggerValue("changed", (known = seen));
  };
  const observer = new MutationObserver(tell);
  observer.observe(app, { attributes: true, attributeFilter: ["class"] });
  tell();
  return () => observer.disconnect();
}
