// 旁边: who waits at the side. At the left one is chosen, at the right it is done with them.

import { button, h } from "./dom.js";
import { Frozen, joined, minutes, nothing } from "./lists.js";
import { errorWords } from "./nav.js";
import { send, surely } from "./touch.js";
import { celsius, listed, say } from "./words.js";

const ROWS = 3;
const frozen = new Frozen();
let opened = false, chosen = null;

export const aside = {
  name: "aside",
  open: () => { opened = false; },
  scene: () => frozen.first,
  draw(snapshot) {
    if (!opened) begin(snapshot);
    const lines = frozen.grown(snapshot.aside, "id");
    if (!lines.length) return nothing("nobody_aside");
    if (!lines.find(({ line, here }) => here && line.id === chosen)) chosen = lines.find(({ here }) => here)?.line.id;
    const one = lines.find(({ line }) => line.id === chosen)?.line;
    return h("div", { class: "pair" },
      h("div", { class: "waiting" }, frozen.page(lines, ROWS).map(person), frozen.turners(lines.length, ROWS)),
      h("div", { class: "doing" }, one ? doing(one, errorWords(snapshot)) : nothing("nobody_aside")));
  },
};

function begin(snapshot) {
  opened = true;
  const order = [...snapshot.aside].sort((a, b) => Number(b.due) - Number(a.due));
  frozen.open(order);
  chosen = order[0]?.id;
}

function person({ line, here }) {
  const state = here ? (line.due ? say("ui", "rested") : minutes(line.minutes)) : say("ui", "has_left");
  const words = [h("b", {}, who(line)), h("small", {}, joined([celsius(line.celsius), state]))];
  const choose = () => { chosen = line.id; };
  const pressed = String(line.id === chosen);
  return button(words, choose, { class: here && line.due ? "one due" : "one", disabled: !here, "aria-pressed": pressed, "data-one": line.id });
}

function doing(one, error) {
  const { id: entry } = one, post = (touch) => (element) => send({ ...touch, entry }, element);
  return [
    h("p", { class: "about" }, [one.name || say("whos", one.who), one.dwelling, one.plate].filter(Boolean).join(" ")),
    h("p", { class: error ? "note wrong" : "note" }, error || joined([one.time, minutes(one.minutes), celsius(one.celsius)])),
    h("p", { class: "note" }, listed("reasons", one.reasons)),
    h("div", { class: "actions" },
      button(say("ui", "recall"), post({ action: "recall" }), { class: "primary", disabled: !one.can_recall, "data-do": "recall" }),
      button(say("ui", "admit"), post({ action: "decide", admit: true }), { class: "primary admits", "data-do": "admit" }),
      surely(`gone ${entry}`, say("ui", "gone"), post({ action: "gone" }), { "data-do": "gone" }),
      button(say("ui", "turn_away"), post({ action: "decide", admit: false }), { class: "primary refuses", "data-do": "refuse" })),
  ];
}

function who({ name, dwelling, plate, who }) {
  return name || plate || dwelling || say("whos", who);
}
