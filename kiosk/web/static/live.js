// The stream of snapshots, and whether it can be trusted: a page that has heard nothing for three seconds is lost.

const SILENCE_MS = 3000;

export function follow(onSnapshot, onState, address = "/events") {
  let source, heard, state;
  const tell = (next) => { if (next !== state) onState(state = next); };
  const hear = () => { heard = performance.now(); tell("live"); };

  function open() {
    source?.close();
    heard = performance.now();
    source = new EventSource(address);
    source.onmessage = (event) => { hear(); onSnapshot(JSON.parse(event.data)); };
    source.addEventListener("beat", hear);
    source.addEventListener("ended", () => { source.close(); source = null; tell("ended"); });
  }

  function watch() {
    if (!source) return;
    if (performance.now() - heard > SILENCE_MS) tell("lost");
    if (source.readyState === EventSource.CLOSED) open();
  }

  open();
  setInterval(watch, 500);
  addEventListener("pagehide", () => source?.close());
  return open;
}

export async function post(touch) {
  const headers = { "Content-Type": "application/json", "X-Gatepost": "1" };
  try {
    return (await fetch("/touch", { method: "POST", headers, body: JSON.stringify(touch) })).ok;
  } catch {
    return false;
  }
}
