// The residents' own display. It is told where to stand and never why; when it hears nothing any more it asks to wait.

import { follow } from "./live.js";
import { turnOf } from "./notices.js";
import { $, put, say, speak } from "./words.js";

const SHAPES = new Set(["admit", "retake", "refer", "refuse", "emergency", "unchecked", "look"]);
const LOST = { tone: "look", sentence: "please_wait", notices: [] };

let now, state = "live";

function show(view) {
  now = view;
  speak(view.language);
  draw();
  document.body.dataset.n = view.n;
}

function draw() {
  const view = state === "live" ? now : { ...now, ...LOST };
  document.documentElement.classList.toggle("night", view.night);
  document.body.dataset.tone = view.tone;
  $("#shape use").setAttribute("href", `#icon-${SHAPES.has(view.tone) ? view.tone : "look"}`);
  put($("#words"), say("sentences", view.sentence));
  put($("#gate"), view.gate);
  put($("#clock"), state === "live" ? view.clock : "");
  put($("#way"), say("directions", view.direction));
  put($("#notice"), view.tone === "waiting" && view.notices.length ? turnOf(view.notices) : "");
}

show(JSON.parse(document.documentElement.dataset.first));
follow(show, (next) => { state = next; draw(); }, "/resident/events");
setInterval(draw, 1000);
