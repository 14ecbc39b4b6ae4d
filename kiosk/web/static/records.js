// The last entries; a mistaken one is cancelled here.

import { h } from "./dom.js";
import { Frozen, nothing, row } from "./lists.js";
import { errorWords } from "./nav.js";
import { send, surely } from "./touch.js";
import { celsius, listed, say } from "./words.js";

const ROWS = 3;
const frozen = new Frozen();
let opened = false;

export const records = {
  name: "records",
  open: () => { opened = false; },
  scene: () => frozen.first,
  draw(snapshot) {
    if (!opened) frozen.open(snapshot.entries);
    opened = true;
    const lines = frozen.kept(snapshot.entries, "id");
    return [
      h("p", { class: "duty", id: "duty" }, errorWords(snapshot) || duty(snapshot)),
      lines.length ? h("ol", { class: "rows", id: "entries" }, frozen.page(lines, ROWS).map(line)) : nothing("no_entries"),
      frozen.turners(lines.length, ROWS, signOff(snapshot)),
    ];
  },
};

export function entryWords(entry) {
  return [entry.time, say("directions", entry.direction), say("outcomes", entry.outcome), celsius(entry.celsius)].filter(Boolean).join(" ");
}

function duty({ volunteer, online, inside, link_detail: link }) {
  const on = volunteer ? say("ui", "on_duty", { ...volunteer, hours: volunteer.hours.toFixed(1) }) : say("ui", "nobody");
  const count = inside == null ? "" : say("ui", "inside", { n: inside });
  return [on, online ? count : link].filter(Boolean).join(" · ");
}

function line({ line: entry }) {
  const whom = [entry.name, entry.dwelling, listed("reasons", entry.reasons)].filter(Boolean).join(" ");
  return row({ what: entryWords(entry), whom, act: corrector(entry), kind: entry.cancelled ? "cancelled" : null });
}

function corrector({ id, cancelled, time }) {
  if (cancelled) return h("span", { class: "done" }, say("ui", "corrected"));
  const correct = (element) => send({ action: "correct", entry: id }, element);
  return surely(`correct ${id}`, say("ui", "correct"), correct, { "data-correct": id, "aria-label": `${say("ui", "correct")} ${time}` });
}

function signOff({ volunteer }) {
  const go = (element) => send({ action: "sign_off" }, element);
  return surely("sign off", say("ui", "sign_off"), go, { id: "sign-off", disabled: !volunteer });
}
