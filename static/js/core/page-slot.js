// <page-slot data-src="…">: a place that another part of the site fills by its address. An absent or failing part leaves no hole.

class PageSlot extends HTMLElement {
  async connectedCallback() {
    let response;
    try {
      response = await fetch(this.dataset.src, { credentials: "same-origin", headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(10_000) });
    } catch {
      return;
    }
    if (!response.ok || response.status === 204) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const scripts = [...page.querySelectorAll("script[src]")]; // others are data, which stay where they are
    for (const script of scripts) script.remove();
    const content = document.importNode(page.body, true);
    if (!content.childElementCount) return;
    this.replaceChildren(...content.childNodes);
    for (const script of scripts) this.run(script);
    this.closest("[data-slot]")?.removeAttribute("hidden");
    this.dispatchEvent(new CustomEvent("slot:filled", { bubbles: true }));
  }

  /** A script that was parsed does not run: one that is made does. The policy allows those with an address of our own. */
  run({ src, type }) {
    const script = document.createElement("script");
    Object.assign(script, { src, type });
    this.append(script);
  }
}

customElements.define("page-slot", PageSlot);
