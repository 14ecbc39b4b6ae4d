// How a notice looks on a station's waiting screen while it is written: the first of its turns, and how many there are.

const TWO_LINES = 36; // places; a Chinese character takes one, any other about half

const zh = document.getElementById("zh");
const look = document.getElementById("look");

function places(text) {
  return [...text].reduce((sum, one) => sum + (one.codePointAt(0) > 0x2e7f ? 1 : 0.56), 0);
}

/** The text in turns of two lines, ended at a stop or a space where there is one. */
function turns(text) {
  const made = [""];
  for (const word of text.split(/(?<=[\uff0c\u3002\uff1b\uff01\uff1f,.;!?\s])/u)) {
    for (const piece of places(word) > TWO_LINES ? word : [word]) {
      if (places(made.at(-1) + piece) > TWO_LINES) made.push("");
      made[made.length - 1] += piece;
    }
  }
  return made.map((one) => one.trim()).filter(Boolean);
}

function show() {
  const shown = turns(zh.value.replace(/\s+/g, " ").trim());
  look.hidden = !shown.length;
  for (const place of look.querySelectorAll(".turn-text")) place.textContent = shown[0] ?? "";
  document.getElementById("turns").textContent = shown.length > 1 ? look.dataset.turns.replace("#", shown.length) : "";
}

if (zh && look) {
  zh.addEventListener("input", show);
  show();
}
