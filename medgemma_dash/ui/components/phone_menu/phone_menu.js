// Streamlit leaves the panel open, over most of the page that was just chosen in it.
export default function ({ data }) {
  const phone = window.matchMedia(`(max-width: ${data.narrow}px)`);
  const close = ({ target }) => {
    if (phone.matches && target.closest('[data-testid="stSidebarNavLink"]'))
      document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
  };
  document.addEventListener("click", close);
  return () => document.removeEventListener("click", close);
}
