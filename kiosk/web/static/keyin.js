// 补录: line after line of a paper page, or from memory. Each is shown as added only when the station has it written.

import { button, h } from "./dom.js";
import { Form, dropper, tile } from "./form.js";
import { celsiusQuestion, choiceQuestion, dwellingQuestion, nameQuestion, numberQuestion, timeQuestion } from "./questions.js";
import { plateQuestion, plateWords } from "./plate.js";
import { celsius, say } from "./words.js";

const WHO = ["resident", "visitor", "courier", "worker", "vehicle", "taxi"];
const PLATE = "沪";
const BLANK = {
  time: "", direction: "in", who: "resident", pass_id: null, holder: "", building: "", room: "", name: "", plate: PLATE,
  celsius: null, page: "", line: "1", done: "",
};

// The province alone is no plate.
const plateOf = ({ plate }) => (plate === PLATE ? "" : plate);
const isVehicle = ({ who }) => who === "vehicle" || who === "taxi";

function needs(said) {
  return ["who", "time", isVehicle(said) ? "plate" : "dwelling"];
}

function touch({ time, direction, who, pass_id, building, room, name, plate, celsius, page, line }) {
  return {
    action: "key_in", time, direction, who, pass_id: who === "resident" ? pass_id : null, building, room, name, celsius, page,
    plate: plateOf({ plate }), line: page ? Number(line) : 0,
  };
}

function isTaken(said, snapshot, before) {
  const known = new Set(before.entries.map(({ id }) => id));
  return snapshot.entries.some(({ id, reasons }) => !known.has(id) && reasons.includes("written_later"));
}

function next({ time, who, direction, page, line, building, room, holder, plate }) {
  const what = [time, holder || building + room || plateOf({ plate })].filter(Boolean).join(" ");
  return { ...BLANK, who, direction, page, line: page ? String(Number(line) + 1) : line, done: what, told: ["who"] };
}

function ready(form) {
  const { said } = form, { direction } = said;
  const turn = () => form.set({ direction: direction === "in" ? "out" : "in" });
  const words = [h("small", {}, say("fields", "direction")), h("b", {}, say("directions", direction))];
  const way = button(words, turn, { class: "tile", "data-field": "direction" });
  const post = (element) => form.post(element);
  const write = button(say("ui", "key_in_line"), post, { class: "primary", "data-submit": "key_in", disabled: !said.time });
  return [
    h("div", { class: "row part" },
      tile(form, "time", said.time), way, tile(form, "who", say("whos", said.who)), tile(form, "celsius", celsius(said.celsius))),
    h("div", { class: "row part" },
      tile(form, "dwelling", said.building + said.room, { label: say("fields", said.who === "resident" ? "home" : "dwelling") }),
      isVehicle(said) ? tile(form, "plate", plateOf(said) && plateWords(said.plate)) : tile(form, "name", said.holder || said.name),
      tile(form, "page", said.page), tile(form, "line", said.page ? said.line : "")),
    h("p", { class: "note" }, said.done ? say("ui", "keyed_in", { what: said.done }) : ""),
    h("div", { class: "row submit" }, dropper(form), write),
  ];
}

const anyDwelling = dwellingQuestion();
const residents = dwellingQuestion({ wantsHolder: true, skip: "skip" });

export const keyIn = new Form({
  name: "key_in",
  blank: ({ page }) => ({ ...BLANK, page: page ? String(page) : "" }),
  needs, touch, isTaken, next, ready,
  editors: {
    time: timeQuestion, who: choiceQuestion("who", "whos", { among: WHO }), celsius: celsiusQuestion,
    name: nameQuestion, plate: plateQuestion,
    dwelling: (form, state) => (form.said.who === "resident" ? residents : anyDwelling)(form, state),
    page: numberQuestion("page", 6), line: numberQuestion("line", 2),
  },
});
