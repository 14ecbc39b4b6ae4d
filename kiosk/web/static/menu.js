// 登记: everything that is not a pass held up to the camera, behind one touch.

import { button, h, icon } from "./dom.js";
import { asking } from "./form.js";
import { enter, errorWords } from "./nav.js";
import { send, surely } from "./touch.js";
import { say } from "./words.js";

export const menu = {
  name: "menu",
  draw(snapshot) {
    return [
      asking(null, errorWords(snapshot)),
      h("div", { class: "grid menu", "--columns": 4, "--rows": 4 }, work(snapshot)),
    ];
  },
};

function work(snapshot) {
  const { aside, visits, bookings, page } = snapshot;
  return [
    into("find"), into("vehicle"), into("bookings", { n: bookings.length }), into("traveller"),
    courier(snapshot), into("aside", { n: aside.length }, aside.some(({ due }) => due)), into("visits", { n: visits.length }),
    into("key_in", {}, false, { page }), into("records"), gate(snapshot), snapshot.barrier ? barrier() : null,
    into("settings"), language(snapshot),
  ];
}

function into(name, values, urgent, given) {
  return button(face(name, say("menu", name, values)), () => enter(name, given), { class: urgent ? "due" : null, "data-open": name });
}

function courier({ courier, couriers }) {
  if (courier === "visitor") return into("courier");
  const words = face("courier", say("menu", "courier_shelf", { n: couriers }));
  return button(words, (element) => send({ action: "tally", what: "courier" }, element), { class: "tells double", "data-send": "tally" });
}

function gate({ shut }) {
  const name = shut ? "open" : "shut", turn = (element) => send({ action: "shut", shut: !shut }, element);
  return surely("shut", face(name, say("menu", name)), turn, { class: "tells", "data-send": "shut" });
}

function barrier() {
  const raise = (element) => send({ action: "barrier" }, element);
  return button(face("barrier", say("menu", "barrier")), raise, { class: "tells", "data-send": "barrier" });
}

function language(snapshot) {
  const touch = { action: "language", language: snapshot.language === "zh" ? "en" : "zh" };
  return button(face("language", say("ui", "other_language")), (element) => send(touch, element), { "data-send": "language" });
}

function face(shape, words) {
  return [icon(shape), h("b", {}, words)];
}
