// The station's own number pad, for a hand-held gun's figure (three digits, nothing preset) and for a badge's PIN.

import { $, $$, put, say } from "./words.js";

const PIN_MOST = 8;
let mode, digits, site, openedAt;

export function openPad(snapshot) {
  mode = snapshot.phase;
  site = snapshot.sentence === "wrist" ? "wrist" : "forehead";
  openedAt = performance.now();
  clearPad();
}

export function clearPad() {
  digits = "";
  drawPad();
}

export function press(key) {
  const most = mode === "pin" ? PIN_MOST : 3;
  if (key === "erase") digits = digits.slice(0, -1);
  else if (digits.length < most) digits += key;
  drawPad();
}

export function choose(next) {
  site = next;
  drawPad();
}

export function padTouch() {
  if (mode === "pin") return { action: "pin", pin: digits };
  const seconds = Math.round((performance.now() - openedAt) / 100) / 10;
  return { action: "temperature", celsius: Number(figure()), typed_seconds: seconds, site };
}

export function drawPad() {
  const pin = mode === "pin";
  put($("#figure"), pin ? "●".repeat(digits.length) : `${figure() + "––.–".slice(figure().length)}℃`);
  $("#figure").setAttribute("aria-label", say("ui", "figure"));
  $("#pad-ok").disabled = pin ? digits.length === 0 : digits.length < 3;
  $("#sites").hidden = pin;
  for (const button of $$("[data-site]")) {
    put(button, say("sites", button.dataset.site));
    button.setAttribute("aria-pressed", button.dataset.site === site);
  }
}

function figure() {
  return digits.length < 2 ? digits : `${digits.slice(0, 2)}.${digits.slice(2)}`;
}
