"use strict";
// Keeps an open page current (server-sent events), says so when it can't, and filters the gates.

const LOST_AFTER = 3000; // a lost stream is mended within this, or the page says that it is lost
const SILENT_AFTER = 12000; // the hub speaks every 5 s; a stream that says nothing for longer is lost too
const AGAIN_AFTER = 2000;

const page = document.getElementById("page");

function partOf(name, root = document) {
  return root.querySelector(`[data-part="${CSS.escape(name)}"]`);
}

function replacePart(name, html) {
  const old = partOf(name);
  if (!old) return;
  const made = document.createElement("template");
  made.innerHTML = html;
  const fresh = made.content.firstElementChild;
  for (const open of old.querySelectorAll("details[open]")) {
    const same = open.id && fresh.querySelector(`#${CSS.escape(open.id)}`);
    if (same) same.open = true;
  }
  old.replaceWith(fresh);
}

function keepingFocus(change) {
  const focused = document.activeElement;
  const key = focused && focused !== document.body ? focused.id || null : null;
  change();
  if (key && document.activeElement !== focused) document.getElementById(key)?.focus({ preventScroll: true });
}

/* ---- live ---- */

const stream = { source: null, heard: 0, lostTimer: null, n: page?.dataset.n };

function apply(message) {
  keepingFocus(() => {
    if (message.whole !== undefined) document.getElementById("whole").innerHTML = message.whole;
    for (const [name, html] of Object.entries(message.parts ?? {})) replacePart(name, html);
    filter();
  });
  stream.n = message.n;
  document.getElementById("fresh-at").textContent = message.at;
}

function heard() {
  stream.heard = Date.now();
  clearTimeout(stream.lostTimer);
  stream.lostTimer = null;
  document.getElementById("lost").hidden = true;
  document.body.classList.remove("is-lost");
}

function sayLost() {
  const bar = document.getElementById("lost");
  const time = document.getElementById("fresh-at").textContent.slice(0, 5);
  bar.textContent = page.dataset.lost.replace("{time}", time);
  bar.hidden = false;
  document.body.classList.add("is-lost");
}

function listen() {
  const url = new URL(page.dataset.events, location.href);
  url.searchParams.set("n", stream.n);
  const source = new EventSource(url);
  stream.source = source;
  source.onmessage = (event) => {
    heard();
    apply(JSON.parse(event.data));
  };
  source.onerror = () => {
    stream.lostTimer ??= setTimeout(sayLost, LOST_AFTER);
    source.close();
    setTimeout(again, AGAIN_AFTER / 2);
  };
}

async function again() {
  try {
    const answer = await fetch(location.href, { redirect: "manual", cache: "no-store" });
    if (answer.type === "opaqueredirect" || answer.status === 404) return location.reload();
    if (answer.ok) return listen();
  } catch {
    // the hub is away: try again
  }
  setTimeout(again, AGAIN_AFTER);
}

function watchSilence() {
  if (Date.now() - stream.heard < SILENT_AFTER) return;
  sayLost();
  if (stream.source.readyState !== EventSource.CLOSED) {
    stream.source.close();
    again();
  }
}

/* ---- filters ---- */

const area = document.getElementById("filter-area");
const item = document.getElementById("filter-item");
const search = document.getElementById("filter-search");
let wantedStatus = "";

function matchesPlace(row) {
  const words = search.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const lacks = row.dataset.lacks.split(" ");
  return (
    (!area.value || row.dataset.area === area.value) &&
    (!item.value || lacks.includes(item.value)) &&
    words.every((word) => row.dataset.search.includes(word))
  );
}

function filter() {
  if (!area) return;
  const counts = { "": 0 };
  for (const row of document.querySelectorAll(".row-gate")) {
    const here = matchesPlace(row);
    if (here) {
      counts[""] += 1;
      counts[row.dataset.status] = (counts[row.dataset.status] ?? 0) + 1;
    }
    row.hidden = !here || (wantedStatus !== "" && row.dataset.status !== wantedStatus);
  }
  showTiles(counts);
  const shown = showGroups();
  document.getElementById("none").hidden = shown > 0 || !document.querySelector(".row-gate");
}

function showTiles(counts) {
  for (const tile of document.querySelectorAll(".tile")) {
    tile.querySelector(".tile-count").textContent = counts[tile.dataset.status] ?? 0;
    tile.setAttribute("aria-pressed", String(tile.dataset.status === wantedStatus));
  }
}

function showGroups() {
  let all = 0;
  for (const group of document.querySelectorAll(".group")) {
    const shown = group.querySelectorAll(".row-gate:not([hidden])").length;
    group.hidden = shown === 0;
    group.querySelector(".group-count").textContent = shown;
    all += shown;
  }
  return all;
}

function remember() {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of [["area", area.value], ["status", wantedStatus], ["item", item.value], ["q", search.value]]) {
    if (value) query.set(key, value);
    else query.delete(key);
  }
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  for (const link of document.querySelectorAll("[data-order]")) {
    query.set("order", link.dataset.order);
    link.href = `?${query}`;
  }
}

function changed() {
  filter();
  remember();
}

function chooseStatus(status) {
  wantedStatus = status === wantedStatus ? "" : status;
  changed();
}

function clearFilters(event) {
  event.preventDefault();
  area.value = item.value = search.value = "";
  wantedStatus = "";
  changed();
  search.focus();
}

function setUpFilters() {
  const query = new URLSearchParams(location.search);
  area.value = query.get("area") ?? "";
  if (area.selectedIndex < 0) area.value = "";
  item.value = query.get("item") ?? "";
  if (item.selectedIndex < 0) item.value = "";
  search.value = query.get("q") ?? "";
  wantedStatus = query.get("status") ?? "";
  for (const kept of document.querySelectorAll("#filters [type=hidden]")) kept.remove();
  area.addEventListener("change", changed);
  item.addEventListener("change", changed);
  search.addEventListener("input", changed);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) event.preventDefault(); // else the first tile is pressed
  });
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("clear").addEventListener("click", clearFilters);
  document.addEventListener("click", (event) => {
    const tile = event.target.closest(".tile");
    if (!tile) return;
    event.preventDefault();
    chooseStatus(tile.dataset.status);
  });
  filter();
}

if (area) setUpFilters();
if (page) {
  stream.heard = Date.now();
  listen();
  setInterval(watchSilence, 1000);
}
