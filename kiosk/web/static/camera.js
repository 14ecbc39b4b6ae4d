// What the camera sees, in the view that shows it: the newest picture again and again, never a queue.

import { $ } from "./words.js";

const PICTURE_MS = 200, BLIND_MS = 1000, ABSENT_MS = 300;

export function watchCamera(isLive) {
  const figure = $(`#${document.body.dataset.view} .preview`);
  const later = (ms) => setTimeout(watchCamera, ms, isLive);
  if (!figure || !isLive()) return later(ABSENT_MS);
  const next = new Image();
  next.alt = "";
  next.onload = () => { put(figure, next); later(PICTURE_MS); };
  next.onerror = () => { put(figure); later(BLIND_MS); };
  return (next.src = `/picture.jpg?${Date.now()}`);
}

function put(figure, ...image) {
  figure.querySelector("img")?.remove();
  figure.append(...image);
}
