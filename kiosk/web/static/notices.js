// Notices take turns: each is up for ten seconds, a long one in parts of two lines.

const NOTICE_MS = 10_000;
const MOST = 36; // Chinese characters on two lines; others are about half as wide

export function turnOf(notices) {
  const parts = notices.flatMap(partsOf);
  return parts[Math.floor(Date.now() / NOTICE_MS) % parts.length];
}

function partsOf(notice) {
  const pieces = notice.match(/[^，。；！？,.;!?\s]*[，。；！？,.;!?\s]*/gu).flatMap(cut);
  return pieces.reduce((parts, piece) => {
    if (width(parts.at(-1) + piece) > MOST) parts.push("");
    parts.push(parts.pop() + piece);
    return parts;
  }, [""]).map((part) => part.trim()).filter(Boolean);
}

function cut(piece) {
  return [...piece].length > MOST ? piece.match(new RegExp(`.{1,${MOST}}`, "gu")) : [piece];
}

function width(text) {
  return [...text].reduce((sum, one) => sum + (one.codePointAt(0) > 0x2e7f ? 1 : 0.56), 0);
}
