// New takes from a model.

import { field, h, numberIn } from "./dom.js";
import { jobForm, modelField, seedField } from "./forms.js";
import { resultsOf } from "./results.js";

export function generatePanel() {
  const model = modelField();
  const count = h("input", { type: "number", min: 1, max: 20, step: 1, value: 3 });
  const seconds = h("input", { type: "number", min: 0.5, max: 3600, step: "any", value: 15 });
  const coherence = h("input", { type: "number", min: 1, max: 60, step: "any", placeholder: "as the model has it" });
  const coherenceHint = "2 mumbles, 8 keeps whole phrases. For models of the fast preset.";
  const seed = seedField();
  const form = jobForm("generate", "Generate", [
    model.element, field("Takes", count), field("Length, s", seconds), field("Coherence, s", coherence, coherenceHint), seed.element,
  ], () => {
    if (!model.value) throw new Error("Choose a model, or train one first.");
    return { model: model.value, count: numberIn(count), seconds: numberIn(seconds), coherence: numberIn(coherence), seed: seed.value };
  });
  const title = (job, _file, index) => {
    const { coherence: chosen, seed: drawn } = job.recipe.settings;
    return `Take ${index + 1}${chosen ? `, coherence ${chosen} s` : ""}, seed ${drawn}`;
  };
  return {
    id: "generate", title: "Generate",
    element: h("div", {}, h("p", {}, "New audio of the recording's kind. Put takes on the list of tracks to switch between them at the same place."), form, resultsOf(["generate"], title, { optionsOf: () => ({ hasSources: true }) })),
  };
}
