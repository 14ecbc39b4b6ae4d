// A vehicle: its plate, who comes with it, whether its boot was looked into. A booking fills in what it knows.

import { h } from "./dom.js";
import { Form, keyArea, stepper, tile, toggle } from "./form.js";
import { choiceQuestion, dwellingQuestion } from "./questions.js";
import { plateQuestion, plateWords } from "./plate.js";
import { household, submit } from "./visitor.js";
import { say } from "./words.js";

const PLATE = "沪";
const PURPOSES = { removal: "other", workers: "repair", guest: "visit", delivery: "delivery", medical: "care" };

// booking: what the committee has booked, as the snapshot has it
function blank({ booking }) {
  return {
    plate: booking?.plate || PLATE, people: Math.min(Math.max(booking?.crew ?? 1, 1), 20), booking: booking?.id ?? null, taxi: false,
    boot_checked: false, building: "", room: "", key_area: false, purpose: PURPOSES[booking?.kind] ?? "visit",
    booked_dwelling: booking?.dwelling ?? "", told: booking ? ["plate"] : [],
  };
}

function touch({ told, pass_id, holder, booked_dwelling, plate, ...said }, how) {
  return { action: "vehicle", ...said, plate: plate === PLATE ? "" : plate, host_confirmed: how === "confirmed" };
}

function ready(form) {
  const where = form.said.building ? household(form) : tile(form, "dwelling", form.said.booked_dwelling);
  return [
    h("div", { class: "row part" }, tile(form, "plate", plateWords(form.said.plate)), where),
    h("div", { class: "row part" },
      tile(form, "purpose", say("purposes", form.said.purpose)), toggle(form, "taxi", say("ui", "taxi")),
      toggle(form, "boot_checked", say("ui", "boot_checked"))),
    h("div", { class: "row part" }, keyArea(form), stepper(form)),
    submit(form),
  ];
}

export const vehicle = new Form({
  name: "vehicle", blank, touch, ready,
  needs: () => ["plate"],
  editors: { plate: plateQuestion, dwelling: dwellingQuestion(), purpose: choiceQuestion("purpose", "purposes") },
  isTaken: (said, snapshot) => snapshot.phase !== "waiting" && ["vehicle", "taxi"].includes(snapshot.holder?.who),
});
