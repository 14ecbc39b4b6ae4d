// Posts what was touched, and shows each station's state once a second.
"use strict";

async function act(station, action, fields) {
  await fetch(`/act/${station}/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Gatepost": "1" },
    body: JSON.stringify(fields),
  });
  refresh();
}

function show(section, state) {
  const box = section.querySelector(".state");
  box.className = `state ${state.up ? "up" : "down"}`;
  box.querySelector(".line").textContent = state.line;
  box.querySelector(".missing").textContent = state.missing;
}

async function refresh() {
  try {
    const states = await (await fetch("/state")).json();
    for (const section of document.querySelectorAll("section[data-station]")) {
      show(section, states[section.dataset.station]);
    }
  } catch {
    for (const box of document.querySelectorAll(".state")) box.className = "state down";
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (!button) return;
  const section = button.closest("section");
  const fields = { ...button.dataset };
  for (const input of section.querySelectorAll("input")) fields[input.name] = Number(input.value);
  act(section.dataset.station, button.dataset.action, fields);
});

setInterval(refresh, 1000);
refresh();
