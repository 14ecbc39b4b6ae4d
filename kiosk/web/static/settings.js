// 设置, behind a PIN: what the station sounds and looks like, and how its devices are.

import { button, h } from "./dom.js";
import { digits } from "./digits.js";
import { asking } from "./form.js";
import { grid } from "./grid.js";
import { post } from "./live.js";
import { back, errorWords } from "./nav.js";
import { play } from "./sound.js";
import { send } from "./touch.js";
import { say } from "./words.js";

const PIN_MOST = 12, STEP = 10;
const LEVELS = { loudness: 0, night_loudness: 0, brightness: 10 };
const TABS = ["sound_tab", "devices_tab", "network_tab"];
let pin = "", tab = TABS[0], device = null, paging = {}, wasOpen = false, errorAt = "";

export const settings = {
  name: "settings",
  open: () => { pin = ""; choose(TABS[0]); wasOpen = false; },
  close: () => { if (wasOpen) post({ action: "close_settings" }); },
  back: () => device != null && choose(tab),
  scene: (snapshot) => [asksPin(snapshot) ? "pin" : tab, paging.page, device].join(),
  draw(snapshot) {
    wasOpen = snapshot.settings != null;
    if (asksPin(snapshot)) return pinPad(snapshot);
    return h("div", { class: "tabbed" }, tabs(snapshot), h("div", { class: "page" }, PAGES[tab](snapshot)));
  },
};

function choose(next) {
  tab = next;
  device = null;
  paging = {};
  return true;
}

function asksPin(snapshot) {
  return snapshot.can_settings && !snapshot.settings;
}

function pinPad(snapshot) {
  const error = errorWords(snapshot);
  if (error && error !== errorAt) pin = "";
  errorAt = error;
  const enter = (element) => { send({ action: "open_settings", pin }, element); pin = ""; };
  return [
    asking(say("asks", "settings_pin"), error),
    digits({
      value: pin, most: PIN_MOST, set: (next) => { pin = next; }, show: (value) => "●".repeat(value.length),
      ready: pin.length > 0, done: enter, doneLabel: say("ui", "ok"),
    }),
  ];
}

function tabs({ settings: open }) {
  const one = (name) => button(say("ui", name), () => choose(name), { "aria-pressed": String(tab === name), "data-tab": name });
  const closer = open ? button(say("ui", "close_settings"), () => back(), { "data-do": "close" }) : null;
  return h("div", { class: "tabs" }, TABS.map(one), closer);
}

const PAGES = { sound_tab: sounds, devices_tab: devices, network_tab: network };

function sounds(snapshot) {
  const { settings: open } = snapshot;
  return [
    open ? Object.keys(LEVELS).map((name) => level(name, open[name])) : h("p", { class: "said" }, say("ui", "set_pin_first")),
    h("div", { class: "row language" }, language("zh", "中文", snapshot), language("en", "English", snapshot)),
  ];
}

function level(name, value) {
  const words = say("ui", name);
  const step = (by) => (element) => {
    const next = Math.min(Math.max(value + by, LEVELS[name]), 100);
    send({ action: "settings", [name]: next }, element);
    if (name !== "brightness") play("good", next);
  };
  return h("div", { class: "level" },
    h("p", {}, words),
    button("−", step(-STEP), { disabled: value <= LEVELS[name], "aria-label": say("ui", "less_of", { what: words }), "data-level": `${name}-` }),
    h("output", {}, `${value}%`),
    button("+", step(STEP), { disabled: value >= 100, "aria-label": say("ui", "more_of", { what: words }), "data-level": `${name}+` }));
}

function language(code, words, snapshot) {
  const touch = snapshot.settings ? { action: "settings", language: code } : { action: "language", language: code };
  return button(words, (element) => send(touch, element), { "aria-pressed": String(snapshot.language === code), "data-language": code });
}

function devices(snapshot) {
  const { settings: open } = snapshot, lines = deviceLines(snapshot);
  const one = lines.find(({ name }) => name === device);
  if (one) return deviceDetail(one);
  const cellOf = (line) => ({ label: deviceWords(line), kind: line.ok ? "ok" : "bad", act: () => { device = line.name; } });
  return [
    lines.length ? grid(lines.map(cellOf), { state: paging, columns: 2, rows: 3 }) : h("p", { class: "said" }, say("ui", "no_devices")),
    open ? tester(open) : null,
  ];
}

function tester({ testing }) {
  const test = (element) => send({ action: "selftest" }, element);
  return button(say("ui", testing ? "testing" : "selftest"), test, { class: "primary", disabled: testing, "data-do": "selftest" });
}

function deviceDetail(one) {
  return [
    h("p", { class: "about" }, deviceWords(one)),
    h("p", { class: "said detail" }, one.detail || say("ui", one.ok ? "works" : "no_detail")),
  ];
}

// A test's result stands above the last report of the same device.
function deviceLines({ devices: all, device_details: details, settings: open }) {
  const tested = new Map((open?.tests ?? []).map(([name, ok, detail]) => [name, { name, ok, detail }]));
  const reported = Object.entries(all).map(([name, ok]) => ({ name, ok, detail: details[name] ?? "" }));
  return [...reported.map((one) => tested.get(one.name) ?? one), ...[...tested.values()].filter(({ name }) => !(name in all))];
}

function deviceWords({ name, ok }) {
  return `${ok ? "✓" : "✗"} ${say("devices", name)}`;
}

function network(snapshot) {
  const { settings: open, online, link_detail: detail, backlog } = snapshot;
  const lines = [
    [say("ui", online ? "online" : "offline"), detail].filter(Boolean).join(" · "),
    backlog ? say("ui", "waiting_to_send", { n: backlog }) : "",
    open ? directory(open) : "",
    open ? calibration(open) : "",
    open ? say("ui", "software", { version: open.software }) : "",
  ];
  return h("div", { class: "facts" }, lines.filter(Boolean).map((line) => h("p", {}, line)));
}

function calibration({ calibration_due: date }) {
  return date ? say("ui", "calibration", { date }) : say("ui", "no_calibration");
}

function directory({ directory_version: version, directory_minutes: minutes }) {
  return say("ui", minutes == null ? "no_directory_age" : "directory", { version, minutes });
}
