// The last entries, as they were when the list was opened: no line may move under a finger that is about to correct it.

import { $, celsius, listed, put, say } from "./words.js";

const ROWS = 3;
let shown = [], first = 0;

export function openRecords(snapshot) {
  shown = snapshot.entries;
  first = 0;
  drawRecords(snapshot);
}

export function turnPage(step, snapshot) {
  first = Math.min(Math.max(first + step * ROWS, 0), Math.max(shown.length - 1, 0));
  drawRecords(snapshot);
}

export function drawRecords(snapshot) {
  const known = new Map(snapshot.entries.map((entry) => [entry.id, entry]));
  const page = shown.slice(first, first + ROWS).map((entry) => known.get(entry.id) ?? entry);
  put($("#duty"), [onDuty(snapshot.volunteer), snapshot.online ? inside(snapshot.inside) : snapshot.link_detail].filter(Boolean).join(" · "));
  const next = JSON.stringify([page, document.documentElement.lang]);
  if ($("#entries").dataset.of !== next) $("#entries").replaceChildren(...(page.length ? page.map(line) : [nothing()]));
  $("#entries").dataset.of = next;
  $("#newer").disabled = first === 0;
  $("#older").disabled = first + ROWS >= shown.length;
  $("#sign-off").disabled = !snapshot.volunteer;
}

export function entryWords(entry) {
  return [entry.time, say("directions", entry.direction), say("outcomes", entry.outcome), celsius(entry.celsius)].filter(Boolean).join(" ");
}

function onDuty(volunteer) {
  return volunteer ? say("ui", "on_duty", { ...volunteer, hours: volunteer.hours.toFixed(1) }) : say("ui", "nobody");
}

function inside(count) {
  return count == null ? "" : say("ui", "inside", { n: count });
}

function line(entry) {
  const item = document.createElement("li");
  item.classList.toggle("cancelled", entry.cancelled);
  const who = [entry.name, entry.dwelling, listed("reasons", entry.reasons)].filter(Boolean).join(" ");
  item.append(part("p", "what", entryWords(entry)), part("p", "whom", who), corrector(entry));
  return item;
}

function corrector(entry) {
  if (entry.cancelled) return part("span", "done", say("ui", "corrected"));
  const button = part("button", "quiet", say("ui", "correct"));
  button.type = "button";
  button.dataset.correct = entry.id;
  button.setAttribute("aria-label", `${button.textContent} ${entry.time}`);
  return button;
}

function nothing() {
  return part("li", "none", say("ui", "no_entries"));
}

function part(tag, name, text) {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}
