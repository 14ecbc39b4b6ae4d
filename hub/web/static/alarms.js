"use strict";
// Keeps the list of open alerts current; without scripts it is as it was when the page was opened.

const EVERY = 10000;
const live = () => document.getElementById("alerts-live");

function sayLost() {
  if (document.getElementById("alerts-lost")) return;
  const bar = document.createElement("p");
  bar.id = "alerts-lost";
  bar.className = "bar bar-lost";
  bar.setAttribute("role", "status");
  bar.textContent = live().dataset.lost;
  live().before(bar);
}

function put(fresh) {
  const focused = document.activeElement?.id;
  live().replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

async function renew() {
  try {
    const answer = await fetch(location.pathname, { credentials: "same-origin" });
    if (answer.redirected) return location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("alerts-live");
    put(document.adoptNode(fresh));
    document.getElementById("alerts-lost")?.remove();
  } catch {
    sayLost();
  }
}

if (live()) setInterval(() => { if (!document.hidden) renew(); }, EVERY);
