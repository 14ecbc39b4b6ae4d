// The one thing to do now. Whatever asks for attention waits here in order of weight; one is shown, the others are counted.

import { $, put, say } from "./words.js";
import { entryWords } from "./records.js";

const TOUCHES = {
  checklist: (item) => ({ action: "checklist", item }),
  declare: (item) => ({ action: "declare", item }),
  confirm_duty: () => ({ action: "confirm_duty" }),
};
let waiting = [], chosen = null;

export function slotTouch() {
  return current()?.touch;
}

export function chooseItem(item) {
  chosen = item;
}

export function chooseNext() {
  chosen = waiting[(waiting.indexOf(current()) + 1) % waiting.length]?.key;
}

export function drawSlot(snapshot) {
  waiting = attention(snapshot);
  const now = current();
  $("#slot").dataset.level = now?.level ?? "calm";
  put($("#slot-text"), now?.text ?? calm(snapshot));
  put($("#slot-do"), now?.button ?? "");
  $("#slot-do").hidden = !now?.touch;
  put($("#slot-next"), say("ui", "next", { n: waiting.length - 1 }));
  $("#slot-next").hidden = waiting.length < 2;
}

function current() {
  return waiting.find((one) => one.key === chosen) ?? waiting[0];
}

function attention(snapshot) {
  const { error, journal_problem: journal, volunteer, items, gap_minutes: gap } = snapshot;
  return [
    error && bar("error", "bad", say("errors", error)),
    journal && bar("journal", "bad", say("reasons", journal)),
    volunteer?.ask && bar("ask", "ask", say("ui", "ask"), say("ui", "here"), TOUCHES.confirm_duty()),
    ...items.filter((one) => !one.present).map(missing),
    gap && bar("gap", "ask", say("ui", "gap", { n: gap })),
    !snapshot.clock_synced && bar("clock", "ask", say("ui", "clock_unsynced")),
    ...snapshot.notices.map((text) => bar(`notice ${text}`, "note", text)),
  ].filter(Boolean);
}

function missing({ item, reason, todo, touch }) {
  const what = say("ui", "missing", { item: say("items", item) });
  const why = reason ? `${what} · ${say("reasons", reason)}` : what;
  const touchable = touch && TOUCHES[touch];
  if (touchable) return bar(item, "bad", why, say("todos", todo ?? touch), touchable(item));
  return bar(item, "bad", todo ? `${what} · ${say("todos", todo)}` : why);
}

function bar(key, level, text, button, touch) {
  return { key, level, text, button, touch };
}

function calm(snapshot) {
  const [last] = snapshot.entries;
  if (!last) return say("ui", "all_five");
  return [`${say("ui", "last")} ${entryWords(last)}`, last.name].join(" ");
}
