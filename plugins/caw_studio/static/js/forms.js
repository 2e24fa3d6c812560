// Parts that forms of several panels share.

import { field, h, whileBusy } from "./dom.js";
import { session, whenever } from "./session.js";

/** A choice of a model; those that were trained on the chosen recording come first, and are chosen if preferOwn. */
export function modelField({ none = null, preferOwn = true, hint = "" } = {}) {
  const select = h("select", {});
  let shown = null;
  whenever(["files", "jobs", "job", "recording"], () => {
    const models = session.models();
    const state = JSON.stringify([models, session.recording]);
    if (state === shown) return;
    shown = state;
    const before = select.value;
    const isOwn = (model) => model.recording === session.recording && model.recording !== null;
    models.sort((one, other) => Number(isOwn(other)) - Number(isOwn(one)));
    const options = models.map((model) => h("option", { value: model.name }, model.title));
    if (none !== null) options.unshift(h("option", { value: "" }, none));
    if (!options.length) options.push(h("option", { value: "" }, "Train a model first"));
    select.replaceChildren(...options);
    if (models.some((model) => model.name === before)) select.value = before;
    else if (preferOwn && none !== null && models.length && isOwn(models[0])) select.value = models[0].name;
  });
  return { element: field("Model", select, hint), get value() { return select.value || null; }, select };
}

/** A seed that is drawn if it is left empty. */
export function seedField() {
  const input = h("input", { type: "number", min: 0, step: 1, placeholder: "drawn" });
  return { element: field("Seed", input, "A number; the same one makes the same again."), get value() { return input.value === "" ? null : Number(input.value); } };
}

/** A form that starts a job: settings() gives its settings, or throws with what is missing. */
export function jobForm(kind, label, parts, settings) {
  const button = h("button", { type: "submit", className: "primary" }, label);
  const form = h("form", { className: "form" }, parts, h("div", { className: "field" }, button));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(button, async () => {
      await session.reading;
      if (!session.recording) throw new Error("Choose a recording first.");
      await session.start(kind, { recording: session.recording, ...settings() });
    });
  });
  return form;
}
