// Those who don't live here and come on foot: visitor, courier (where couriers go in), and who is back from elsewhere.

import { button, h } from "./dom.js";
import { Form, dropper, keyArea, stepper, tile } from "./form.js";
import { arrivedQuestion, choiceQuestion, dwellingQuestion, nameQuestion, originQuestion, phoneQuestion } from "./questions.js";
import { cell } from "./grid.js";
import { keys, read, say } from "./words.js";

const BLANK = { name: "", phone: "", origin: "", purpose: "visit", building: "", room: "", key_area: false, arrived: "", people: 1 };

const editors = {
  dwelling: dwellingQuestion(), purpose: choiceQuestion("purpose", "purposes"), name: nameQuestion, phone: phoneQuestion,
  origin: originQuestion, arrived: arrivedQuestion,
};

function formOf(who, needs, ready, blank = {}) {
  return new Form({
    name: who,
    blank: () => ({ ...BLANK, ...blank }),
    needs: () => needs,
    editors, ready,
    touch: ({ told, pass_id, holder, ...said }, how) => ({ action: "register", who, ...said, host_confirmed: how === "confirmed" }),
    isTaken: (said, snapshot) => snapshot.phase !== "waiting" && snapshot.holder?.who === who,
  });
}

export function household(form, label) {
  return tile(form, "dwelling", form.said.building + form.said.room, { label });
}

// The household said yes, or couldn't be asked; without one there is nothing to ask.
export function submit(form) {
  const one = (how, label, kind) => button(label, (element) => form.post(element, how), { class: kind, "data-submit": how });
  if (!form.said.building) return h("div", { class: "row submit" }, dropper(form), one("measure", say("ui", "measure"), "primary"));
  return h("div", { class: "row submit" }, dropper(form),
    one("unconfirmed", say("ui", "not_confirmed"), "quiet"), one("confirmed", say("ui", "confirmed_measure"), "primary"));
}

function purposeChips(form) {
  const chip = (key) => cell({ label: say("purposes", key), pressed: form.said.purpose === key, act: () => form.set({ purpose: key }) });
  return h("div", { class: "row part chips" }, keys("purposes").map(chip));
}

function person(form) {
  return [tile(form, "name", form.said.name), tile(form, "phone", form.said.phone), originTile(form)];
}

function originTile(form) {
  return tile(form, "origin", read("origins", form.said.origin));
}

function visitorReady(form) {
  return [
    h("div", { class: "row part" }, household(form), person(form)),
    purposeChips(form),
    h("div", { class: "row part" }, keyArea(form), stepper(form)),
    submit(form),
  ];
}

function travellerReady(form) {
  const send = button(say("ui", "measure"), (element) => form.post(element), { class: "primary", "data-submit": "measure" });
  return [
    h("div", { class: "row part" }, household(form, say("fields", "home")), originTile(form), tile(form, "arrived", form.said.arrived.slice(5))),
    h("div", { class: "row part" }, tile(form, "name", form.said.name), tile(form, "phone", form.said.phone)),
    h("div", { class: "row part" }, keyArea(form), stepper(form)),
    h("div", { class: "row submit" }, dropper(form), send),
  ];
}

export const visitor = formOf("visitor", ["dwelling"], visitorReady);
export const courier = formOf("courier", ["dwelling"], visitorReady, { purpose: "delivery" });
export const traveller = formOf("traveller", ["dwelling", "origin", "arrived"], travellerReady);
