// What should be on a part of the screen, and the smallest change that brings it there: elements stay, so no touch is lost.

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = new Set(["svg", "use"]);

export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, children: children.flat(Infinity).filter((child) => child != null && child !== false) };
}

export function icon(name) {
  return h("svg", { class: "icon", "aria-hidden": "true" }, h("use", { href: `#icon-${name}` }));
}

// A button: `act` is called when it is touched.
export function button(label, act, props) {
  return h("button", { type: "button", ...props, act }, label);
}

export function mend(host, wanted) {
  const list = [wanted].flat(Infinity).filter((one) => one != null && one !== false);
  list.forEach((want, place) => mendOne(host, host.childNodes[place], want));
  while (host.childNodes.length > list.length) host.lastChild.remove();
}

function mendOne(host, had, want) {
  if (typeof want !== "object") return mendText(host, had, String(want));
  if (had?.localName !== want.tag) had = put(host, had, made(want.tag));
  setProps(had, want.props);
  return mend(had, want.children);
}

function mendText(host, had, text) {
  if (had?.nodeType !== Node.TEXT_NODE) return put(host, had, document.createTextNode(text));
  if (had.data !== text) had.data = text;
  return had;
}

function put(host, had, next) {
  if (had) had.replaceWith(next);
  else host.append(next);
  return next;
}

function made(tag) {
  return SHAPES.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
}

function setProps(element, props) {
  for (const name of Object.keys(element.props ?? {})) if (!(name in props)) setProp(element, name, null);
  for (const [name, value] of Object.entries(props)) if (element.props?.[name] !== value) setProp(element, name, value);
  element.props = props;
}

function setProp(element, name, value) {
  if (name === "act") element.act = value;
  else if (name === "disabled") element.disabled = Boolean(value);
  else if (name.startsWith("--")) element.style.setProperty(name, value);
  else if (value == null || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value);
}
