// A number plate (GA 36): a province, a letter, then five letters or digits, six on a new-energy vehicle.

import { button, h } from "./dom.js";
import { cell, grid } from "./grid.js";
import { say } from "./words.js";

const LETTERS = [..."ABCDEFGHJKLMNPQRSTUVWXYZ"];
const DIGITS = [..."1234567890"];
const PROVINCES = [..."沪苏浙皖鲁赣闽豫鄂湘粤川渝京津冀晋陕辽吉黑桂琼贵云甘青宁新蒙藏使领警学港澳临"];
const LEAST = 7, MOST = 8;

export function plateQuestion(form, state) {
  const { plate } = form.said;
  const page = state.keys ?? (plate.length === 1 ? "letters" : "digits");
  return {
    prompt: page === "provinces" ? say("asks", "province") : `${say("asks", "plate")} ${plateWords(plate)}`,
    kind: "large",
    scene: [page, state.page ?? 0].join(),
    back: () => page === "provinces" && turn(state, null),
    nodes: PAGES[page](form, state),
  };
}

export function plateWords(plate) {
  return plate.length > 2 ? `${plate.slice(0, 2)}·${plate.slice(2)}` : plate;
}

const PAGES = { provinces, letters, digits };

function provinces(form, state) {
  const choose = (one) => () => { form.set({ plate: one + form.said.plate.slice(1) }); turn(state, null); };
  return grid(PROVINCES.map((one) => ({ label: one, act: choose(one) })), { state, columns: 7, rows: 4 });
}

function letters(form, state) {
  const cells = LETTERS.map((one) => ({ label: one, act: () => { type(form, one); turn(state, null); } }));
  return grid(cells, { state: {}, columns: 7, rows: 4, extra: [to(state, "digits"), to(state, "provinces"), eraser(form, state)] });
}

function digits(form, state) {
  const keys = DIGITS.map((one) => cell({ label: one, act: () => type(form, one) }));
  const done = button(say("ui", "done"), () => form.answer({}), { class: "primary wide", disabled: form.said.plate.length < LEAST });
  const others = [to(state, "letters"), to(state, "provinces"), eraser(form, state)].map(cell);
  return h("div", { class: "grid figures", "--columns": 5, "--rows": 3 }, keys, others, done);
}

function to(state, page) {
  return { label: say("ui", page), act: () => turn(state, page), kind: "aid" };
}

function eraser(form, state) {
  const erase = () => { if (form.said.plate.length > 1) form.set({ plate: form.said.plate.slice(0, -1) }); turn(state, null); };
  return { label: say("ui", "erase"), act: erase, kind: "aid" };
}

function type(form, one) {
  if (form.said.plate.length < MOST) form.set({ plate: form.said.plate + one });
}

function turn(state, page) {
  Object.assign(state, { keys: page, page: 0 });
  return true;
}
