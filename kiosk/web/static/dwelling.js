// Which household: building, then room, then (where it matters) who. Without a roster, by the number pad.

import { button, h } from "./dom.js";
import { digits } from "./digits.js";
import { columnsFor, grid } from "./grid.js";
import { holdersOf, roomsOf, roster, whyNobody } from "./roster.js";
import { say } from "./words.js";

const ROWS = 4;

export function scene({ building, room, filter, page, typedBuilding }) {
  return [roster().state, building, room, filter == null ? "" : "filter", page ?? 0, typedBuilding == null ? "" : "room"].join("/");
}

export function stepBack(state) {
  if (state.filter != null) return forget(state, "filter");
  if (state.room != null) return forget(state, "room");
  if (state.building != null) return forget(state, "building");
  if (state.typedBuilding != null) return forget(state, "typedBuilding");
  return false;
}

export function prompt(state) {
  if (state.room != null) return say("asks", "holder", { dwelling: state.building + state.room });
  const building = state.building ?? state.typedBuilding;
  return building == null ? say("asks", "building") : say("asks", "room", { building });
}

// wanted: { state, done(found, element), wantsHolder, skip?: { label, act }, unknown?: label for a holder who is not listed,
//   strict: with a roster or not at all }
// found: { building, room, holder }; holder is null where nobody in particular is asked for
export function pick(wanted) {
  const { state } = wanted, known = roster().state;
  if (known === "loading" || known === "unknown") return h("p", { class: "said" }, say("ui", "loading"));
  if (known !== "here") return wanted.strict ? h("p", { class: "said" }, whyNobody()) : typed(wanted);
  if (state.room != null) return holders(wanted);
  return state.filter == null ? all(state, choicesOf(wanted), wanted.skip) : filtered(state, choicesOf(wanted));
}

export function isEmpty({ building, room }) {
  return room != null && !holdersOf(building, room).length;
}

function choicesOf(wanted) {
  const { building } = wanted.state;
  if (building != null) return roomsOf(building).map(({ room }) => [room || building, (element) => choose(wanted, room, element)]);
  return roster().buildings.map((one) => [one.building, (element) => enter(wanted, one, element)]);
}

function enter(wanted, { building, rooms }, element) {
  Object.assign(wanted.state, { building, page: 0, filter: null });
  if (rooms.length === 1 && !rooms[0].room) choose(wanted, "", element);
}

function choose({ state, done, wantsHolder }, room, element) {
  const { building } = state, living = holdersOf(building, room);
  if (!wantsHolder || living.length === 1) return done({ building, room, holder: wantsHolder ? living[0] : null }, element);
  return Object.assign(state, { room, page: 0, filter: null });
}

function all(state, choices, skip) {
  const cells = choices.map(([label, act]) => ({ label, act }));
  const columns = columnsFor(choices.map(([label]) => label), ROWS, skip && state.building == null ? 1 : 0);
  const extra = cells.length > columns * ROWS ? [{ label: say("ui", "by_digits"), act: () => { state.filter = ""; }, kind: "aid" }] : [];
  if (skip && state.building == null) extra.push({ ...skip, kind: "aid" });
  return grid(cells, { state, columns, rows: ROWS, extra });
}

function filtered(state, choices) {
  const found = choices.filter(([label]) => label.replace(/\D/g, "").startsWith(state.filter));
  return h("div", { class: "filter" },
    digits({ value: state.filter, most: 4, set: (next) => { state.filter = next; } }),
    grid(found.slice(0, 2 * ROWS).map(([label, act]) => ({ label, act })), { state: {}, columns: 2, rows: ROWS }));
}

function holders({ state, done, unknown }) {
  const { building, room } = state, living = holdersOf(building, room);
  if (isEmpty(state) && !unknown) return h("p", { class: "said" }, say("ui", "nobody_lives"));
  const cells = living.map((holder) => ({ label: holder.name, act: (element) => done({ building, room, holder }, element) }));
  const extra = unknown ? [{ label: unknown, act: () => done({ building, room, holder: null }), kind: "aid" }] : [];
  return grid(cells, { state, columns: 4, rows: 3, extra });
}

function typed({ state, done, skip }) {
  const building = state.typedBuilding;
  const finish = () => {
    if (building != null) done({ building, room: state.digits, holder: null });
    else Object.assign(state, { typedBuilding: state.digits, digits: "" });
  };
  return digits({
    value: state.digits ?? "", most: building == null ? 3 : 5, set: (next) => { state.digits = next; },
    ready: Boolean(state.digits), done: finish,
    beside: [
      roster().state === "lost" ? h("p", { class: "note" }, whyNobody()) : null,
      skip && building == null ? button(skip.label, skip.act, { class: "quiet" }) : null,
    ],
  });
}

function forget(state, key) {
  Object.assign(state, { [key]: null, page: 0, digits: "" });
  return true;
}
