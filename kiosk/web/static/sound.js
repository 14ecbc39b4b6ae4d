// Three sounds that differ in rhythm and pitch: two rising, one low, three the same.

const PATTERNS = {
  good: [[0, 660, 0.14], [0.17, 990, 0.22]],
  wait: [[0, 300, 0.5]],
  stop: [[0, 440, 0.16], [0.24, 440, 0.16], [0.48, 440, 0.16]],
};

let audio;

export function play(sound, loudness) {
  if (!PATTERNS[sound]) return;
  audio ??= new AudioContext();
  audio.resume();
  for (const [at, hertz, seconds] of PATTERNS[sound]) beep(audio.currentTime + at, hertz, seconds, loudness / 100);
}

function beep(at, hertz, seconds, loudness) {
  const tone = new OscillatorNode(audio, { frequency: hertz, type: "triangle" });
  const gain = new GainNode(audio, { gain: loudness });
  gain.gain.setTargetAtTime(0, at + seconds * 0.7, seconds * 0.1);
  tone.connect(gain).connect(audio.destination);
  tone.start(at);
  tone.stop(at + seconds);
}
