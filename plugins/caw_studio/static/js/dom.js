// Making elements.

/** An element: h("button", {class: "small", onclick: act}, "Play", icon). Properties that are false are left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list" && name !== "form") element[name] = value;
    else element.setAttribute(name === "className" ? "class" : name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * Make these the children, and leave them alone if they are. Whoever works with the keyboard stays where they are: the
 * focus goes to the control of the same name, if there is one, else to the one that is now in its place.
 */
export function place(parent, children) {
  const isSame = children.length === parent.children.length && children.every((child, index) => child === parent.children[index]);
  if (isSame) return;
  const focused = document.activeElement;
  const index = controlsIn(parent).indexOf(focused);
  parent.replaceChildren(...children);
  if (index >= 0) focusAgain(parent, focused, index);
}

const controlsIn = (parent) => [...parent.querySelectorAll("a, button, input, select, summary")];

function focusAgain(parent, focused, index) {
  const nameOf = (control) => control.getAttribute("aria-label") ?? control.labels?.[0]?.textContent ?? control.textContent;
  const hasItsName = (control) => nameOf(control) === nameOf(focused);
  const controls = controlsIn(parent);
  const inItsPlace = controls[Math.min(index, controls.length - 1)];
  const candidates = [controls.includes(focused) && focused, inItsPlace && hasItsName(inItsPlace) && inItsPlace, controls.find(hasItsName), inItsPlace];
  const again = candidates.find(Boolean) ?? parent;
  if (again === parent) parent.tabIndex = -1;
  again.focus({ preventScroll: true });
}

/** Do what takes a while: until then the button looks disabled and does nothing again, but keeps the focus. */
export async function whileBusy(button, act) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  document.querySelectorAll("#messages .wrong").forEach((line) => line.remove()); // they were of what was tried before
  try {
    await act();
  } catch (error) {
    complain(error);
  } finally {
    button.setAttribute("aria-disabled", "false");
  }
}

let counter = 0;

/** A labelled control, with a line of explanation that screen readers read, too. */
export function field(label, control, hint = "") {
  control.id ||= `control-${++counter}`;
  const note = hint ? h("small", { id: `${control.id}-hint` }, hint) : null;
  if (note) control.setAttribute("aria-describedby", note.id);
  return h("div", { className: "field" }, h("label", { htmlFor: control.id }, label), control, note);
}

/** A slider that shows its value beside it. */
export function slider(label, { min = 0, max = 1, step = 0.01, value = 0.5, hint = "", show = String, oninput = () => {} }) {
  const output = h("output", {}, show(value));
  const input = h("input", { type: "range", min, max, step });
  input.value = value;
  input.addEventListener("input", () => {
    output.textContent = show(Number(input.value));
    oninput(Number(input.value));
  });
  const made = field(label, input, hint);
  made.querySelector("label").append(" ", output);
  return { element: made, input, get value() { return Number(input.value); } };
}

/** The number in an input, or null if it is empty. */
export const numberIn = (input) => (input.value.trim() === "" ? null : Number(input.value));

/** Seconds as 0:07.5 or 1:02:03.0. */
export function clock(seconds, digits = 1) {
  const units = 10 ** digits;
  const total = Math.round(Math.max(0, seconds) * units) / units;
  const minutes = Math.floor(total / 60);
  const rest = (total % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** Seconds as people say them: 40 s, 3 min, 2 h. */
export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** The last part of a name. */
export const lastPart = (name) => name.split("/").pop();

/** Say that something went wrong, until it is read; once if it is said again. */
export function complain(error) {
  const text = error.message || String(error);
  const lines = document.getElementById("messages");
  if ([...lines.children].some((line) => line.firstChild.textContent === text)) return;
  addLine(h("p", { className: "wrong" }, h("span", {}, text)));
}

/** Say that something was removed, and offer to put it back. */
export function offerUndo(text, undo) {
  const line = h("p", {}, h("span", {}, text), h("button", {
    type: "button", className: "small",
    onclick: () => {
      line.remove();
      undo().catch(complain);
    },
  }, "Undo"));
  addLine(line);
}

function addLine(line) {
  const lines = document.getElementById("messages");
  line.append(h("button", { type: "button", className: "small", "aria-label": "Dismiss", onclick: () => line.remove() }, "×"));
  lines.append(line);
  while (lines.children.length > 4) lines.firstChild.remove();
}
