// 预约: vehicles and crews that the committee lets come today. One touch fills in the form.

import { button, h } from "./dom.js";
import { Frozen, joined, nothing, row } from "./lists.js";
import { enter } from "./nav.js";
import { say } from "./words.js";

const ROWS = 3;
const frozen = new Frozen();
let opened = false;

export const bookings = {
  name: "bookings",
  open: () => { opened = false; },
  scene: () => frozen.first,
  draw(snapshot) {
    if (!opened) frozen.open([...snapshot.bookings].sort((a, b) => Number(b.now) - Number(a.now)));
    opened = true;
    const lines = frozen.grown(snapshot.bookings, "id");
    if (!lines.length) return none(snapshot);
    return [
      h("ol", { class: "rows" }, frozen.page(lines, ROWS).map(booking)),
      frozen.turners(lines.length, ROWS),
    ];
  },
};

function none({ roster_closed: why }) {
  return why ? h("p", { class: "said" }, say("errors", why)) : nothing("no_bookings");
}

function booking({ line }) {
  const what = [line.window, say("bookings", line.kind), line.plate].filter(Boolean).join(" ");
  const whom = joined([line.dwelling, line.crew ? say("ui", "crew", { n: line.crew }) : "", line.note]);
  const act = button(say("ui", "fill_in"), () => enter("vehicle", { booking: line }), { "data-booking": line.id });
  return row({ what, whom, act, kind: line.now ? "due" : null });
}
