// The balance, wherever it is shown: it follows the wallet without a reload.

import { flash, text } from "../core/dom.js";
import { count } from "../core/format.js";
import { connection } from "../core/socket.js";

const user = document.documentElement.dataset.user;

class WalletBalance extends HTMLElement {
  connectedCallback() {
    if (!user || this.heard) return;
    this.heard = true;
    connection().listen(`user.${user}`, (frame) => {
      if (frame.type === "wallet_update") this.show(frame.data.balance_tokens);
    });
  }

  show(balance) {
    const cell = this.querySelector("[data-part=balance]");
    const before = this.balance ?? Number(cell.textContent.replace(/\D/g, ""));
    this.balance = balance;
    if (text(cell, count(balance))) flash(cell, balance - before);
  }
}

customElements.define("wallet-balance", WalletBalance);
