// <viewer-count>: how many are watching this contest now.

import { text } from "../core/dom.js";
import { count } from "../core/format.js";
import { room } from "./room.js";

class ViewerCount extends HTMLElement {
  connectedCallback() {
    const value = this.querySelector("[data-part=value]");
    room().watch("viewers", () => text(value, count(room().get("viewers"))));
  }
}

customElements.define("viewer-count", ViewerCount);
