// The last entries; a mistaken one is cancelled here.

import { button, h } from "./dom.js";
import { asking } from "./form.js";
import { Frozen, nothing, row } from "./lists.js";
import { errorWords } from "./nav.js";
import { send, surely } from "./touch.js";
import { celsius, listed, say, volunteerName } from "./words.js";

const ROWS = 3;
const frozen = new Frozen();
const DETAILS = ["ambulance", "fire", "police", "other"];
let opened = false, detailing = null;

export const records = {
  name: "records",
  open: () => { opened = false; detailing = null; },
  back: () => detailing != null && !(detailing = null),
  scene: () => [frozen.first, detailing].join(),
  draw(snapshot) {
    if (!opened) frozen.open(snapshot.entries);
    opened = true;
    if (detailing != null) return detailed(snapshot);
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

// Who came through an emergency: one touch, when there is time.
function detailed(snapshot) {
  const tell = (what) => (element) => { send({ action: "detail", entry: detailing, what }, element); detailing = null; };
  const cells = DETAILS.map((what) => button(say("details", what), tell(what), { "data-detail": what }));
  return [asking(say("asks", "detail"), errorWords(snapshot)), h("div", { class: "grid", "--columns": 2, "--rows": 2 }, cells)];
}

function duty({ volunteer, online, inside, link_detail: link }) {
  const on = volunteer ? say("ui", "on_duty", onDuty(volunteer)) : say("ui", "nobody");
  const count = inside == null ? "" : say("ui", "inside", { n: inside });
  return [on, online ? count : link].filter(Boolean).join(" · ");
}

function onDuty(volunteer) {
  return { ...volunteer, name: volunteerName(volunteer), hours: volunteer.hours.toFixed(1) };
}

function line({ line: entry }) {
  const whom = [entry.name, entry.dwelling, entry.note ? say("details", entry.note) : listed("reasons", entry.reasons)].filter(Boolean).join(" ");
  return row({ what: entryWords(entry), whom, act: corrector(entry), kind: entry.cancelled ? "cancelled" : null });
}

function corrector({ id, cancelled, time, outcome, note }) {
  if (cancelled) return h("span", { class: "done" }, say("ui", "corrected"));
  if (outcome === "emergency" && !note) return button(say("ui", "add_detail"), () => { detailing = id; }, { "data-detail-of": id });
  const correct = (element) => send({ action: "correct", entry: id }, element);
  return surely(`correct ${id}`, say("ui", "correct"), correct, { "data-correct": id, "aria-label": `${say("ui", "correct")} ${time}` });
}

function signOff({ volunteer }) {
  const go = (element) => send({ action: "sign_off" }, element);
  return surely("sign off", say("ui", "sign_off"), go, { id: "sign-off", disabled: !volunteer });
}
