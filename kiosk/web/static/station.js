// The station's page: snapshots in, touches out.

import { follow, post } from "./live.js";
import { choose, clearPad, drawPad, openPad, padTouch, press } from "./pad.js";
import { drawRecords, openRecords, turnPage } from "./records.js";
import { draw, drawLeft, drawProgress, isNight, viewOf } from "./screen.js";
import { chooseItem, chooseNext, drawSlot, slotTouch } from "./slot.js";
import { play } from "./sound.js";
import { $, put, say, speak } from "./words.js";

const GUARD_MS = 350; // a touch meant for the screen before must not hit the new one
const BUSY_MS = 600; // nor may a trembling glove press twice
const SURE_MS = 4000;
const BAR_MS = 4000;

let now, drawnAt, settling, total = null, records = false, state = "live", notReceivedUntil = 0;

function show(snapshot) {
  const before = now;
  now = snapshot;
  drawnAt = performance.now();
  if (before?.language !== snapshot.language) speak(snapshot.language);
  if (["phase", "entry"].some((key) => before?.[key] !== snapshot[key]) || before?.holder?.name !== snapshot.holder?.name) begin(snapshot);
  if (snapshot.error && before?.error !== snapshot.error) clearPad();
  if (snapshot.sound && soundOf(before) !== soundOf(snapshot)) play(snapshot.sound, isNight(snapshot));
  draw(snapshot);
  drawPad();
  drawRecords(snapshot);
  drawView();
  document.body.dataset.n = snapshot.n;
  tick();
}

function begin(snapshot) {
  delete document.body.dataset.steady;
  clearTimeout(settling);
  settling = setTimeout(() => { document.body.dataset.steady = "yes"; }, GUARD_MS);
  total = snapshot.seconds_left;
  records = false;
  openPad(snapshot);
}

function soundOf(snapshot) {
  return snapshot?.sound && [snapshot.sound, snapshot.outcome, snapshot.entry].join();
}

function drawView() {
  document.body.dataset.view = records ? "records" : viewOf(now);
  $("#records").hidden = !records;
}

function drawBar() {
  const lost = state !== "live";
  const text = lost ? say("ui", state) : say("errors", "not_received");
  $("#bar").hidden = !lost && performance.now() > notReceivedUntil;
  put($("#bar span"), text);
  $("#bar button").hidden = state !== "ended";
  document.body.classList.toggle("stale", lost);
}

function tick() {
  const left = now.seconds_left == null ? null : now.seconds_left - (performance.now() - drawnAt) / 1000;
  drawLeft(left);
  drawProgress(left == null || !total ? null : Math.min(1, 1 - left / total));
  drawBar();
}

async function send(touch, button) {
  if (!touch || button.dataset.busy) return;
  button.dataset.busy = "yes";
  setTimeout(() => delete button.dataset.busy, BUSY_MS);
  notReceivedUntil = (await post(touch)) ? 0 : performance.now() + BAR_MS;
  if (!notReceivedUntil && button.closest("nav")) acknowledge(button);
  drawBar();
}

function acknowledge(button) {
  button.classList.add("sent");
  setTimeout(() => button.classList.remove("sent"), 1500);
}

function sendWhenSure(touch, button) {
  if (button.dataset.sure) return send(touch, button);
  const words = button.textContent;
  button.dataset.sure = "yes";
  button.textContent = say("ui", "sure");
  return setTimeout(() => { delete button.dataset.sure; button.textContent = words; }, SURE_MS);
}

function toggleRecords() {
  records = !records;
  if (records) openRecords(now);
  drawView();
}

function pick(change) {
  change();
  drawSlot(now);
}

const HANDLERS = [
  ["[data-post]", (b) => send({ action: b.dataset.post }, b)],
  ["[data-direction]", (b) => send({ action: "direction", direction: b.dataset.direction }, b)],
  ["[data-item]", (b) => pick(() => chooseItem(b.dataset.item))],
  ["[data-key]", (b) => press(b.dataset.key)],
  ["[data-site]", (b) => choose(b.dataset.site)],
  ["[data-correct]", (b) => sendWhenSure({ action: "correct", entry: b.dataset.correct }, b)],
  ["#slot-do", (b) => send(slotTouch(), b)],
  ["#slot-next", () => pick(chooseNext)],
  ["#admit", (b) => send({ action: "decide", admit: true }, b)],
  ["#turn-away", (b) => send({ action: "decide", admit: false }, b)],
  ["#retake", (b) => send({ action: "retake" }, b)],
  ["#pad-ok", (b) => send(padTouch(), b).then(clearPad)],
  ["#sign-off", (b) => sendWhenSure({ action: "sign_off" }, b)],
  ["#open-records, #back", toggleRecords],
  ["#newer", () => turnPage(-1, now)],
  ["#older", () => turnPage(1, now)],
  ["#language", (b) => send({ action: "language", language: now.language === "zh" ? "en" : "zh" }, b)],
  ["#bar button", () => reopen()],
];

function touched(event) {
  const button = event.target.closest("button");
  if (!button || (button.closest("main") && !document.body.dataset.steady)) return;
  HANDLERS.find(([selector]) => button.matches(selector))?.[1](button);
}

function watchCamera() {
  const figure = $(`#${document.body.dataset.view} .preview`);
  if (!figure || state !== "live") return setTimeout(watchCamera, 300);
  const next = new Image();
  const again = (image, ms) => { figure.querySelector("img")?.remove(); if (image) figure.append(image); setTimeout(watchCamera, ms); };
  next.alt = "";
  next.onload = () => again(next, 200);
  next.onerror = () => again(null, 1000);
  return (next.src = `/picture.jpg?${Date.now()}`);
}

document.addEventListener("click", touched);
show(JSON.parse(document.documentElement.dataset.first));
const reopen = follow(show, (next) => { state = next; tick(); });
setInterval(tick, 250);
watchCamera();
