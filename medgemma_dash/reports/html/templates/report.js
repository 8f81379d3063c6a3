"use strict";
(() => {
  // No button that sends the figure anywhere, and no server to send it to. No buttons at all: they
  // would stand over the first bar, and there is nothing to zoom.
  const config = {
    showSendToCloud: false, plotlyServerURL: "", displaylogo: false, displayModeBar: false,
    responsive: true,
  };
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const places = Array.from(document.querySelectorAll("[data-figure]"));

  function specification(place, dark) {
    const stored = (theme) => document.getElementById(`${place.dataset.figure}-${theme}`);
    return JSON.parse(((dark && stored("dark")) || stored("light")).textContent);
  }

  function draw(dark) {
    for (const place of places) {
      const figure = specification(place, dark);
      const layout = Object.assign({}, figure.layout, { autosize: true });
      delete layout.width;
      // On a small screen such a figure is scrolled, as a wide table is.
      const least = layout.meta && layout.meta.least_px;
      place.style.minWidth = least ? `${least}px` : "";
      window.Plotly.react(place, figure.data, layout, config);
    }
  }

  draw(prefersDark.matches);
  prefersDark.addEventListener("change", () => draw(prefersDark.matches));
  window.addEventListener("beforeprint", () => draw(false));
  window.addEventListener("afterprint", () => draw(prefersDark.matches));
})();
