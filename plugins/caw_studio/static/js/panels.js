// Panels that plugins add: a form from declared parameters, and the results.

import { get } from "./api.js";
import { controlsOf } from "./controls.js";
import { h, lastPart } from "./dom.js";
import { jobForm } from "./forms.js";
import { resultsOf } from "./results.js";

/** All of them. */
export async function pluginPanels() {
  const offers = await get("panels");
  return offers.map((offer) => {
    const values = {};
    const form = jobForm("panel", "Run", controlsOf(offer.parameters, values), () => ({ panel: offer.name, values }));
    const results = resultsOf(["panel"], (_job, file) => lastPart(file), { where: (job) => job.recipe.settings.panel === offer.name });
    return {
      id: `plugin-${offer.name}`, title: offer.name.replaceAll(/[-_]/g, " ").replace(/^./, (letter) => letter.toUpperCase()),
      element: h("div", {}, h("p", {}, offer.summary, " ", h("small", {}, `From ${offer.origin}.`)),
        offer.problem ? h("p", { className: "complaint" }, offer.problem) : form, results),
    };
  });
}
