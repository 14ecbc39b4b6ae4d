// The one place that knows which of the page's own views is open. The station's view comes first: when somebody is at hand
// it takes the screen, and when nobody is any more, only a view with something unfinished comes back.

import { mend } from "./dom.js";
import { load } from "./drafts.js";
import { settle } from "./touch.js";
import { $, put, say } from "./words.js";

const IDLE_MS = 90_000; // then the residents get their screen back; what was begun is kept
const WARN_MS = 20_000;
const HOME = new Set(["waiting"]);

const views = new Map();
let stack = [], parked = null, touchedAt = 0, tried = false, drawnAs = null;

export function register(...more) {
  for (const view of more) views.set(view.name, view);
}

export function current() {
  return views.get(stack.at(-1));
}

export function titleOf(name) {
  return say("titles", name);
}

export function open(name, ...given) {
  close();
  enter(name, ...given);
}

export function enter(name, ...given) {
  stack.push(name);
  parked = null;
  tried = false;
  current().open?.(...given);
}

export function close() {
  for (const name of stack.reverse()) views.get(name).close?.();
  stack = [];
}

// One step back: within the view if it has steps, else to the one before.
export function back() {
  if (current()?.back?.()) return;
  current()?.close?.();
  stack.pop();
  tried = false;
}

// A touch on a view's own button; an error that comes after it is the view's to show.
export function noteTouch(inside) {
  touchedAt = performance.now();
  if (inside && current()) tried = true;
}

export function errorWords(snapshot) {
  return tried && snapshot.error ? say("errors", snapshot.error) : "";
}

// The station's phase, entry or holder has changed.
export function stationChanged(snapshot) {
  if (!HOME.has(snapshot.phase)) {
    parked = current()?.draft ?? parked;
    return close();
  }
  if (parked && load(parked) && !current()) enter(parked);
  parked = null;
}

export function drawView(snapshot) {
  closeIdle();
  const view = current();
  const scene = view ? `${stack.join()} ${view.scene?.(snapshot) ?? ""}` : null;
  if (scene !== drawnAs) {
    $("#local").replaceChildren();
    if (scene || drawnAs) settle();
    drawnAs = scene;
  }
  if (view) mend($("#local"), view.draw(snapshot));
  $("#local").dataset.name = view?.name ?? "";
  drawReturn(view);
  return view;
}

function drawReturn(view) {
  const left = IDLE_MS - (performance.now() - touchedAt);
  const warns = view && left < WARN_MS;
  const words = warns ? say("ui", "back_seconds", { n: Math.ceil(left / 1000) }) : say("ui", view ? "back" : "menu");
  put($("#work span"), words);
  $("#work").classList.toggle("returns", Boolean(view));
  $("#work").classList.toggle("soon", Boolean(warns));
}

function closeIdle() {
  if (current() && performance.now() - touchedAt > IDLE_MS) close();
}
