// Somebody is at hand: the resident's part with its shape, and below it the volunteer's strip of who, why and what to do.

import { $, $$, celsius, listed, put, say } from "./words.js";

const SHAPES = ["admit", "retake", "refer", "refuse", "emergency", "unchecked"];
const VEHICLES = ["vehicle", "taxi"];
const MOST_REASONS = 2;
const CROWD = 5; // more buttons leave no room for a face beside them

export function drawVerdict(snapshot) {
  const tone = snapshot.phase === "outcome" ? (snapshot.outcome ?? "look") : "look";
  $("#verdict").dataset.tone = tone;
  $("#shape use").setAttribute("href", `#icon-${SHAPES.includes(tone) ? tone : "look"}`);
  $("#progress").hidden = snapshot.phase !== "measuring";
  put($("#reading"), (snapshot.reading?.degraded ? "≈" : "") + celsius(snapshot.reading?.body_celsius));
  put($("#why"), whyWords(snapshot));
  drawChip($("#verdict .chip"), snapshot.asked ? null : snapshot.holder, tone);
  drawPeople(snapshot);
  drawActions(snapshot);
  drawFace(snapshot.holder);
}

// Who is to be added: the occupant of a vehicle, or a child with whoever is here.
export function roleToAdd(snapshot) {
  const { kind, who } = snapshot.holder ?? {};
  return kind === "vehicle" || VEHICLES.includes(who) ? "occupant" : "child";
}

function whyWords(snapshot) {
  if (snapshot.error) return say("errors", snapshot.error);
  return snapshot.asked ? say("ui", "ask_dwelling") : reasonWords(snapshot.reasons);
}

function reasonWords(reasons) {
  const words = listed("reasons", reasons.slice(0, MOST_REASONS));
  return reasons.length > MOST_REASONS ? `${words} +${reasons.length - MOST_REASONS}` : words;
}

// Which of several is being measured, and whether the last one must first step away.
function drawPeople({ people, measured, next_person: next, phase }) {
  const several = people > 1 && (phase === "measuring" || phase === "typing");
  const count = several ? say("ui", "of_people", { n: Math.min(measured + 1, people), all: people }) : "";
  for (const element of $$(".people")) {
    put(element, next ? `${say("ui", "next_person")} ${count}`.trim() : count);
    element.classList.toggle("next", next);
  }
}

function drawActions(snapshot) {
  const measuring = snapshot.phase === "measuring";
  const shown = {
    admit: snapshot.can_decide, "turn-away": snapshot.can_decide, retake: snapshot.can_retake && !measuring, aside: snapshot.can_aside,
    boot: snapshot.can_boot, add: snapshot.can_add, extend: snapshot.can_extend, cancel: measuring,
  };
  for (const button of $$("[data-act]")) button.hidden = !shown[button.dataset.act];
  const many = $$("#verdict .row [data-act]:not([hidden])").length;
  $("#verdict").classList.toggle("crowded", many > CROWD);
  $("#verdict").classList.toggle("asked", snapshot.asked);
  $("#verdict .row").hidden = many === 0;
  $("#left").hidden = snapshot.can_extend;
  put($("#admit"), say("ui", snapshot.asked ? "right" : "admit"));
  put($("#turn-away"), say("ui", snapshot.asked ? "wrong" : "turn_away"));
  for (const button of $$("[data-act=add]")) put(button, say("ui", `add_${roleToAdd(snapshot)}`));
}

function drawFace(holder) {
  const address = holder?.face && holder.pass_id ? `/face/${holder.pass_id}.jpg` : "";
  const face = $("#face");
  face.hidden = !address;
  if (face.dataset.of === address) return;
  face.dataset.of = address;
  if (address) face.src = address;
  else face.removeAttribute("src");
}

function drawChip(chip, holder, tone) {
  const wanted = holder?.colour && (tone === "refer" || tone === "refuse");
  chip.hidden = !wanted;
  chip.dataset.colour = holder?.colour ?? "";
  put(chip, holder?.colour_label ?? holder?.colour ?? "");
}
