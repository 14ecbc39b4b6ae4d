// The one thing to do now. Whatever asks for attention waits here in order of weight; one is shown, the others are counted.

import { unfinished } from "./drafts.js";
import { turnOf } from "./notices.js";
import { entryWords } from "./records.js";
import { $, put, say } from "./words.js";

const TOUCHES = {
  checklist: (item) => ({ action: "checklist", item }),
  declare: (item) => ({ action: "declare", item }),
  confirm_duty: () => ({ action: "confirm_duty" }),
};
let waiting = [], chosen = null;

// What the slot's buttons do: { touch } to post, { open } a view of the page's own, or both.
export function slotDoes() {
  return current() ?? {};
}

export function slotOther() {
  return current()?.other ?? {};
}

export function chooseItem(item) {
  chosen = item;
}

export function chooseNext() {
  chosen = waiting[(waiting.indexOf(current()) + 1) % waiting.length]?.key;
}

// Somebody else is at hand or nobody is any more: what weighs most is shown again.
export function chooseNone() {
  chosen = null;
}

export function drawSlot(snapshot) {
  waiting = attention(snapshot);
  const now = current() ?? notice(snapshot);
  $("#slot").dataset.level = now?.level ?? "calm";
  put($("#slot-text"), now?.text ?? calm(snapshot));
  put($("#slot-do"), now?.button ?? "");
  $("#slot-do").hidden = !now?.button;
  put($("#slot-other"), now?.other?.button ?? "");
  $("#slot-other").hidden = !now?.other;
  put($("#slot-next"), say("ui", "next", { n: waiting.length - 1 }));
  $("#slot-next").hidden = waiting.length < 2;
}

function current() {
  return waiting.find((one) => one.key === chosen) ?? waiting[0];
}

function attention(snapshot) {
  const { error, journal_problem: journal, volunteer, items, aside, visits } = snapshot;
  const overdue = visits.filter((one) => one.overdue).length, due = aside.filter((one) => one.due).length;
  return [
    error && bar("error", "bad", say("errors", error)),
    journal && bar("journal", "bad", say("reasons", journal)),
    volunteer?.ask && bar("ask", "ask", say("ui", "ask"), { button: say("ui", "here"), touch: TOUCHES.confirm_duty() }),
    due && bar("aside", "ask", say("ui", "aside_due", { all: aside.length, n: due }), see("aside")),
    ...unfinished().map(resume),
    ...items.filter((one) => !one.present).map(missing),
    snapshot.gap_minutes && gap(snapshot.gap_minutes),
    aside.length && !due && bar("aside", "note", say("ui", "aside_waiting", { all: aside.length }), see("aside")),
    overdue && bar("overdue", "ask", say("ui", "overdue_visits", { n: overdue }), see("visits")),
    snapshot.uncounted && bar("uncounted", "ask", say("ui", "uncounted", snapshot), { button: say("menu", "key_in"), open: "key_in" }),
    volunteer?.over && bar("over", "ask", say("ui", "over", volunteer)),
    closedRoster(snapshot),
    snapshot.shut && bar("shut", "ask", say("ui", "shut_now"), { button: say("ui", "open_gate"), touch: { action: "shut", shut: false } }),
    !snapshot.clock_synced && bar("clock", "ask", say("ui", "clock_unsynced")),
  ].filter(Boolean);
}

function closedRoster({ roster_closed: why, volunteer, shut }) {
  return why && volunteer && !shut && bar("roster", "ask", say("errors", why));
}

function missing({ item, reason, todo, touch }) {
  const what = say("ui", "missing", { item: say("items", item) });
  const why = reason ? `${what} · ${say("reasons", reason)}` : what;
  const touchable = touch && TOUCHES[touch];
  if (touchable) return bar(item, "bad", why, { button: say("todos", todo ?? touch), touch: touchable(item) });
  return bar(item, "bad", todo ? `${what} · ${say("todos", todo)}` : why);
}

function gap(minutes) {
  return bar("gap", "ask", say("ui", "gap", { n: minutes }), {
    button: say("ui", "gap_yes"), touch: { action: "gap", missed: true }, open: "key_in",
    other: { button: say("ui", "gap_no"), touch: { action: "gap", missed: false } },
  });
}

function resume(form) {
  return bar(`draft ${form}`, "ask", say("ui", "unfinished", { title: say("titles", form) }), { button: say("ui", "resume"), open: form });
}

function see(name) {
  return { button: say("ui", "see"), open: name };
}

function bar(key, level, text, does = {}) {
  return { key, level, text, ...does };
}

function notice({ notices }) {
  return notices.length ? { level: "note", text: turnOf(notices) } : null;
}

function calm(snapshot) {
  const [last] = snapshot.entries;
  if (!last) return say("ui", "all_five");
  return [`${say("ui", "last")} ${entryWords(last)}`, last.name].join(" ");
}
