// What was begun and not finished, until it is sent or dropped; it outlives a reload of the page, not the browser.

const KEY = "draft ";

export function load(form) {
  return JSON.parse(sessionStorage.getItem(KEY + form));
}

export function save(form, draft) {
  sessionStorage.setItem(KEY + form, JSON.stringify(draft));
}

export function drop(form) {
  sessionStorage.removeItem(KEY + form);
}

export function unfinished() {
  return Object.keys(sessionStorage).filter((key) => key.startsWith(KEY)).map((key) => key.slice(KEY.length)).sort();
}
