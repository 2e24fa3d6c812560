// Controls made from declared parameters: unit, range, choices, default, help.

import { field, h, slider } from "./dom.js";
import { session } from "./session.js";

const words = (name) => name.replaceAll("_", " ").replace(/ (db|hz|ms|seconds)$/, "").replace(/^./, (letter) => letter.toUpperCase());

/** A control for each parameter; what is set goes into values. */
export function controlsOf(parameters, values, changed = () => {}) {
  return parameters.map((parameter) => controlOf(parameter, values, changed));
}

function controlOf(parameter, values, changed) {
  const { name, kind, unit, low, high, summary, is_required: isRequired } = parameter;
  const label = `${words(name)}${unit ? `, ${unit}` : ""}${isRequired ? " (needed)" : ""}`;
  const present = values[name] ?? parameter.default;
  const set = (value) => {
    if (value === null) delete values[name];
    else values[name] = value;
    changed();
  };
  if (kind === "flag") {
    return field(label, h("input", { type: "checkbox", checked: present === true, onchange: (event) => set(event.target.checked) }), summary);
  }
  if (kind === "choice") {
    const select = h("select", { onchange: () => set(select.value) }, parameter.choices.map((each) => h("option", {}, each)));
    select.value = present;
    return field(label, select, summary);
  }
  if (kind === "path") return field(label, fileChoice(parameter, present, set), summary);
  if (kind === "number" && low !== null && high !== null && high - low <= 1000) {
    return slider(label, { min: low, max: high, step: (high - low) / 100, value: present ?? low, hint: summary, oninput: set }).element;
  }
  const isNumber = kind === "number" || kind === "integer";
  const input = h("input", {
    type: isNumber ? "number" : "text", step: kind === "integer" ? 1 : "any", min: isNumber && low, max: isNumber && high,
    placeholder: parameter.default ?? "", onchange: () => set(input.value === "" ? null : isNumber ? Number(input.value) : input.value),
  });
  input.value = values[name] ?? (isNumber ? round(parameter.default) : parameter.default) ?? "";
  return field(label, input, summary);
}

const round = (value) => (typeof value === "number" ? Number(value.toPrecision(4)) : value);

/** Models for a parameter called model, recordings for others. */
function fileChoice(parameter, present, set) {
  const files = parameter.name === "model" ? session.models() : session.recordings().map((name) => ({ name, title: name }));
  const select = h("select", { onchange: () => set(select.value || null) }, h("option", { value: "" }, parameter.is_required ? "Choose" : "None"),
    files.map((file) => h("option", { value: file.name }, file.title)));
  select.value = present ?? "";
  return select;
}
