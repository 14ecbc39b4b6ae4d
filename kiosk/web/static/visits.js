// 在内: who came to visit, deliver or work and has not left.

import { button, h } from "./dom.js";
import { asking } from "./form.js";
import { Frozen, joined, minutes, nothing, row } from "./lists.js";
import { errorWords } from "./nav.js";
import { send } from "./touch.js";
import { say } from "./words.js";

const ROWS = 3;
const frozen = new Frozen();
let opened = false;

export const visits = {
  name: "visits",
  open: () => { opened = false; },
  scene: () => frozen.first,
  draw(snapshot) {
    if (!opened) frozen.open([...snapshot.visits].sort((a, b) => Number(b.overdue) - Number(a.overdue)));
    opened = true;
    const lines = frozen.grown(snapshot.visits, "entry");
    if (!lines.length) return nothing("no_visits");
    return [
      asking(null, errorWords(snapshot)),
      h("ol", { class: "rows" }, frozen.page(lines, ROWS).map(visit)),
      frozen.turners(lines.length, ROWS),
    ];
  },
};

function visit({ line, here }) {
  const what = [line.time, say("whos", line.who), line.plate, line.name].filter(Boolean).join(" ");
  const people = line.people > 1 ? say("ui", "people", { n: line.people }) : "";
  const purpose = line.purpose && say("purposes", line.purpose);
  const whom = joined([line.overdue && say("ui", "overdue"), minutes(line.minutes), line.dwelling, people, purpose]);
  const act = here ? leaver(line.entry) : h("span", { class: "done" }, say("ui", "has_left"));
  return row({ what, whom, act, kind: here ? (line.overdue ? "due" : null) : "cancelled" });
}

function leaver(entry) {
  return button(say("ui", "left"), (element) => send({ action: "end_visit", entry }, element), { "data-leave": entry });
}
