// Touches: what is meant for the screen before must not hit the new one, nor may a trembling glove press twice.

import { post } from "./live.js";
import { button } from "./dom.js";
import { $, put, say } from "./words.js";

const GUARD_MS = 350;
const BUSY_MS = 600;
const SURE_MS = 4000;
const BAR_MS = 4000;
const HEARD_MS = 1500;

let settling, notReceivedUntil = 0, asking = null;

// Something else is shown now: touches count again in a moment.
export function settle() {
  delete document.body.dataset.steady;
  clearTimeout(settling);
  settling = setTimeout(() => { document.body.dataset.steady = "yes"; }, GUARD_MS);
}

export async function send(touch, element) {
  if (!touch || element.dataset.busy) return false;
  element.dataset.busy = "yes";
  setTimeout(() => delete element.dataset.busy, BUSY_MS);
  const received = await post(touch);
  notReceivedUntil = received ? 0 : performance.now() + BAR_MS;
  if (received && element.matches("nav button, .tells")) acknowledge(element);
  return received;
}

export function isUnheard() {
  return performance.now() < notReceivedUntil;
}

// A button for what can't be undone: it asks once more.
export function surely(key, label, act, props) {
  const asked = asking?.key === key && performance.now() < asking.until;
  const ask = () => { asking = { key, until: performance.now() + SURE_MS }; };
  const go = (element) => { asking = null; return act(element); };
  return button(asked ? say("ui", "sure") : label, asked ? go : ask, { ...props, "data-sure": asked ? "yes" : null });
}

function acknowledge(element) {
  element.dataset.heard = say("ui", "received");
  put($("#heard"), element.dataset.heard);
  setTimeout(() => { delete element.dataset.heard; put($("#heard"), ""); }, HEARD_MS);
}
