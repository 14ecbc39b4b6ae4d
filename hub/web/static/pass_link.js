"use strict";
// Keeps the screen awake while the pass is held up; a browser that can't, shows it all the same.

async function stayAwake() {
  if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
  try {
    await navigator.wakeLock.request("screen");
  } catch {
    // a low battery forbids it
  }
}

document.addEventListener("visibilitychange", stayAwake);
stayAwake();
