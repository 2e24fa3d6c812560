// Parts that forms of several panels share.

import { field, h, whileBusy } from "./dom.js";
import { session, whenever } from "./session.js";

/**
 * A choice of a model; those that were trained on the chosen recording come first, and the newest is chosen if
 * preferOwn. The choice of none is called `none`; without that, it only stands for one that is yet to be made.
 */
export function modelField({ none = null, preferOwn = true, hint = "" } = {}) {
  const select = h("select", { onchange: () => { isChosen = true; } });
  let isChosen = false;
  let [shown, recording] = [null, null];
  whenever(["files", "jobs", "job", "recording"], () => {
    const models = session.models();
    const state = JSON.stringify([models, session.recording]);
    if (state === shown) return;
    isChosen &&= recording === session.recording;
    const before = recording === session.recording ? select.value : null;
    [shown, recording] = [state, session.recording];
    const isOwn = (model) => model.recording !== null && model.recording === recording;
    const own = preferOwn ? models.find(isOwn) : null;
    models.sort((one, other) => Number(isOwn(other)) - Number(isOwn(one)));
    const empty = none ?? (own ? null : models.length ? "Choose a model" : "Train a model first");
    const options = models.map((model) => h("option", { value: model.name }, model.title));
    if (empty !== null) options.unshift(h("option", { value: "" }, empty));
    select.replaceChildren(...options);
    const isKept = options.some((option) => option.value === before) && (before !== "" || isChosen);
    select.value = isKept ? before : own?.name ?? "";
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
