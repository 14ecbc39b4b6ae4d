// A snapshot, drawn. Elements stay where they are and only their words change, so that no touch is lost to a redraw.

import { $, $$, celsius, holderWords, listed, put, say } from "./words.js";
import { drawSlot } from "./slot.js";

const VIEWS = { waiting: "waiting", several: "waiting", measuring: "verdict", outcome: "verdict", typing: "pad", pin: "pad", checklist: "checklist" };
const SHAPES = ["admit", "retake", "refer", "refuse", "emergency", "unchecked"];
const MOST_REASONS = 2;

export function viewOf(snapshot) {
  return VIEWS[snapshot.phase] ?? "waiting";
}

export function isNight(snapshot) {
  const hour = Number(snapshot.clock.slice(0, 2));
  return hour >= 21 || hour < 6;
}

export function draw(snapshot) {
  document.documentElement.classList.toggle("night", isNight(snapshot));
  document.body.dataset.phase = snapshot.phase;
  document.body.dataset.sentence = snapshot.sentence;
  for (const element of $$("[data-sentence]:not(body)")) put(element, say("sentences", snapshot.sentence));
  for (const element of $$(".error")) put(element, snapshot.error ? say("errors", snapshot.error) : "");
  for (const element of $$(".holder")) put(element, holderWords(snapshot.holder));
  drawTop(snapshot);
  drawWaiting(snapshot);
  drawVerdict(snapshot);
  put($("#pad-prompt"), snapshot.phase === "pin" ? say("sentences", "badge_pin") : say("phases", "typing"));
}

export function drawLeft(seconds) {
  for (const element of $$(".left")) put(element, seconds == null ? "" : say("ui", "seconds", { n: Math.max(0, Math.ceil(seconds)) }));
}

export function drawProgress(share) {
  $("#progress").classList.toggle("unknown", share == null);
  $("#progress span").style.width = `${Math.round((share ?? 0.3) * 100)}%`;
}

function drawTop(snapshot) {
  put($("#gate"), snapshot.gate);
  put($("#clock"), snapshot.clock_synced ? snapshot.clock : `≈${snapshot.clock}`);
  put($("#volunteer"), snapshot.volunteer?.name ?? say("ui", "nobody"));
  put($("#link"), linkWords(snapshot));
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

function drawVerdict(snapshot) {
  const tone = snapshot.phase === "outcome" ? (snapshot.outcome ?? "look") : "look";
  $("#verdict").dataset.tone = tone;
  $("#shape use").setAttribute("href", `/static/icons.svg#${SHAPES.includes(tone) ? tone : "look"}`);
  $("#progress").hidden = snapshot.phase !== "measuring";
  put($("#reading"), (snapshot.reading?.degraded ? "≈" : "") + celsius(snapshot.reading?.body_celsius));
  put($("#why"), snapshot.error ? say("errors", snapshot.error) : reasonWords(snapshot.reasons));
  drawChip($("#verdict .chip"), snapshot.holder, tone);
  $("#admit").hidden = $("#turn-away").hidden = !snapshot.can_decide;
  $("#retake").hidden = !snapshot.can_retake;
  $("#verdict [data-post=cancel]").hidden = snapshot.phase !== "measuring";
  $("#verdict .row").hidden = snapshot.phase !== "measuring" && !snapshot.can_decide && !snapshot.can_retake;
}

function reasonWords(reasons) {
  const words = listed("reasons", reasons.slice(0, MOST_REASONS));
  return reasons.length > MOST_REASONS ? `${words} +${reasons.length - MOST_REASONS}` : words;
}

function drawChip(chip, holder, tone) {
  const wanted = holder?.colour && (tone === "refer" || tone === "refuse");
  chip.hidden = !wanted;
  chip.dataset.colour = holder?.colour ?? "";
  put(chip, holder?.colour_label ?? holder?.colour ?? "");
}
