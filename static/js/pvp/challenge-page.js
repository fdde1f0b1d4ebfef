// <challenge-page>: the part of a challenge's page that changes. It is asked for again when the challenge or its contest moves on.

import { connection } from "../core/socket.js";
import { localTimes } from "../core/times.js";

const user = document.documentElement.dataset.user;
const EVERY_MS = 15_000;

class ChallengePage extends HTMLElement {
  connectedCallback() {
    connection().listen(`user.${user}`, (frame) => {
      if (frame.type === "challenge_update" && frame.data.challenge_id === this.dataset.challenge) this.refresh();
    });
    this.timer = setInterval(() => this.refresh(), EVERY_MS);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  async refresh() {
    if (document.hidden || this.asking) return;
    if (this.querySelector("details[open] input:focus, details[open] button:focus")) return; // somebody is in the middle of something
    this.asking = true;
    try {
      const response = await fetch(this.dataset.state, { credentials: "same-origin", signal: AbortSignal.timeout(8_000) });
      if (response.ok) this.show(await response.text());
    } catch {
      // the next round asks again
    } finally {
      this.asking = false;
    }
  }

  show(html) {
    const said = html.replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, "");
    if (said === this.said) return;
    this.said = said;
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const open = [...this.querySelectorAll("details")].map((one) => one.open);
    this.replaceChildren(...document.importNode(fresh.body, true).childNodes);
    [...this.querySelectorAll("details")].forEach((one, place) => (one.open = open[place] ?? false));
    localTimes(this);
  }
}

customElements.define("challenge-page", ChallengePage);
