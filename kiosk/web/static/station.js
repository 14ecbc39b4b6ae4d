// The station's page: snapshots in, touches out.

import { aside } from "./aside.js";
import { bookings } from "./bookings.js";
import { watchCamera } from "./camera.js";
import { find } from "./find.js";
import { keyIn } from "./keyin.js";
import { follow } from "./live.js";
import { menu } from "./menu.js";
import { back, current, drawView, noteTouch, open, register, stationChanged, titleOf } from "./nav.js";
import { choose, clearPad, drawPad, openPad, padTouch, press } from "./pad.js";
import { records } from "./records.js";
import { fetchRoster } from "./roster.js";
import { draw, drawLeft, drawProgress, viewOf } from "./screen.js";
import { settings } from "./settings.js";
import { chooseItem, chooseNext, chooseNone, slotDoes, slotOther } from "./slot.js";
import { play } from "./sound.js";
import { isUnheard, send, settle } from "./touch.js";
import { roleToAdd } from "./verdict.js";
import { vehicle } from "./vehicle.js";
import { courier, traveller, visitor } from "./visitor.js";
import { visits } from "./visits.js";
import { $, put, say, speak } from "./words.js";

const FORMS = [visitor, courier, traveller, vehicle, keyIn];
const BEGINS = ["phase", "entry", "measured", "next_person", "asked"];

let now, drawnAt, total = null, state = "live";

function show(snapshot) {
  const before = now;
  now = snapshot;
  drawnAt = performance.now();
  if (before?.language !== snapshot.language) speak(snapshot.language);
  for (const form of FORMS) form.heard(snapshot);
  if (isNew(before, snapshot)) begin(snapshot);
  if (snapshot.error && before?.error !== snapshot.error) clearPad();
  if (snapshot.sound && soundOf(before) !== soundOf(snapshot)) play(snapshot.sound, snapshot.loudness);
  if (current()) fetchRoster(snapshot, redraw);
  redraw();
  document.body.dataset.n = snapshot.n;
}

function isNew(before, snapshot) {
  return BEGINS.some((key) => before?.[key] !== snapshot[key]) || before?.holder?.name !== snapshot.holder?.name;
}

function begin(snapshot) {
  settle();
  chooseNone();
  total = snapshot.seconds_left;
  stationChanged(snapshot);
  openPad(snapshot);
}

function soundOf(snapshot) {
  return snapshot?.sound && [snapshot.sound, snapshot.outcome, snapshot.entry].join();
}

function redraw() {
  const view = drawView(now);
  document.body.dataset.view = view ? "local" : viewOf(now);
  draw(now, view && titleOf(view.name));
  drawPad();
  tick();
}

function tick() {
  const left = now.seconds_left == null ? null : now.seconds_left - (performance.now() - drawnAt) / 1000;
  drawLeft(left, now);
  drawProgress(left == null || !total ? null : Math.min(1, 1 - left / total));
  drawBar();
}

function drawBar() {
  const lost = state !== "live";
  $("#bar").hidden = !lost && !isUnheard();
  put($("#bar span"), lost ? say("ui", state) : say("errors", "not_received"));
  $("#bar button").hidden = state !== "ended";
  document.body.classList.toggle("stale", lost);
}

function toggleWork() {
  if (current()) back();
  else begun("menu");
}

function begun(name) {
  if (current()?.name === name) return;
  open(name);
  fetchRoster(now, redraw);
}

async function doSlot({ touch, open: view }, button) {
  if (touch && !(await send(touch, button))) return;
  if (view) begun(view);
}

const HANDLERS = [
  ["[data-post]", (b) => send({ action: b.dataset.post }, b)],
  ["[data-direction]", (b) => send({ action: "direction", direction: b.dataset.direction }, b)],
  ["[data-item]", (b) => chooseItem(b.dataset.item)],
  ["[data-key]", (b) => press(b.dataset.key)],
  ["[data-site]", (b) => choose(b.dataset.site)],
  ["[data-act=add]", (b) => send({ action: "add_person", role: roleToAdd(now) }, b)],
  ["#slot-do", (b) => doSlot(slotDoes(), b)],
  ["#slot-other", (b) => doSlot(slotOther(), b)],
  ["#slot-next", chooseNext],
  ["#admit", (b) => send({ action: "decide", admit: true }, b)],
  ["#turn-away", (b) => send({ action: "decide", admit: false }, b)],
  ["#pad-ok", (b) => send(padTouch(), b).then(clearPad)],
  ["#work", toggleWork],
  ["#open-visitor", () => begun("visitor")],
  ["#bar button", () => reopen()],
];

async function touched(event) {
  const button = event.target.closest("button");
  if (!button || (button.closest("main") && !document.body.dataset.steady)) return;
  noteTouch(Boolean(button.act));
  const act = button.act ?? HANDLERS.find(([selector]) => button.matches(selector))?.[1];
  const done = act?.(button);
  redraw();
  await done;
  redraw();
}

register(menu, find, visitor, courier, traveller, vehicle, keyIn, aside, visits, bookings, records, settings);
document.addEventListener("click", touched);
$("#face").addEventListener("error", () => { $("#face").hidden = true; });
show(JSON.parse(document.documentElement.dataset.first));
const reopen = follow(show, (next) => { state = next; tick(); });
setInterval(redraw, 250);
watchCamera(() => state === "live");
