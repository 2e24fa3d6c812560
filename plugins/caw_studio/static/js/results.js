// Results of jobs in a panel: to listen to, to keep, to make again.

import { downloadAddress, get } from "./api.js";
import { complain, h, place } from "./dom.js";
import { actionsOf, Cards, commandOf, complaintOf, progressOf } from "./jobs.js";
import { player } from "./player.js";
import { session, whenever } from "./session.js";

/** A file that was made: heard, put beside others, downloaded. */
export function resultRow(file, title, { listenAt = () => 0, hasSources = false } = {}) {
  const listen = () => player.listen(file, title, { at: listenAt(), hasSources }).catch(complain);
  const add = () => player.add(file, title, { hasSources }).catch(complain);
  return h("div", { className: "result" },
    h("button", { type: "button", className: "primary small", onclick: listen, "aria-label": `Listen to ${title}` }, "Listen"),
    h("span", { className: "name" }, title),
    h("button", { type: "button", className: "small", onclick: add, title: "Put it on the list of tracks", "aria-label": `Compare ${title}` }, "Compare"),
    ["wav", "flac"].map((format) => h("a", {
      href: downloadAddress(file, format), download: "", onclick: () => format === "flac" && sayIfClipped(file, title).catch(complain), className: "button small", "aria-label": `Download ${title} as ${format.toUpperCase()}`,
    }, format.toUpperCase())));
}

/** FLAC holds nothing above full scale: what a float file has there is clipped in the download. */
async function sayIfClipped(file, title) {
  const { over, peak_db: peak } = await get("sound", { file });
  if (over) complain(new Error(`${title} exceeds full scale (peak ${peak} dB): ${over} samples are clipped in FLAC, and kept in WAV.`));
}

/**
 * The jobs of some kinds about the chosen recording, kept up to date.
 * titleOf(job, file, index) names a result; options of resultRow come from optionsOf(job, file), what else a card
 * shows from extraOf(job); where(job) says whether it is shown at all.
 */
export function resultsOf(kinds, titleOf, { optionsOf = () => ({}), extraOf = () => null, where = () => true } = {}) {
  const element = h("div", { className: "results" });
  const cards = new Cards((job) => card(job, titleOf, optionsOf, extraOf));
  whenever(["recording", "jobs", "job"], () => place(element, cards.of(session.jobsHere(...kinds).filter(where))));
  return element;
}

function card(job, titleOf, optionsOf, extraOf) {
  const rows = job.outputs.map((file, index) => resultRow(file, titleOf(job, file, index), optionsOf(job, file)));
  return h("article", { className: `card ${job.status}` },
    h("div", { className: "row" }, h("strong", {}, job.recipe.title), h("span", { className: "actions" }, actionsOf(job))),
    job.status === "running" && progressOf(job), job.status === "queued" && h("small", {}, "waiting for its turn"),
    complaintOf(job), rows, extraOf(job), commandOf(job));
}
