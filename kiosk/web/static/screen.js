// A snapshot, drawn. Elements stay where they are and only their words change, so that no touch is lost to a redraw.

import { drawSlot } from "./slot.js";
import { drawVerdict } from "./verdict.js";
import { $, $$, holderWords, put, say, volunteerName } from "./words.js";

const VIEWS = {
  waiting: "waiting", several: "waiting", measuring: "verdict", outcome: "verdict", typing: "pad", pin: "pad", checklist: "checklist",
};
const SOON_SECONDS = 20;

export function viewOf(snapshot) {
  return VIEWS[snapshot.phase] ?? "waiting";
}

export function draw(snapshot, title) {
  document.documentElement.classList.toggle("night", snapshot.night);
  document.documentElement.style.filter = snapshot.brightness < 100 ? `brightness(${snapshot.brightness / 100})` : "";
  document.body.dataset.phase = snapshot.phase;
  document.body.dataset.sentence = snapshot.sentence;
  for (const element of $$("[data-sentence]:not(body)")) put(element, say("sentences", snapshot.sentence));
  for (const element of $$(".error")) put(element, snapshot.error ? say("errors", snapshot.error) : "");
  for (const element of $$(".holder")) put(element, holderWords(snapshot.holder));
  for (const element of $$(".extend")) element.hidden = !snapshot.can_extend;
  drawTop(snapshot, title);
  drawWaiting(snapshot);
  drawVerdict(snapshot);
  put($("#pad-prompt"), snapshot.phase === "pin" ? say("sentences", "badge_pin") : say("phases", "typing"));
}

// The seconds until the station gives up; the last ones ask for attention where something is waited for.
export function drawLeft(seconds, snapshot) {
  const soon = seconds != null && seconds <= SOON_SECONDS && (snapshot.can_extend || snapshot.can_decide);
  for (const element of $$(".left")) {
    put(element, seconds == null ? "" : say("ui", "seconds", { n: Math.max(0, Math.ceil(seconds)) }));
    element.classList.toggle("soon", soon);
  }
}

export function drawProgress(share) {
  $("#progress").classList.toggle("unknown", share == null);
  $("#progress span").style.width = `${Math.round((share ?? 0.3) * 100)}%`;
}

function drawTop(snapshot, title) {
  put($("#gate"), title ?? snapshot.gate);
  put($("#clock"), snapshot.clock_synced ? snapshot.clock : `≈${snapshot.clock}`);
  put($("#volunteer"), snapshot.volunteer ? volunteerName(snapshot.volunteer) : say("ui", "nobody"));
  put($("#link"), title ? say("ui", snapshot.online ? "online" : "offline_short") : linkWords(snapshot));
  $("#link").dataset.online = snapshot.online;
}

function linkWords({ online, backlog }) {
  return say("ui", (online ? "online" : "offline") + (backlog ? "_backlog" : ""), { n: backlog });
}

function drawWaiting(snapshot) {
  for (const button of $$("[data-direction]")) {
    put(button, say("directions", button.dataset.direction));
    button.setAttribute("aria-pressed", button.dataset.direction === snapshot.direction);
  }
  for (const one of snapshot.items) drawItem($(`[data-item="${one.item}"]`), one);
  drawSlot(snapshot);
}

function drawItem(button, { item, present }) {
  const name = say("items", item);
  button.classList.toggle("missing", !present);
  button.setAttribute("aria-label", present ? name : say("ui", "missing", { item: name }));
  put(button.querySelector(".word"), name);
}
