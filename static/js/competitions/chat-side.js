// The chat beside a terminal: it appears when its slot is filled, and whether it is open is remembered.

/** open: whether it is open for who has never decided. */
export function startChat(terminal, chat, { open }) {
  const toggle = document.querySelector("[data-action=chat]");
  if (!chat || !toggle) return;
  const key = open ? "chat-shut" : "chat-open";
  const show = (shown) => {
    terminal.toggleAttribute("data-chat", shown);
    toggle.setAttribute("aria-expanded", String(shown));
  };
  chat.addEventListener("slot:filled", () => {
    toggle.hidden = false;
    document.querySelector("[data-needs=chat]")?.removeAttribute("hidden");
    show(open !== Boolean(localStorage.getItem(key)));
  });
  toggle.addEventListener("click", () => {
    const shown = !terminal.hasAttribute("data-chat");
    if (shown === open) localStorage.removeItem(key);
    else localStorage.setItem(key, "yes");
    show(shown);
  });
}
