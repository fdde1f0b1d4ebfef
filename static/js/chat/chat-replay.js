// <chat-replay>: what was said in a contest, up to the moment that the film shows.

import { lineNode } from "./line.js";

class ChatReplay extends HTMLElement {
  connectedCallback() {
    if (this.lines) return;
    this.lines = JSON.parse(this.querySelector("script[type='application/json']").textContent);
    this.times = this.lines.map((line) => Date.parse(line.timestamp));
    this.list = this.querySelector("ol");
    this.shown = 0;
    this.hear = (event) => this.show(event.detail);
    document.addEventListener("film:moment", this.hear);
  }

  disconnectedCallback() {
    document.removeEventListener("film:moment", this.hear);
  }

  show(moment) {
    let wanted = this.shown;
    while (wanted < this.lines.length && this.times[wanted] <= moment) wanted += 1;
    while (wanted > 0 && this.times[wanted - 1] > moment) wanted -= 1;
    if (wanted === this.shown) return;
    while (this.shown > wanted) {
      this.list.lastElementChild.remove();
      this.shown -= 1;
    }
    for (; this.shown < wanted; this.shown += 1) this.list.append(lineNode(this.lines[this.shown], { userId: null, before: this.lines[this.shown - 1] }));
    this.querySelector(".empty").hidden = this.shown > 0;
    const scroll = this.querySelector(".chat-scroll");
    scroll.scrollTop = scroll.scrollHeight;
  }
}

customElements.define("chat-replay", ChatReplay);
