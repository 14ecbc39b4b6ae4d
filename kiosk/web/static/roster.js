// Who lives where, fetched when it is first wanted and kept as long as the directory stays the same.

let version = null, buildings = [], state = "unknown";

export function fetchRoster(snapshot, redraw) {
  if (version === snapshot.roster && state !== "lost") return;
  version = snapshot.roster;
  buildings = [];
  state = version ? "loading" : "none";
  if (version) receive(version, redraw);
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
