// Who lives where, fetched when it is first wanted and kept as long as the directory stays the same and open.

import { say } from "./words.js";

let version = null, closed = null, buildings = [], state = "unknown";

export function fetchRoster(snapshot, redraw) {
  if (version === snapshot.roster && closed === snapshot.roster_closed && state !== "lost") return;
  version = snapshot.roster;
  closed = snapshot.roster_closed;
  buildings = [];
  state = version ? "loading" : closed ? "closed" : "none";
  if (version) receive(version, redraw);
}

// Why there is nobody in it, in words; empty while there is.
export function whyNobody() {
  if (state === "closed") return say("errors", closed);
  return { none: say("ui", "no_roster"), lost: say("ui", "roster_lost") }[state] ?? "";
}

export function roster() {
  return { state, buildings };
}

export function roomsOf(building) {
  return buildings.find((one) => one.building === building)?.rooms ?? [];
}

export function holdersOf(building, room) {
  return roomsOf(building).find((one) => one.room === room)?.holders ?? [];
}

async function receive(wanted, redraw) {
  try {
    const answer = await fetch("/roster");
    const found = (await answer.json()).buildings;
    if (wanted !== version) return;
    buildings = found;
    state = found.length ? "here" : "none";
  } catch {
    if (wanted === version) state = "lost";
  }
  redraw();
}
