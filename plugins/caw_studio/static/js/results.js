// Results of jobs in a panel: to listen to, to keep, to make again.

import { downloadAddress, get } from "./api.js";
import { complain, h, place } from "./dom.js";
import { actionsOf, Cards, commandOf, notesOf, progressOf } from "./jobs.js";
import { player } from "./player.js";
import { session, whenever } from "./session.js";

/** A file that was made: heard, put beside others, downloaded. */
export function resultRow(file, title, { listenAt = () => 0, hasSources = false } = {}) {
  const listen = () => (isHeard(file) ? player.transport.pause() : player.listen(file, title, { at: listenAt(), hasSources }).catch(complain));
  const compare = () => {
    const track = player.track(file);
    if (track) player.remove(track);
    else player.add(file, title, { hasSources }).catch(complain);
  };
  const row = h("div", { className: "result" },
    h("button", { type: "button", className: "primary small listen", onclick: listen }),
    h("span", { className: "name" }, title),
    h("button", { type: "button", className: "small compare", onclick: compare, title: "Put it on the list of tracks, or take it off", "aria-label": `Compare ${title}` }, "Compare"),
    ["wav", "flac"].map((format) => h("a", {
      href: downloadAddress(file, format, `${session.recordingTitle}, ${title}`), download: "", onclick: () => format === "flac" && sayIfClipped(file, title).catch(complain), className: "button small", "aria-label": `Download ${title} as ${format.toUpperCase()}`,
    }, format.toUpperCase())));
  Object.assign(row.dataset, { file, title });
  showState(row);
  return row;
}

const isHeard = (file) => player.transport.playing && player.heard.file === file;

/** What is heard can be paused where it was begun, and what is on the list of tracks is marked as such. */
function showState(row) {
  const { file, title } = row.dataset;
  const listen = row.querySelector(".listen");
  listen.textContent = isHeard(file) ? "Pause" : "Listen";
  listen.setAttribute("aria-label", isHeard(file) ? `Pause ${title}` : `Listen to ${title}`);
  row.querySelector(".compare").setAttribute("aria-pressed", String(Boolean(player.track(file))));
}

/** Show it of the results on the page. */
export function showStates() {
  document.querySelectorAll(".result").forEach(showState);
}
player.transport.addEventListener("state", showStates);
player.addEventListener("tracks", showStates);

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
    job.status === "stopped" && h("small", {}, "Stopped before it was done."),
    job.status === "done" && !rows.length && h("small", {}, "Its results are gone from the disk."), notesOf(job), rows, extraOf(job), commandOf(job));
}
