// Big buttons side by side, by the page: what doesn't fit is two touches away, never smaller.

import { button, h } from "./dom.js";
import { say } from "./words.js";

const ACROSS = 8.4, GAP = 0.06, EM = 0.5, PADDING = 0.1; // rem: the view's width, and a cell's type and edges
const BREAK = "\u200b"; // where a long label may go on in the next line

// cells: [{ label, act, pressed?, disabled?, kind? }]; extra: cells that stand last on every page
export function grid(cells, { state, columns, rows, extra = [] }) {
  const most = columns * rows - extra.length;
  const paged = cells.length > most;
  const size = paged ? most - 2 : most;
  const pages = Math.max(1, Math.ceil(cells.length / size));
  const page = Math.min(state.page ?? 0, pages - 1);
  const turn = (step) => () => { state.page = (page + step + pages) % pages; };
  const turners = paged ? [turner("‹", "previous", turn(-1)), turner("›", "following", turn(1))] : [];
  const here = cells.slice(page * size, (page + 1) * size);
  return h("div", { class: "grid", "--columns": columns, "--rows": rows }, here.map(cell), extra.map(cell), turners);
}

function turner(label, key, act) {
  return cell({ label, act, name: say("ui", key), kind: "turn" });
}

export function cell({ label, act, pressed, disabled, kind, name, lines }) {
  return button(lines ?? breakable(label), act, {
    class: kind, disabled, "aria-pressed": pressed == null ? null : String(pressed), "aria-label": name,
  });
}

// As few columns as show them all, so that the buttons are as large as can be; at most as many as the longest label allows.
export function columnsFor(labels, rows, more = 0) {
  const longest = Math.max(1, ...labels.map(width));
  const most = Math.min(7, Math.max(2, Math.floor((ACROSS + GAP) / (longest * EM + PADDING + GAP))));
  return Math.min(most, Math.max(3, Math.ceil((labels.length + more) / rows)));
}

function width(label) {
  const parts = breakable(label).split(BREAK);
  return Math.max(...parts.map((part) => [...part].reduce((sum, one) => sum + (isWide(one) ? 1 : 0.56), 0)));
}

function isWide(character) {
  return character.codePointAt(0) > 0x2e7f;
}

function breakable(label) {
  return typeof label === "string" && [...label].length > 2 ? label.replace(/([0-9A-Za-z]+)(?=[^0-9A-Za-z])/g, `$1${BREAK}`) : label;
}
