// Streamlit draws the chips anew when one is chosen, so their titles are set whenever that happens.
export default function (component) {
  const { choice, hints } = component.data;
  const label = () => {
    for (const chip of document.querySelectorAll(`.st-key-${choice} button`)) {
      const hint = hints[chip.innerText.trim()];
      if (hint && chip.title !== hint) chip.title = hint;
    }
  };
  const observer = new MutationObserver(label);
  observer.observe(document.querySelector(`.st-key-${choice}`)?.parentElement ?? document.body, {
    childList: true,
    subtree: true,
  });
  label();
  return () => observer.disconnect();
}
