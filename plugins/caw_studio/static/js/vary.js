// Variations of the recording.

import { get } from "./api.js";
import { field, h, slider } from "./dom.js";
import { jobForm, modelField, seedField } from "./forms.js";
import { resultsOf } from "./results.js";

export function varyPanel() {
  const model = modelField();
  const strength = slider("Strength", { value: 0.5, show: (value) => value.toFixed(2), hint: "0 is the recording, 0.5 keeps its harmony and beat, 1 keeps nothing." });
  let rates = [];
  const nameOf = (place) => (place === 0 ? "by strength" : `${rates[place - 1]} Hz`);
  const scale = slider("Scale", { value: 0, step: 1, max: 0, show: nameOf, hint: "Give the recording to this scale as it is." });
  const seed = seedField();

  async function readRates() {
    const asked = model.value;
    rates = asked ? await get("model-info", { file: asked }).then((info) => info.scales.map((each) => each.rate), () => []) : [];
    if (asked !== model.value) return;
    Object.assign(scale.input, { max: rates.length, value: 0 });
    scale.input.dispatchEvent(new Event("input"));
  }
  let known = null;
  const refresh = () => {
    if (model.value !== known) {
      known = model.value;
      readRates();
    }
  };
  model.select.addEventListener("change", refresh);
  model.select.addEventListener("focus", refresh);
  scale.input.addEventListener("focus", refresh);
  scale.input.addEventListener("pointerenter", refresh);

  const form = jobForm("vary", "Vary", [model.element, strength.element, scale.element, seed.element], () => {
    if (!model.value) throw new Error("Choose a model, or train one first.");
    return { model: model.value, strength: strength.value, scale: scale.value ? rates[scale.value - 1] : null, seed: seed.value };
  });
  const title = (job) => {
    const { strength: used, scale: entered, seed: drawn } = job.recipe.settings;
    return `Varied, strength ${used}${entered ? `, from ${entered} Hz` : ""}, seed ${drawn}`;
  };
  return {
    id: "vary", title: "Vary", shown: refresh,
    element: h("div", {}, h("p", {}, "The recording's structure with new detail, from the model's own material."), form, resultsOf(["vary"], title, { optionsOf: () => ({ hasSources: true }) })),
  };
}
