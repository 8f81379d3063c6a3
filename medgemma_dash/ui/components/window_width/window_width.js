// Tells Python the class of the window's width when it is not the one that Python knows.
export default function (component) {
  const { data, setStateValue } = component;
  const queries = [data.narrow, data.medium].map((px) => window.matchMedia(`(max-width: ${px}px)`));
  let told = data.known;
  const tell = () => {
    const width = queries[0].matches ? "narrow" : queries[1].matches ? "medium" : "wide";
    if (width !== told) setStateValue("width", (told = width));
  };
  for (const query of queries) query.addEventListener("change", tell);
  tell();
  return () => {
    for (const query of queries) query.removeEventListener("change", tell);
  };
}
