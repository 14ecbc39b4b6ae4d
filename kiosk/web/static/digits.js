// A number pad for what the page asks itself: what was typed so far at the left, the keys at the right.

import { button, h } from "./dom.js";
import { say } from "./words.js";

const LARGE_MOST = 5; // longer numbers are set smaller
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", null, "0", "erase"];

// value, most digits, set(next), show(value); ready: whether done may be touched; beside: nodes under the figure
export function digits({ value, most, set, show = (v) => v, ready, done, doneLabel, beside = [] }) {
  return h("div", { class: "digits" },
    h("div", { class: "typed" },
      h("output", { class: most > LARGE_MOST ? "figure" : "figure big" }, show(value)),
      beside,
      done && button(doneLabel ?? say("ui", "done"), done, { class: "primary", disabled: !ready })),
    h("div", { class: "keys" }, KEYS.map((key) => keyButton(key, value, most, set))));
}

function keyButton(key, value, most, set) {
  if (key == null) return h("span");
  if (key === "erase") return button(say("ui", "erase"), () => set(value.slice(0, -1)), { "data-digit": "erase", class: "erase" });
  return button(key, () => { if (value.length < most) set(value + key); }, { "data-digit": key });
}
