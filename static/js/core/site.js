// On every page: theme and palette, menus that close, times in the visitor's zone, what is switched off.

import { h } from "./dom.js";
import { localTimes } from "./times.js";

const root = document.documentElement;
const YEAR_S = 31_536_000;

function choose(name, value) {
  root.dataset[name] = value;
  localStorage.setItem(name, value);
  document.cookie = `${name}=${value};path=/;max-age=${YEAR_S};samesite=lax${location.protocol === "https:" ? ";secure" : ""}`;
  document.dispatchEvent(new CustomEvent("appearance"));
}

const form = document.getElementById("appearance");
form?.addEventListener("change", (event) => choose(event.target.name, event.target.value));
form?.addEventListener("submit", (event) => event.preventDefault());
// another tab chose: follow it
addEventListener("storage", ({ key, newValue }) => {
  if ((key !== "theme" && key !== "palette") || !newValue) return;
  root.dataset[key] = newValue;
  const choice = form?.querySelector(`input[name="${key}"][value="${CSS.escape(newValue)}"]`);
  if (choice) choice.checked = true;
  document.dispatchEvent(new CustomEvent("appearance"));
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new CustomEvent("appearance")));

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
}
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.menu[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

localTimes(document);

// an operator has switched something off or on: said as on a page that is loaded now
document.addEventListener("switches", ({ detail: { off } }) => {
  for (const banner of document.querySelectorAll(".switch-banner")) banner.remove();
  const banners = off.map(({ said, meaning }) => h("p", { class: "market-banner switch-banner", role: "alert" }, h("b", {}, said), h("span", {}, meaning)));
  document.querySelector(".site-header-row")?.after(...banners);
  const trading = off.find(({ part }) => part === "trading");
  for (const ticket of document.querySelectorAll("order-ticket")) {
    if (trading) ticket.dataset.off = trading.said;
    else delete ticket.dataset.off;
  }
});
