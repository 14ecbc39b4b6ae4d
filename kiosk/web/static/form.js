// A form: questions one after another, each as large as the screen, then all that was said on one, to be sent.
// What was said is kept as a draft until the station has taken it or it is dropped.

import { button, h } from "./dom.js";
import * as drafts from "./drafts.js";
import { back, errorWords } from "./nav.js";
import { send, surely } from "./touch.js";
import { say } from "./words.js";

const FIELD_OF = { needs_plate: "plate", needs_name: "name", out_of_range: "celsius", time_ahead: "time" };

// spec: { name, blank(given), needs(draft) → fields, editors: { field: (form, state) → { prompt, nodes, scene?, back? } },
//   ready(form), touch(draft, how), isTaken(draft, snapshot, before), next?(draft) }
export class Form {
  constructor(spec) {
    Object.assign(this, { spec, name: spec.name, draft: spec.name, said: null, field: null, state: {}, sent: null });
  }

  open(given) {
    const kept = given ? null : drafts.load(this.name);
    this.said = kept ?? { told: [], ...this.spec.blank(given ?? {}) };
    if (given) drafts.save(this.name, this.said);
    this.sent = null;
    this.ask(this.missing());
  }

  ask(field) {
    this.field = field;
    this.state = {};
  }

  set(changes) {
    Object.assign(this.said, changes);
    this.sent = null;
    drafts.save(this.name, this.said);
  }

  // The answer to the question that is open; the next one follows.
  answer(changes) {
    const told = [...new Set([...this.said.told, this.field])];
    this.set({ ...changes, told });
    this.ask(this.missing());
  }

  missing() {
    return this.spec.needs(this.said).find((field) => !this.said.told.includes(field)) ?? null;
  }

  drop() {
    drafts.drop(this.name);
    this.ask(null);
    back();
  }

  async post(element, how) {
    this.sent = this.now;
    if (!(await send(this.spec.touch(this.said, how), element))) this.sent = null;
  }

  // A newer snapshot: was what was sent taken, or what is wrong with it?
  heard(snapshot) {
    if (!this.sent) return;
    if (this.spec.isTaken(this.said, snapshot, this.sent)) this.finish();
    else if (snapshot.error !== this.sent.error && FIELD_OF[snapshot.error] in this.spec.editors) this.correct(FIELD_OF[snapshot.error]);
  }

  finish() {
    drafts.drop(this.name);
    this.sent = null;
    if (!this.spec.next) return;
    this.said = this.spec.next(this.said);
    this.ask(this.missing());
  }

  correct(field) {
    this.sent = null;
    this.ask(field);
  }

  editor() {
    return this.field == null ? null : this.spec.editors[this.field](this, this.state);
  }

  back() {
    if (this.editor()?.back?.()) return true;
    if (this.field == null || !drafts.load(this.name)) return false;
    this.ask(null);
    return true;
  }

  scene() {
    return [this.field ?? "all", this.editor()?.scene ?? ""].join(" ");
  }

  draw(snapshot) {
    this.now = snapshot;
    const error = errorWords(snapshot), edited = this.editor();
    return [asking(edited?.prompt, error, edited?.kind), edited ? edited.nodes : this.spec.ready(this)];
  }
}

// The line above: what is asked, or what is wrong.
export function asking(prompt, error, kind = "") {
  if (error) return h("p", { class: "ask wrong", role: "alert" }, error);
  return prompt ? h("p", { class: `ask ${kind}` }, prompt) : null;
}

// What was said to one question; a touch asks it again.
export function tile(form, field, value, { label = say("fields", field), kind = "" } = {}) {
  return button([h("small", {}, label), h("b", {}, value || "—")], () => form.ask(field), { class: `tile ${kind}`, "data-field": field });
}

export function toggle(form, field, label, kind = "") {
  const on = Boolean(form.said[field]);
  return button(label, () => form.set({ [field]: !on }), { class: `choice ${kind}`, "aria-pressed": String(on), "data-toggle": field });
}

export function stepper(form) {
  const { people } = form.said;
  const step = (by) => () => form.set({ people: people + by });
  return h("div", { class: "stepper" },
    button("−", step(-1), { "aria-label": say("ui", "fewer"), disabled: people <= 1, "data-step": "-1" }),
    h("output", {}, say("ui", "people", { n: people })),
    button("+", step(1), { "aria-label": say("ui", "more"), disabled: people >= 20, "data-step": "1" }));
}

export function dropper(form) {
  return surely(`drop ${form.name}`, say("ui", "drop"), () => form.drop(), { class: "quiet", "data-drop": form.name });
}

export function keyArea(form) {
  return h("div", { class: "area" }, h("p", {}, say("ui", "key_area")), toggle(form, "key_area", say("ui", "yes"), "grave"));
}
