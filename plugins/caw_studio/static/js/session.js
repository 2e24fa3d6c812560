// What the page knows: files, jobs, the chosen recording. Parts of the page listen for its events.

import { events, get, post } from "./api.js";
import { complain, lastPart } from "./dom.js";

const RETRY_MS = 3000;
const LAST = "recording"; // what was worked on when the page was left

/** The recording that the address of the page names. */
function inAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return null; // cut off within a letter
  }
}

class Session extends EventTarget {
  files = { recordings: [], uploads: [], built_in: [], models: [] };
  jobs = new Map();
  recording = null;
  reading = null; // a promise, while a recording is being read
  #choosing = null;
  sound = null;

  /** Read everything, and hear of changes from then on. */
  async open() {
    this.#listen();
    await this.readFiles();
    const first = [inAddress(), localStorage.getItem(LAST)].find((name) => this.recordings().includes(name));
    if (this.#choosing === null) await this.choose(first ?? this.recordings()[0]).catch(complain);
  }

  /** Names of everything that can be chosen. */
  recordings() {
    const { recordings, uploads, built_in: clips } = this.files;
    return [...recordings, ...uploads, ...clips];
  }

  async readFiles() {
    this.files = await get("files");
    this.#say("files");
  }

  /** Work on a recording; of several choices the last one holds, however long each takes to read. */
  choose(name) {
    this.#choosing = name;
    this.reading = this.#read(name);
    return this.reading;
  }

  async #read(name) {
    const reading = document.getElementById("reading");
    reading.textContent = `Reading ${lastPart(name)} …`;
    let sound;
    try {
      sound = await get("sound", { file: name });
    } finally {
      if (this.#choosing === name) reading.textContent = "";
    }
    if (this.#choosing !== name) return;
    this.recording = name;
    this.sound = sound;
    localStorage.setItem(LAST, name);
    history.replaceState(null, "", `#${encodeURIComponent(name)}`);
    this.#say("recording");
  }

  /** The name of the chosen recording, without its ending. */
  get recordingTitle() {
    return lastPart(this.recording).replace(/\.[^.]*$/, "");
  }

  /** Start a job; what comes of it is told by events. */
  async start(kind, settings) {
    try {
      const job = await post("jobs", { kind, settings });
      this.#know(job);
      return job;
    } catch (error) {
      this.#readJobs(); // what it needs may be gone
      throw error;
    }
  }

  async act(job, action) {
    await post(`jobs/${job.id}/${action}`);
  }

  /** Show what came of a job: its recording, and then its panel, which is opened by whoever listens. */
  async show(job) {
    const { recording } = job.recipe.settings;
    if (recording !== this.recording) await this.choose(recording);
    this.dispatchEvent(new CustomEvent("show", { detail: job }));
  }

  /** Jobs of some kinds that are about the chosen recording, newest first. */
  jobsHere(...kinds) {
    const here = [...this.jobs.values()].filter((job) => kinds.includes(job.kind) && job.recipe.settings.recording === this.recording);
    return here.sort((one, other) => other.created - one.created);
  }

  /** Models that can be used now: those of the session, by what they were trained on, and those of the folder. */
  models() {
    const trained = [...this.jobs.values()].filter((job) => job.kind === "train" && job.outputs.length);
    trained.sort((one, other) => other.created - one.created);
    const own = trained.map((job) => ({
      name: job.outputs[0],
      title: `${job.recipe.title}${job.status === "done" ? "" : ", unfinished"} (${job.id.replace(/^0+/, "")})`,
      recording: job.recipe.settings.recording,
    }));
    return [...own, ...this.files.models.map((name) => ({ name, title: name, recording: null }))];
  }

  #listen() {
    const stream = events();
    const status = document.getElementById("connection");
    stream.onopen = () => {
      status.textContent = "";
      this.#readJobs();
    };
    stream.onmessage = (event) => this.#know(JSON.parse(event.data));
    stream.onerror = () => {
      status.textContent = "Not connected: caw studio has been ended, or is out of reach. Start it again in the same folder, and this page goes on.";
      if (stream.readyState === EventSource.CLOSED) setTimeout(() => this.#listen(), RETRY_MS); // not every browser tries again
    };
  }

  async #readJobs() {
    const jobs = await get("jobs").catch(() => null);
    if (jobs === null) return; // the connection is lost: what is known stays
    this.jobs = new Map(jobs.map((job) => [job.id, this.#isOld(job) ? this.jobs.get(job.id) : job]));
    this.#say("jobs");
  }

  /** Whether an event has told more of a job than an answer that comes late. */
  #isOld(job) {
    return this.jobs.get(job.id)?.version > job.version;
  }

  #know(job) {
    if (this.#isOld(job)) return;
    const before = this.jobs.get(job.id);
    if (job.status === "removed") this.jobs.delete(job.id);
    else this.jobs.set(job.id, job);
    this.dispatchEvent(new CustomEvent("job", { detail: { job, before } }));
  }

  #say(what) {
    this.dispatchEvent(new Event(what));
  }
}

export const session = new Session();

/** Call a function now and whenever one of these events comes. */
export function whenever(names, act) {
  for (const name of names) session.addEventListener(name, act);
  act();
}
