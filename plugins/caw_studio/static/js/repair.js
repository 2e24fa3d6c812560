// Repair the recording: fill gaps, take noise out, add highs.

import { get } from "./api.js";
import { complain, field, h, numberIn, place, slider, whileBusy } from "./dom.js";
import { jobForm, modelField, seedField } from "./forms.js";
import { player } from "./player.js";
import { resultsOf } from "./results.js";
import { session, whenever } from "./session.js";

const LEAD = 1.5; // seconds before a gap from which its filling is heard
const MOST_GAPS = 200; // that a job takes

export function repairPanel() {
  return {
    id: "repair", title: "Repair", marks: "gaps",
    element: h("div", {}, gapsPart(), noisePart(), highsPart()),
  };
}

function gapsPart() {
  const list = h("ol", { className: "gaps" });
  const find = h("button", { type: "button", onclick: () => whileBusy(find, () => findGaps(find)) }, "Find gaps");
  const clear = h("button", { type: "button", onclick: () => { player.gaps = []; } }, "Clear");
  const model = modelField({ none: "Train on what is left", hint: "A model of this recording that has not seen the gaps is best." });
  const count = h("input", { type: "number", min: 1, max: 20, step: 1, value: 3 });
  const minutes = h("input", { type: "number", min: 0.05, step: "any", placeholder: "as needed" });
  const seed = seedField();
  const form = jobForm("inpaint", "Fill the gaps", [
    model.element, field("Fillings", count), field("Minutes of training", minutes), seed.element,
  ], () => {
    if (!player.gaps.length) throw new Error("Mark the gaps first: drag over the picture, or have them found.");
    const gaps = player.gaps.map(([start, stop, found]) => (found?.channel ? [start, stop, found.channel] : [start, stop]));
    return { gaps, model: model.value, count: numberIn(count), minutes: model.value ? null : numberIn(minutes), seed: seed.value };
  });
  const results = resultsOf(["inpaint"], (_job, _file, index) => `Filling ${index + 1}`, {
    optionsOf: (job) => ({ listenAt: () => Math.max(0, job.recipe.settings.gaps[0][0] - LEAD) }),
  });
  player.addEventListener("gaps", () => listGaps(list));
  return h("fieldset", {}, h("legend", {}, "Gaps"), h("div", { className: "row start" }, find, clear), list, form, results);
}

/** Mark the gaps that `caw inpaint --find` finds, with their kinds and channels. */
async function findGaps(button) {
  const { recording } = session;
  button.textContent = "Looking for gaps …";
  try {
    const found = await get("gaps", { file: recording });
    if (recording !== session.recording) return;
    if (!found.length) throw new Error("No gaps found: mark them by hand.");
    if (found.length > MOST_GAPS) complain(new Error(`${found.length} gaps found, and the first ${MOST_GAPS} marked: caw inpaint --find fills all.`));
    player.gaps = found.slice(0, MOST_GAPS).map(([start, stop, kind, channel]) => [start, stop, { kind, channel }]);
  } finally {
    button.textContent = "Find gaps";
  }
}

/** The gaps as numbers that can be typed. */
function listGaps(list) {
  const { gaps } = player;
  const edge = (index, side) => h("input", {
    type: "number", min: 0, step: 0.001, value: gaps[index][side].toFixed(3), "aria-label": `Gap ${index + 1}, ${side ? "end" : "start"} in seconds`,
    onchange: (event) => {
      const changed = gaps.map((gap) => [...gap]);
      changed[index][side] = Number(event.target.value);
      if (changed[index][0] < changed[index][1]) setTimeout(() => { player.gaps = changed; }); // when Tab has moved on
      else complain(new Error("A gap begins before it ends."));
    },
  });
  place(list, gaps.map(([, , found], index) => h("li", {}, edge(index, 0), "to", edge(index, 1), "s",
    found && h("small", {}, found.channel ? `${found.kind} (${found.channel} only)` : found.kind),
    h("button", { type: "button", className: "small", "aria-label": `Hear gap ${index + 1}`, onclick: () => { player.transport.seek(Math.max(0, gaps[index][0] - LEAD)); player.transport.play().catch(complain); } }, "Hear"),
    h("button", { type: "button", className: "small", "aria-label": `Remove gap ${index + 1}`, onclick: () => { player.gaps = gaps.filter((_each, other) => other !== index); } }, "×"))));
}

function noisePart() {
  const model = modelField({ none: "None", preferOwn: false, hint: "Only of a cleaner recording of the same source." });
  const declick = h("input", { type: "checkbox", checked: true });
  const form = jobForm("denoise", "Denoise", [model.element, field("Remove clicks", declick)],
    () => ({ model: model.value, declick: declick.checked, strength: 1 }));
  const titles = { "denoised.wav": "Denoised", "residual.wav": "What was removed" };
  const title = (job, file) => {
    const { strength } = job.recipe.settings;
    return `${titles[file.split("/").pop()]}${strength < 1 ? `, strength ${strength}` : ""}`;
  };
  const results = resultsOf(["denoise"], title, { extraOf: mixOf });
  return h("fieldset", {}, h("legend", {}, "Noise"), form, results);
}

/** A strength that is heard at once: what was removed is mixed back in. */
function mixOf(job) {
  if (job.status !== "done" || job.recipe.settings.strength < 1) return null;
  const { recording } = job.recipe.settings;
  const [denoised, residual] = job.outputs;
  const listen = async (mix) => {
    await player.hearMix(mix);
    if (!player.transport.playing) await player.transport.play();
  };
  const mixAt = (strength) => new Map([[recording, 1 - strength], [denoised, strength]]);
  const strength = slider("Strength", {
    value: 1, show: (value) => value.toFixed(2), hint: "Heard at once.", oninput: (value) => listen(mixAt(value)).catch(complain),
  });
  const hear = (label, mix) => h("button", { type: "button", className: "small", onclick: () => listen(mix()).catch(complain) }, label);
  const keep = h("button", {
    type: "button", className: "small",
    onclick: () => session.start("denoise", { ...job.recipe.settings, strength: strength.value }).catch(complain),
  }, "Make it at this strength");
  return h("div", { className: "mix" }, strength.element, h("div", { className: "row start" },
    hear("Before", () => mixAt(0)), hear("After", () => mixAt(strength.value)), hear("What is removed", () => new Map([[residual, strength.value]])), keep));
}

function highsPart() {
  const model = modelField({ preferOwn: false, hint: "Of a recording of the same speaker or instrument that has its highs." });
  const seed = seedField();
  const form = jobForm("bwe", "Add highs", [model.element, seed.element], () => {
    if (!model.value) throw new Error("Choose a model of a recording that has its highs, or train one first.");
    return { model: model.value, seed: seed.value };
  });
  return h("fieldset", {}, h("legend", {}, "Missing highs"), form, resultsOf(["bwe"], () => "With highs"));
}
