// On every page: theme and palette, menus that close, times in the visitor's zone.

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
