// Train a model on the recording; takes are heard while it learns.

import { get, modelAddress } from "./api.js";
import { duration, field, h, numberIn, place } from "./dom.js";
import { jobForm, seedField } from "./forms.js";
import { actionsOf, Cards, commandOf, notesOf, progressOf } from "./jobs.js";
import { player } from "./player.js";
import { resultRow } from "./results.js";
import { session, whenever } from "./session.js";

export function trainPanel() {
  const minutes = h("input", { type: "number", min: 0.05, step: "any", placeholder: "as needed" });
  const material = h("select", {}, ["auto", "speech", "music", "ambience"].map((each) => h("option", {}, each)));
  const partly = h("input", { type: "checkbox" });
  const seed = seedField();
  const form = jobForm("train", "Train", [
    field("Minutes", minutes, "At the most. One to three are plenty for most clips; stop any time."),
    field("Material", material), seed.element, field("Only what is marked", partly, "For long recordings: drag over the picture first."),
  ], () => ({ minutes: numberIn(minutes), material: material.value, seed: seed.value, ...(partly.checked ? markedPart() : {}) }));
  const plan = h("p", { className: "plan" });
  const list = h("div", { className: "results" });
  const cards = new Cards(trainingCard);

  whenever(["recording"], () => showPlan(plan));
  whenever(["recording", "jobs", "job"], () => {
    place(list, cards.of(session.jobsHere("train")));
  });
  return {
    id: "train", title: "Train",
    element: h("div", {}, h("p", {}, "A model learns this one recording, from coarse to fine, and then makes more of it."), plan, form, list),
  };
}

/** The part that is marked for the loop, as settings of a training. */
function markedPart() {
  const { marked } = player;
  if (!marked) throw new Error("Mark a part first: drag over the picture.");
  return { start: marked.start, duration: marked.stop - marked.start };
}

/** What a training would do: found by a dry run, which takes some seconds. */
async function showPlan(element) {
  const { recording } = session;
  if (!recording) return;
  element.textContent = "Looking at the recording …";
  element.classList.remove("complaint");
  let text;
  let isProblem = false;
  try {
    const plan = await get("plan", { file: recording });
    if (plan.problem) throw new Error(plan.problem);
    const rates = plan.scales.map((scale) => scale.rate).join(", ");
    const [time, memory] = [duration(60 * plan.minutes), `${plan.memory_gigabytes.toFixed(1)} GB of memory`];
    text = `It sounds like ${plan.material}. Training ends by itself, after ${time} at the most, and takes ${memory}. Scales of ${rates} Hz.`;
  } catch (error) {
    text = error.message;
    isProblem = true;
  }
  if (recording !== session.recording) return;
  element.textContent = text;
  element.classList.toggle("complaint", isProblem);
}

function trainingCard(job) {
  const takes = job.takes.map(([file, written], index) => {
    const after = written - job.started;
    const title = index === 0 ? "First take" : `Take ${index + 1}`;
    return resultRow(file, `${title}, after ${duration(Math.max(0, after))}`, { hasSources: true });
  });
  return h("article", { className: `card ${job.status}` },
    h("div", { className: "row" }, h("strong", {}, job.recipe.title), h("span", { className: "actions" }, actionsOf(job))),
    job.status === "running" && progressOf(job), job.status === "queued" && h("small", {}, "waiting for its turn"),
    job.status === "stopped" && h("small", {}, job.outputs.length ? "Stopped: what there is can be used, and be gone on from." : "Stopped before there was anything to use."),
    job.status === "done" && h("small", {}, job.outputs.length ? "Finished: generate takes, fill gaps or vary with it." : "Its model is gone from the disk."),
    notesOf(job), takes.reverse(),
    job.outputs.length > 0 && h("a", { href: modelAddress(job.outputs[0], `${session.recordingTitle}, model`), download: "", className: "button small start" }, "Download the model"),
    commandOf(job));
}
