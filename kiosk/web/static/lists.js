// Lists of people, as they were when they were opened: no line may move under a finger.

import { button, h } from "./dom.js";
import { say } from "./words.js";

const BREAK = "  ";

// Keeps the order in which lines were first seen, and what a line said last when it is gone.
export class Frozen {
  #lines = [];

  open(lines) {
    this.#lines = [...lines];
    this.first = 0;
  }

  // The lines with what is newest of each; `here` tells whether one is still on the station's own list.
  kept(now, key) {
    const newest = new Map(now.map((line) => [line[key], line]));
    this.#lines = this.#lines.map((line) => newest.get(line[key]) ?? line);
    return this.#lines.map((line) => ({ line, here: newest.has(line[key]) }));
  }

  // Those, and whoever has come since, at the end.
  grown(now, key) {
    const known = new Set(this.#lines.map((line) => line[key]));
    this.#lines.push(...now.filter((line) => !known.has(line[key])));
    return this.kept(now, key);
  }

  page(lines, rows) {
    return lines.slice(this.first, this.first + rows);
  }

  // What stands below the lines: the ways to the others, where there are any, and what else is given.
  turners(count, rows, ...more) {
    const turn = (by) => () => { this.first = Math.min(Math.max(this.first + by * rows, 0), count - 1); };
    const turner = (sign, by, key, disabled) =>
      button(sign, turn(by), { class: "turn", disabled, "aria-label": say("ui", key), "data-turn": String(by) });
    const turners = count <= rows ? [] : [
      turner("‹", -1, "previous", this.first === 0), turner("›", 1, "following", this.first + rows >= count),
    ];
    return turners.length || more.length ? h("div", { class: "row turns" }, turners, more) : null;
  }
}

export function row({ what, whom, act, kind }) {
  return h("li", { class: kind }, h("p", { class: "what" }, what), h("p", { class: "whom" }, whom), act);
}

export function joined(parts) {
  return parts.filter(Boolean).join(BREAK);
}

export function minutes(n) {
  return say("ui", "minutes", { n });
}

export function nothing(key) {
  return h("p", { class: "said" }, say("ui", key));
}
