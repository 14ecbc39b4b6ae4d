// Words in the station's language. A key nobody translated is shown as it is.

const texts = JSON.parse(document.documentElement.dataset.texts);
let language = "zh";

export const $ = (selector) => document.querySelector(selector);
export const $$ = (selector) => document.querySelectorAll(selector);

export function speak(next) {
  language = texts[next] ? next : "zh";
  document.documentElement.lang = language === "zh" ? "zh-CN" : language;
  for (const element of $$("[data-ui]")) put(element, say("ui", element.dataset.ui));
}

export function say(group, key, values = {}) {
  return filled(texts[language][group]?.[key] ?? key, values);
}

// What goes into the register is Chinese whatever the screen's language is.
export function written(group, key) {
  return texts.zh[group]?.[key] ?? key;
}

// What is in the register, in the screen's language where that is known.
export function read(group, words) {
  const key = Object.keys(texts.zh[group]).find((one) => texts.zh[group][one] === words);
  return key ? say(group, key) : words;
}

export function keys(group) {
  return Object.keys(texts.zh[group]);
}

export function listed(group, keys) {
  return [...new Set(keys)].map((key) => say(group, key)).join(language === "zh" ? "、" : ", ");
}

export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function holderWords(holder) {
  if (!holder) return "";
  return [holder.name, holder.plate, holder.dwelling, kindWords(holder)].filter(Boolean).join(" ");
}

// After a restart the name is not known until the badge is shown again.
export function volunteerName({ name }) {
  return name || say("kinds", "volunteer");
}

export function celsius(value) {
  return value == null ? "" : `${value.toFixed(1)}℃`;
}

// A plate alone says that it is a vehicle.
function kindWords({ kind, who, plate }) {
  if (plate && who !== "taxi") return "";
  if (who) return who === "resident" ? "" : say("whos", who);
  return kind === "resident" ? "" : say("kinds", kind);
}

function filled(words, values) {
  return words.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}
