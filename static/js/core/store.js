// A small store: named values, and functions that want to know when one has changed. Listeners run once per frame at most.

import { perFrame } from "./dom.js";

export class Store {
  constructor(values = {}) {
    this.values = values;
    this.watchers = new Map(); // topic → Set
    this.changed = new Set();
    this.flush = perFrame(() => this.tell());
  }

  get(topic) {
    return this.values[topic];
  }

  set(topic, value) {
    this.values[topic] = value;
    this.touch(topic);
  }

  /** Say that something inside a value has changed. */
  touch(topic) {
    this.changed.add(topic);
    this.flush();
  }

  /** Call a function now, when asked to, and whenever one of the topics has changed. Gives a function that ends it. */
  watch(topics, run, { now = true } = {}) {
    const names = [topics].flat();
    for (const name of names) {
      if (!this.watchers.has(name)) this.watchers.set(name, new Set());
      this.watchers.get(name).add(run);
    }
    if (now) run();
    return () => names.forEach((name) => this.watchers.get(name)?.delete(run));
  }

  tell() {
    const runs = new Set();
    for (const topic of this.changed) for (const run of this.watchers.get(topic) ?? []) runs.add(run);
    this.changed.clear();
    for (const run of runs) run();
  }
}
