// A row of tabs over panels: arrow keys walk it, one panel is shown.

import { keyed } from "./dom.js";

/** Bind the tabs of an element. show(name) is called for each choice; gives a function that chooses. */
export function bindTabs(root, show) {
  const tabs = [...root.querySelectorAll("[role=tab]")];
  const panels = new Map([...root.querySelectorAll("[data-panel]")].map((panel) => [panel.dataset.panel, panel]));
  const choose = (name) => {
    for (const tab of tabs) {
      const on = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      panels.get(tab.dataset.tab).hidden = !on;
    }
    show(name);
  };
  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(tab.dataset.tab));
    tab.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const next = tabs.at((tabs.indexOf(tab) + by) % tabs.length);
      next.focus();
      choose(next.dataset.tab);
    });
  }
  return { choose, panel: (name) => panels.get(name) };
}

/** Fill a panel's table, or show its empty note. */
export function fillPanel(panel, rows, key, make, update = () => {}) {
  keyed(panel.querySelector("tbody"), rows, key, make, update);
  panel.querySelector("[data-part=empty]").hidden = rows.length > 0;
  panel.querySelector("table").hidden = rows.length === 0;
}
