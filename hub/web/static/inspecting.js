// An inspection begun at a gate stays on this phone, over a reload and without a network, until it is sent; then it is sent
// once, however often it is tried.
// localStorage: inspect.drafts, inspect.queue: key → sheet {key, name, url, fields, photos}. A key begins with the account's id.

const DRAFTS = "inspect.drafts";
const QUEUE = "inspect.queue";
const SIDE = 1280; // pixels of a photo as it is kept; the hub keeps no more
const QUALITY = 0.75;
const AGAIN_AFTER = 20000;
const PATIENCE = 60000;

const outbox = document.getElementById("outbox");
const form = document.getElementById("sheet");
const account = outbox.dataset.account;

function stored(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? {};
  } catch {
    return {};
  }
}

function mine(name) {
  return Object.values(stored(name)).filter((one) => one.key.startsWith(`${account}/`));
}

/** Keeps a sheet under its key, or (null) forgets it; false: there is no room. */
function keep(name, key, sheet) {
  const all = stored(name);
  if (sheet) all[key] = sheet;
  else delete all[key];
  try {
    localStorage.setItem(name, JSON.stringify(all));
    return true;
  } catch {
    return false;
  }
}

/* ---- what waits ---- */

const delivered = []; // sheets sent while this page was open: [name, address]
let needsSignIn = false;
let sending = false;

function made(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function line(name, href, text, why) {
  const row = made("p", "outbox-line");
  row.append(made("b", "", name));
  if (href) {
    const link = made("a", "", text);
    link.href = href;
    row.append(link);
  } else if (text) row.append(made("span", "quiet", text));
  if (why) row.append(made("span", "outbox-why", why));
  return row;
}

function showOutbox() {
  const words = outbox.dataset;
  const waiting = mine(QUEUE);
  const begun = mine(DRAFTS).filter((one) => one.key !== form?.dataset.draft || one.problems);
  outbox.replaceChildren();
  for (const [name, url] of delivered) outbox.append(line(name, url, words.sent));
  if (waiting.length) outbox.append(made("h2", "panel-title", words.waiting));
  for (const one of waiting) outbox.append(line(one.name, null, timeOf(one)));
  if (waiting.length && needsSignIn) {
    const link = made("a", "inspect-button", words.signin);
    link.href = words.url;
    outbox.append(link);
  } else if (waiting.length) {
    const button = made("button", "inspect-button", words.now);
    button.type = "button";
    button.addEventListener("click", flush);
    outbox.append(button);
  }
  const elsewhere = begun.filter((one) => one.key !== form?.dataset.draft);
  if (elsewhere.length && !form) {
    outbox.append(made("h2", "panel-title", words.drafts));
    for (const one of elsewhere) outbox.append(line(one.name, one.url, timeOf(one), one.problems ? words.problem : ""));
  } else {
    for (const one of elsewhere.filter((e) => e.problems)) outbox.append(line(one.name, one.url, words.problem));
  }
  outbox.hidden = !outbox.children.length;
}

function timeOf(sheet) {
  return (sheet.fields.observed_at ?? "").slice(5).replace("T", " ");
}

/* ---- sending ---- */

function blobOf(dataUrl) {
  const bytes = Uint8Array.from(atob(dataUrl.slice(dataUrl.indexOf(",") + 1)), (c) => c.charCodeAt(0));
  return new Blob([bytes], { type: "image/jpeg" });
}

function bodyOf(sheet, token) {
  const body = new FormData();
  for (const [name, value] of Object.entries(sheet.fields)) body.append(name, value);
  body.append("csrf_token", token);
  sheet.photos.forEach((photo, n) => body.append("photos", blobOf(photo), `${n + 1}.jpg`));
  return body;
}

function post(sheet, token) {
  return fetch(sheet.url, {
    method: "POST", body: bodyOf(sheet, token), headers: { Accept: "application/json" }, credentials: "same-origin",
    redirect: "manual", signal: AbortSignal.timeout(PATIENCE),
  });
}

function tokenHere() {
  return document.querySelector("input[name=csrf_token]")?.value ?? "";
}

/** The token of a page asked for anew: the one of this page may be of a session that is over. */
async function freshToken() {
  const answer = await fetch(outbox.dataset.url, { credentials: "same-origin", redirect: "manual" });
  if (!answer.ok) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("input[name=csrf_token]")?.value ?? null;
}

/** "sent", "refused" (put back among the drafts), "later" or "sign in". */
async function deliver(sheet) {
  let answer;
  try {
    answer = await post(sheet, tokenHere());
    if (answer.status === 400) {
      const token = await freshToken();
      if (token === null) return "sign in";
      answer = await post(sheet, token);
    }
  } catch {
    return "later";
  }
  if (answer.type === "opaqueredirect" || answer.status === 400) return "sign in";
  const said = await answer.json().catch(() => ({}));
  if (answer.ok && said.url) {
    keep(QUEUE, sheet.key + sheet.fields.id, null);
    delivered.push([sheet.name, said.url]);
    document.getElementById("queued")?.setAttribute("hidden", "");
    return "sent";
  }
  if (answer.status >= 500) return "later";
  keep(QUEUE, sheet.key + sheet.fields.id, null);
  keep(DRAFTS, sheet.key, { ...sheet, problems: said.problems ?? {} });
  return "refused";
}

async function flush() {
  if (sending) return;
  sending = true;
  needsSignIn = false;
  for (const sheet of mine(QUEUE)) {
    const how = await deliver(sheet);
    needsSignIn = how === "sign in";
    if (how === "later" || how === "sign in") break;
  }
  sending = false;
  showOutbox();
}

window.addEventListener("online", flush);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && flush());
setInterval(() => mine(QUEUE).length && flush(), AGAIN_AFTER);

/* ---- the sheet ---- */

function startSheet() {
  const words = form.dataset;
  const key = words.draft;
  const photos = [];
  let timed = false;
  let done = false;

  const fields = () => {
    const found = {};
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && name !== "csrf_token") found[name] = value;
    return found;
  };
  const sheet = () => ({ key, name: words.name, url: location.pathname, fields: fields(), photos: [...photos], timed });

  const nowHere = () => {
    const parts = new Intl.DateTimeFormat("sv-SE", {
      timeZone: words.zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    }).format(new Date());
    return parts.replace(" ", "T");
  };

  function showCount() {
    const looked = [...form.querySelectorAll('.look input[type="radio"]:checked')].filter((one) => one.value);
    document.getElementById("count").textContent = words.count.replace("#", looked.length);
  }

  function say(problems) {
    for (const place of form.querySelectorAll("[data-problem]")) {
      const said = problems[place.dataset.problem];
      place.textContent = said ?? "";
      place.hidden = !said;
    }
    const top = document.getElementById("problem");
    top.hidden = !Object.keys(problems).length;
    if (problems.id) top.textContent = problems.id;
    const first = form.querySelector(".field-problem:not([hidden])") ?? top;
    if (!top.hidden) first.scrollIntoView({ block: "center" });
  }

  function save() {
    const kept = keep(DRAFTS, key, sheet());
    document.getElementById("kept").textContent = kept ? words.kept : "";
    document.getElementById("discard").hidden = false;
    return kept;
  }

  function showPhotos() {
    const list = document.getElementById("shots");
    list.replaceChildren();
    photos.forEach((photo, n) => {
      const shot = made("li");
      const image = made("img");
      image.src = photo;
      image.alt = `${words.alt} ${n + 1}`;
      const remove = made("button", "shot-remove", "×");
      remove.type = "button";
      remove.setAttribute("aria-label", words.remove);
      remove.addEventListener("click", () => {
        photos.splice(n, 1);
        showPhotos();
        save();
        document.getElementById("photos").focus();
      });
      shot.append(image, remove);
      list.append(shot);
    });
  }

  async function shrunk(file) {
    const picture = await createImageBitmap(file);
    const share = Math.min(1, SIDE / Math.max(picture.width, picture.height));
    const canvas = made("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * share));
    canvas.height = Math.max(1, Math.round(picture.height * share));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return canvas.toDataURL("image/jpeg", QUALITY);
  }

  async function takePhotos(input) {
    const files = [...input.files];
    input.value = "";
    say({});
    for (const file of files) {
      if (photos.length >= Number(words.most)) return say({ photos: words.many });
      const photo = await shrunk(file).catch(() => null);
      if (photo === null) return say({ photos: words.bad });
      photos.push(photo);
      if (!save()) {
        photos.pop();
        showPhotos();
        return say({ photos: words.room });
      }
      showPhotos();
    }
  }

  function restore(draft) {
    for (const [name, value] of Object.entries(draft.fields)) {
      const field = form.elements.namedItem(name);
      if (field) field.value = value;
    }
    photos.push(...draft.photos);
    timed = draft.timed;
    showPhotos();
    document.getElementById("discard").hidden = false;
    document.getElementById("kept").textContent = words.kept;
    if (draft.problems) say(draft.problems);
  }

  /** What the page of an actor's pass brings along goes over a draft. */
  function takeGiven() {
    const given = new URLSearchParams(location.search);
    if (!given.has("actor_pass")) return;
    for (const name of ["method", "actor_kind", "actor_pass"]) form.elements.namedItem(name).value = given.get(name) ?? "";
    form.elements.observed_at.value = nowHere(); // the draft may be older than the attempt
    timed = true;
    history.replaceState(null, "", location.pathname);
    save();
  }

  async function send() {
    const ready = sheet();
    const button = document.getElementById("send");
    if (!keep(QUEUE, key + ready.fields.id, ready)) return say({ photos: words.room });
    keep(DRAFTS, key, null);
    done = true;
    button.disabled = true;
    document.getElementById("kept").textContent = words.sending;
    say({});
    sending = true;
    const how = await deliver(ready);
    sending = false;
    if (how === "sent") return location.assign(delivered.pop()[1]);
    button.disabled = false;
    if (how === "refused") {
      done = false;
      document.getElementById("kept").textContent = words.kept;
      return say(stored(DRAFTS)[key].problems);
    }
    needsSignIn = how === "sign in";
    form.hidden = true;
    const note = document.getElementById("queued");
    note.hidden = needsSignIn;
    showOutbox();
    (needsSignIn ? outbox : note).scrollIntoView({ block: "center" });
    note.focus();
  }

  form.addEventListener("input", (event) => {
    if (done || event.target.type === "file") return;
    if (event.target.name === "observed_at") timed = true;
    else if (!timed) {
      form.elements.observed_at.value = nowHere();
      timed = true;
    }
    showCount();
    save();
  });
  document.getElementById("photos").addEventListener("change", (event) => takePhotos(event.target));
  document.getElementById("discard").addEventListener("click", () => {
    keep(DRAFTS, key, null);
    location.reload();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!sending) send();
  });

  document.documentElement.classList.add("is-scripted");
  const draft = stored(DRAFTS)[key];
  if (draft) restore(draft);
  takeGiven();
  showCount();
}

/* ---- choosing a gate ---- */

function startSearch() {
  const box = document.getElementById("q");
  let timer = null;
  const look = async () => {
    const url = `${location.pathname}?q=${encodeURIComponent(box.value)}`;
    const answer = await fetch(url, { credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok || url !== `${location.pathname}?q=${encodeURIComponent(box.value)}`) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("found");
    if (fresh) document.getElementById("found").replaceChildren(...fresh.childNodes);
  };
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 250);
  });
}

if (form) startSheet();
else startSearch();
showOutbox();
if (mine(QUEUE).length) flush();
