// On a phone the terminal shows one area at a time, chosen in the bar at the bottom. Wider screens show all of them.

export function startTabs(terminal) {
  const bar = terminal?.querySelector(".phone-tabs");
  if (!bar) return;
  const show = (name) => {
    terminal.dataset.area = name;
    for (const button of bar.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.area === name));
  };
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-area]");
    if (button) show(button.dataset.area);
  });
  document.addEventListener("ticket:side", () => show("ticket"));
  show(terminal.dataset.area);
}
