// The questions that several forms ask. Nothing needs a keyboard: lists and digits, since gloves type no characters.

import { button, h } from "./dom.js";
import { digits } from "./digits.js";
import * as dwelling from "./dwelling.js";
import { cell, grid } from "./grid.js";
import { keys, say, written } from "./words.js";

const DAYS = 14;
const CLOCK = /^([01]\d|2[0-3])[0-5]\d$/;

export function dwellingQuestion({ wantsHolder = false, skip = "no_dwelling" } = {}) {
  return (form, state) => {
    const found = ({ building, room, holder }) =>
      form.answer({ building, room, pass_id: holder?.pass_id ?? null, holder: holder?.name ?? "" });
    const none = { label: say("ui", skip), act: () => found({ building: "", room: "" }) };
    return {
      prompt: dwelling.prompt(state),
      scene: dwelling.scene(state),
      back: () => dwelling.stepBack(state),
      nodes: dwelling.pick({ state, wantsHolder, done: found, skip: none, unknown: say("ui", "not_known") }),
    };
  };
}

export function choiceQuestion(field, group, { among = keys(group), columns = 3, rows = 2 } = {}) {
  return (form, state) => {
    const one = (key) => ({ label: say(group, key), kind: "big", pressed: form.said[field] === key, act: () => form.answer({ [field]: key }) });
    return { prompt: say("asks", field), nodes: grid(among.map(one), { state, columns, rows }) };
  };
}

export function phoneQuestion(form) {
  return {
    prompt: say("asks", "phone"),
    nodes: digits({ value: form.said.phone, most: 11, set: (phone) => form.set({ phone }), ready: true, done: () => form.answer({}) }),
  };
}

// Two touches: the family name, then 先生 or 女士.
export function nameQuestion(form, state) {
  const family = (key) => ({ label: say("surnames", key), act: () => { state.family = key; } });
  if (!state.family) {
    const skip = { label: say("ui", "skip"), act: () => form.answer({ name: "" }), kind: "aid" };
    const nodes = grid(keys("surnames").map(family), { state, columns: 7, rows: 4, extra: [skip] });
    return { prompt: say("asks", "name"), scene: state.page ?? 0, nodes };
  }
  const full = (key) => written("surnames", state.family) + written("honorifics", key);
  const one = (key) => ({ label: say("honorifics", key), kind: "big", act: () => form.answer({ name: full(key) }) });
  return {
    prompt: say("asks", "honorific", { name: say("surnames", state.family) }),
    scene: "honorific",
    back: () => { state.family = null; return true; },
    nodes: grid(keys("honorifics").map(one), { state: {}, columns: 2, rows: 1 }),
  };
}

export function originQuestion(form, state) {
  const one = (key) => ({ label: say("origins", key), act: () => form.answer({ origin: written("origins", key) }) });
  return { prompt: say("asks", "origin"), scene: state.page ?? 0, nodes: grid(keys("origins").map(one), { state, columns: 5, rows: 4 }) };
}

export function arrivedQuestion(form) {
  const chips = Array.from({ length: DAYS }, (_, ago) => dayChip(form, ago));
  return { prompt: say("asks", "arrived"), nodes: h("div", { class: "grid days", "--columns": 5, "--rows": 3 }, chips) };
}

function dayChip(form, ago) {
  const day = new Date();
  day.setDate(day.getDate() - ago);
  const date = `${day.getMonth() + 1}/${day.getDate()}`;
  const iso = [day.getFullYear(), pad(day.getMonth() + 1), pad(day.getDate())].join("-");
  const label = ago ? say("ui", "days_ago", { n: ago, date }) : say("ui", "today", { date });
  return cell({ label: "", lines: label, pressed: form.said.arrived === iso, act: () => form.answer({ arrived: iso }) });
}

export function timeQuestion(form, state) {
  const value = state.time ?? form.said.time.replace(":", "");
  const finish = (four) => form.answer({ time: `${four.slice(0, 2)}:${four.slice(2)}` });
  const set = (next) => {
    state.time = next;
    if (CLOCK.test(next)) finish(next);
  };
  return {
    prompt: form.said.done ? say("ui", "keyed_in", { what: form.said.done }) : say("asks", "time"),
    nodes: digits({
      value, most: 4, set, ready: CLOCK.test(value), done: () => finish(value), show: clockWords,
      beside: form.said.done ? [h("p", { class: "note" }, say("asks", "time"))] : [],
    }),
  };
}

export function celsiusQuestion(form, state) {
  const value = state.celsius ?? "";
  const figure = value.length < 2 ? value : `${value.slice(0, 2)}.${value.slice(2)}`;
  const none = () => form.answer({ celsius: null });
  return {
    prompt: say("asks", "celsius"),
    nodes: digits({
      value, most: 3, set: (next) => { state.celsius = next; }, show: () => `${figure + "––.–".slice(figure.length)}℃`,
      ready: value.length === 3, done: () => form.answer({ celsius: Number(figure) }),
      beside: [button(say("ui", "not_measured"), none, { class: "quiet" })],
    }),
  };
}

export function numberQuestion(field, most) {
  return (form) => ({
    prompt: say("asks", field),
    nodes: digits({ value: form.said[field], most, set: (next) => form.set({ [field]: next }), ready: true, done: () => form.answer({}) }),
  });
}

function clockWords(digits) {
  const four = digits + "––––".slice(digits.length);
  return `${four.slice(0, 2)}:${four.slice(2)}`;
}

function pad(number) {
  return String(number).padStart(2, "0");
}
