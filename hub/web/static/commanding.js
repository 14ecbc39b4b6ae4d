"use strict";
// While a station's answer may still come, the page is looked at again, until it is there or its time is over.

const AGAIN_AFTER_MS = 1500;

function replaceStations(fresh) {
  const old = document.getElementById("stations");
  const key = document.activeElement?.id;
  for (const open of old.querySelectorAll("details[open]")) {
    const same = fresh.querySelector(`#${CSS.escape(open.id)}`);
    if (same) same.open = true;
  }
  old.replaceWith(fresh);
  if (key) document.getElementById(key)?.focus({ preventScroll: true });
}

async function look() {
  if (!document.querySelector("[data-under-way]")) return;
  try {
    const answer = await fetch(location.pathname, { redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("stations");
    if (answer.ok && fresh) replaceStations(document.adoptNode(fresh));
  } catch {
    // the hub is away for a moment: asked again all the same
  }
  setTimeout(look, AGAIN_AFTER_MS);
}

// A page that refused something was posted to: what is under way is on the page behind it.
if (document.querySelector("[data-under-way]") && !document.querySelector(".problem")) setTimeout(look, AGAIN_AFTER_MS);
