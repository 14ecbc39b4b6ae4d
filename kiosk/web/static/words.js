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
  const words = texts[language][group]?.[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

export function listed(group, keys) {
  return [...new Set(keys)].map((key) => say(group, key)).join(language === "zh" ? "、" : ", ");
}

export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function holderWords(holder) {
  if (!holder) return "";
  const kind = holder.kind === "resident" ? "" : say("kinds", holder.kind);
  return [holder.name, holder.dwelling, holder.plate, kind].filter(Boolean).join(" ");
}

export function celsius(value) {
  return value == null ? "" : `${value.toFixed(1)}℃`;
}
