// The queue: what runs, how far it is, what came of it.

import { recordAddress } from "./api.js";
import { complain, duration, h, offerUndo, place } from "./dom.js";
import { session, whenever } from "./session.js";

const STATES = { queued: "waiting", running: "running", done: "done", failed: "failed", stopped: "stopped" };

/** How far a job is, as a bar and a line; showProgress fills them in. */
export const progressOf = (job) => h("div", { className: "progress" },
  h("progress", { max: 1, "aria-label": `Progress of ${job.recipe.title}` }), h("small", {}));

function showProgress(element, job) {
  const { fraction, stage, details, remaining_seconds: remaining } = job.progress;
  const [bar, line] = element.children;
  if (fraction > 0) bar.value = fraction;
  const parts = [stage, fraction > 0 && `${Math.round(100 * fraction)} %`, remaining !== null && `${duration(remaining)} left`, details];
  line.textContent = parts.filter(Boolean).join(" · ") || "starting";
}

/** Cards of jobs, made anew only when more than the progress has changed. */
export class Cards {
  #known = new Map();

  constructor(make) {
    this.make = make;
  }

  /** The cards of some jobs, up to date. */
  of(jobs) {
    return jobs.map((job) => {
      const state = JSON.stringify({ ...job, progress: null, lines: job.status === "running" ? null : job.lines });
      let known = this.#known.get(job.id);
      if (known?.state !== state) {
        const element = this.make(job);
        element.querySelector("details").open = known?.element.querySelector("details").open ?? false;
        known = { state, element };
        this.#known.set(job.id, known);
      }
      const progress = known.element.querySelector(".progress");
      if (progress) showProgress(progress, job);
      return known.element;
    });
  }
}

/** Buttons that stop a job, go on with it, or remove it. */
export function actionsOf(job) {
  const act = (label, action, title) => h("button", {
    type: "button", className: "small", title, "aria-label": `${label}: ${job.recipe.title}`,
    onclick: () => session.act(job, action).then(() => {
      if (action === "remove") offerUndo(`“${job.recipe.title}” is removed, with what it made.`, () => session.act(job, "put-back"));
    }).catch(complain),
  }, label);
  const isUnfinished = ["queued", "running"].includes(job.status);
  const isTraining = job.kind === "train";
  if (isUnfinished) return [act(isTraining ? "Stop here" : "Cancel", "stop", isTraining ? "What there is can be used, and be gone on from" : "")];
  const again = job.status !== "done" && act(isTraining && job.outputs.length ? "Go on" : "Run again", "resume");
  return [again, act("Remove", "remove", "Remove what it made, too")];
}

/** What a job did, to do it again. */
export function commandOf(job) {
  const copy = h("button", { type: "button", className: "small", onclick: () => navigator.clipboard.writeText(job.command).then(() => { copy.textContent = "Copied"; }) }, "Copy");
  const settings = Object.entries(job.recipe.settings).filter(([, value]) => value !== null && value !== "");
  return h("details", { className: "command" },
    h("summary", {}, "Show the command"),
    h("small", {}, `In the folder ${document.querySelector(".folder").textContent}:`),
    h("pre", { tabIndex: 0 }, job.command), copy,
    job.lines.length > 0 && h("pre", { tabIndex: 0, "aria-label": "What it said" }, job.lines.join("\n")),
    job.has_record && h("a", { href: recordAddress(job.id), download: "", className: "button small" }, "Record (JSON)"),
    h("dl", {}, settings.map(([name, value]) => [h("dt", {}, name), h("dd", {}, typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value))])));
}

/** What a job said that is to be known: why it failed, what it warns of, what is to be said of its results. */
export function notesOf(job) {
  const isFailed = job.status === "failed";
  return job.notes.map((note) => h(isFailed ? "p" : "small", { className: isFailed ? "complaint" : "remark" }, note));
}

export function jobsPart(element) {
  const list = h("ol", {});
  const empty = firstSteps();
  element.append(h("h2", {}, "Jobs"), empty, list);
  const cards = new Cards(line);
  whenever(["jobs", "job"], () => {
    const jobs = [...session.jobs.values()].sort((one, other) => other.created - one.created);
    empty.hidden = jobs.length > 0;
    place(list, cards.of(jobs));
    const running = jobs.find((job) => job.status === "running");
    document.title = running ? `${Math.round(100 * running.progress.fraction)} % · caw studio` : "caw studio";
  });
  session.addEventListener("job", ({ detail: { job, before } }) => {
    const hasEnded = before?.status === "running" && job.status !== "running";
    if (hasEnded) document.getElementById("news").textContent = `${job.recipe.title}: ${STATES[job.status]}`;
  });
}

/** What to do where nothing has been done yet. */
function firstSteps() {
  const steps = [
    "Drop a recording, or choose one that is listed.",
    "Train on it. A first take can be heard soon, better ones follow.",
    "Then generate as much as you like, vary the recording, or fill gaps in it.",
  ];
  return h("div", { className: "quiet" }, h("p", {}, "Nothing has been done yet. To begin:"),
    h("ol", { className: "steps" }, steps.map((step) => h("li", {}, step))),
    h("p", {}, "To take noise out or to try effects, nothing needs to be trained."));
}

/** When a job was begun: the time, and the day unless it is today. */
function dateOf(job) {
  const date = new Date(1000 * job.created);
  const isToday = date.toDateString() === new Date().toDateString();
  return date.toLocaleString([], { ...(isToday ? {} : { dateStyle: "short" }), timeStyle: "short" });
}

function line(job) {
  return h("li", { className: `job ${job.status}` },
    h("div", { className: "row" }, h("button", { type: "button", className: "title", title: "Show its results", onclick: () => session.show(job).catch(complain) }, job.recipe.title),
      h("span", { className: "state" }, `${STATES[job.status]} · ${dateOf(job)}`)),
    job.status === "running" && progressOf(job), job.status === "failed" && notesOf(job),
    h("div", { className: "row" }, commandOf(job), h("span", { className: "actions" }, actionsOf(job))));
}
