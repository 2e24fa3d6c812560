// The player: outline and spectrogram of the track that is heard, the tracks to switch between, a marked region.

import WaveSurfer from "../vendor/wavesurfer/wavesurfer.esm.js";
import Regions from "../vendor/wavesurfer/regions.esm.js";
import Timeline from "../vendor/wavesurfer/timeline.esm.js";
import { BlindTest } from "./blind.js";
import { fetched, get } from "./api.js";
import { clock, complain, h, lastPart, place } from "./dom.js";
import { keysHelp } from "./keys.js";
import { legendStrip, sourceStrip } from "./sources.js";
import { MarksView, watchDrags } from "./marks.js";
import { session } from "./session.js";
import { SpectrogramView } from "./spectrogram.js";
import { Transport } from "./transport.js";

const OUTLINE_SAMPLES = 256;
const LONGEST_MAPPED = 120; // seconds whose sources the server finds
const STEP = 2; // seconds, by an arrow key
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colourOf = (kind) => colour(kind === "gaps" ? "--gap" : "--loop");

/** Tells "gaps" when marked gaps change, "tracks" when the list does. */
class Player extends EventTarget {
  transport = new Transport();
  tracks = []; // {file, title, sound}
  heard = null;
  #marking = "loop";
  #regions = null;
  #view = null;
  #blind = new BlindTest(this);
  #pending = null;
  #dragged = null; // what is being marked on the spectrogram
  #isSettingGaps = false;

  /** Put the player into the page. */
  open(element) {
    this.element = element;
    this.wave = h("div", { id: "wave" });
    this.canvas = h("canvas", { id: "spectrogram", "aria-hidden": "true" });
    const marks = h("div", { className: "marks" });
    this.marks = new MarksView(marks);
    this.cursor = h("div", { className: "cursor" });
    this.note = h("p", { className: "note" });
    this.axis = h("div", { className: "axis", "aria-hidden": "true" });
    this.playButton = h("button", { type: "button", className: "primary play", onclick: () => this.toggle() }, "Play");
    this.place = h("output", { className: "place", "aria-label": "Place" }, "0:00.0");
    this.loopButton = h("button", { type: "button", "aria-pressed": "false", onclick: () => this.toggleLoop() }, "Loop");
    this.zoom = h("input", { type: "range", min: 0, max: 100, value: 0, "aria-label": "Zoom", oninput: () => this.#zoom() });
    this.hint = h("small", {});
    this.list = h("ol", { id: "tracks", "aria-label": "Tracks: keys 1 to 9" });
    this.title = h("h2", {});
    this.facts = h("p", { className: "facts" });
    element.append(
      h("div", { className: "title" }, this.title, this.facts),
      h("div", { className: "picture" }, this.wave, h("div", { className: "spectrogram" }, this.canvas, marks, this.axis, this.cursor, this.note)),
      h("div", { className: "controls" }, this.playButton, this.place, this.loopButton,
        h("label", { className: "zoom" }, "Zoom ", this.zoom), this.#blind.element, this.hint),
      this.list, keysHelp(),
    );
    this.spectrogram = new SpectrogramView(this.canvas, this.note, this.axis);
    this.#makeView();
    this.#dragOnSpectrogram();
    this.transport.addEventListener("time", () => this.#showTime());
    this.transport.addEventListener("state", () => this.#showState());
    addEventListener("keydown", (event) => this.#key(event));
    addEventListener("resize", () => this.#drawSpectrogram());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#view.setOptions(this.#colours()));
    session.addEventListener("recording", () => this.#begin().catch(complain));
    session.addEventListener("job", ({ detail: { job, before } }) => { if (job.status === "removed" && before) this.#forget(before); });
    this.mark("loop");
  }

  /** What dragging marks: a "loop" to play, or "gaps". */
  mark(what) {
    this.#marking = what;
    this.hint.textContent = what === "gaps"
      ? "Drag over the picture to mark gaps, or press [ and ] at their ends."
      : "Drag over the picture to mark what the loop plays, or press [ and ] at its ends.";
    for (const region of this.#regions.getRegions()) {
      region.element.hidden = region.kind === "gaps" && what !== "gaps";
    }
    this.#showMarks();
  }

  /** The marked gaps as pairs of seconds, in order; with what was found there, if they were found. */
  get gaps() {
    const gaps = this.#regions.getRegions().filter((region) => region.kind === "gaps");
    return gaps.map((region) => [region.start, region.end, region.found]).sort((one, other) => one[0] - other[0]);
  }

  set gaps(gaps) {
    this.#isSettingGaps = true;
    for (const region of this.#regions.getRegions()) if (region.kind === "gaps") region.remove();
    for (const [start, end, found] of gaps) this.#add(start, end, "gaps", found);
    this.#isSettingGaps = false;
    this.dispatchEvent(new Event("gaps"));
  }

  /** The track of a file, if it is on the list. */
  track(file) {
    return this.tracks.find((track) => track.file === file);
  }

  /** Add a track to the list, or find it there. */
  async add(file, title, { hasSources = false } = {}) {
    const known = this.track(file);
    if (known) return known;
    const recording = session.recording;
    const sound = file === recording ? session.sound : await get("sound", { file });
    const twin = this.track(file);
    if (twin || recording !== session.recording) return twin;
    const track = { file, title, sound };
    this.tracks.push(track);
    this.#listTracks();
    if (hasSources && Math.max(sound.seconds, session.sound.seconds) <= LONGEST_MAPPED) this.#addStrip(track).catch(complain);
    return track;
  }

  async #addStrip(track) {
    const [original] = this.tracks;
    const { seconds } = original.sound;
    const play = (place) => this.hear(original, place).then(() => this.transport.play()).catch(complain);
    const recording = { file: original.file, seconds };
    track.strip = await sourceStrip(track.file, track.sound.seconds, recording, { now: () => this.transport.time, play });
    original.strip ??= legendStrip(seconds, play);
    this.#listTracks();
  }

  remove(track) {
    if (this.heard === track) this.hear(this.tracks[0]).catch(complain);
    this.tracks = this.tracks.filter((each) => each !== track);
    this.#listTracks();
  }

  /** Take what a job made off the list. */
  #forget({ outputs, takes }) {
    const files = [...outputs, ...takes.map(([file]) => file)];
    if (files.includes(this.heard?.file)) this.transport.pause();
    for (const track of this.tracks.filter(({ file }) => files.includes(file))) this.remove(track);
  }

  /** Switch to a track, at the same place. */
  async hear(track, at = null) {
    this.heard = track;
    this.transport.duration = track.sound.seconds;
    await this.transport.hear(track.file);
    if (at !== null) this.transport.seek(at);
    this.#listTracks();
    await this.#draw();
  }

  /** Hear a file at once: add it, switch to it, play. */
  async listen(file, title, { at = 0, ...options } = {}) {
    const track = await this.add(file, title, options);
    if (!track) return;
    await this.hear(track, at);
    await this.transport.play();
  }

  /** Hear several tracks together, by file and gain; the picture stays. */
  async hearMix(mix) {
    await this.transport.hear(mix);
  }

  async toggle() {
    await this.transport.toggle().catch(complain);
  }

  /** The part that is marked for the loop, or null. */
  get marked() {
    const region = this.#regions.getRegions().find((each) => each.kind === "loop");
    return region ? { start: region.start, stop: region.end } : null;
  }

  toggleLoop() {
    const on = this.transport.loop === null;
    this.transport.setLoop(on ? this.marked ?? { start: 0, stop: this.transport.duration } : null);
    this.loopButton.setAttribute("aria-pressed", String(on));
  }

  async #begin() {
    this.transport.clear();
    this.loopButton.setAttribute("aria-pressed", "false");
    this.tracks = [];
    this.#regions.clearRegions();
    this.zoom.value = 0;
    const { sound, recording } = session;
    this.title.textContent = lastPart(recording);
    const channels = sound.channels === 1 ? "mono" : "stereo";
    this.facts.textContent = `${clock(sound.seconds)} · ${sound.sample_rate / 1000} kHz ${channels} · peak ${sound.peak_db} dB · level ${sound.level_db} dB`;
    await this.hear(await this.add(recording, "The recording"));
    this.dispatchEvent(new Event("gaps"));
  }

  #makeView() {
    this.#regions = Regions.create();
    const nonce = document.querySelector("meta[name=style-nonce]").content;
    this.#view = WaveSurfer.create({
      container: this.wave,
      plugins: [this.#regions, Timeline.create({ height: 16, secondaryLabelOpacity: 1, style: { fontSize: "11px", color: "var(--quiet)" } })],
      height: 96, cspNonce: nonce, cursorWidth: 2, normalize: false, autoScroll: true, ...this.#colours(),
    });
    this.#regions.enableDragSelection({ color: colour("--loop") });
    this.#regions.on("region-created", (region) => this.#regionCreated(region));
    this.#regions.on("region-updated", (region) => this.#regionChanged(region));
    this.#regions.on("region-removed", () => this.#showMarks());
    this.#view.on("interaction", (time) => this.transport.seek(time));
    this.#view.on("scroll", () => this.#drawSpectrogram());
  }

  #colours() {
    return { waveColor: colour("--wave"), progressColor: colour("--wave-done"), cursorColor: colour("--cursor") };
  }

  async #draw() {
    const { file, sound } = this.heard;
    const bytes = new Int8Array(await (await fetched("outline", { file })).arrayBuffer());
    if (this.heard.file !== file) return;
    const peaks = Float32Array.from(bytes, (value) => value / 127);
    await this.#view.load("", [peaks], sound.seconds || bytes.length * OUTLINE_SAMPLES / 2 / sound.sample_rate);
    this.#view.setTime(this.transport.time);
    this.#drawSpectrogram();
  }

  #zoom() {
    const { clientWidth } = this.wave;
    const fitting = clientWidth / this.heard.sound.seconds;
    this.#view.zoom(fitting * (Math.max(2000, fitting) / fitting) ** (this.zoom.value / 100));
    this.#drawSpectrogram();
  }

  /** The seconds that are visible. */
  get #visible() {
    const wrapper = this.#view.getWrapper();
    const scale = this.heard.sound.seconds / wrapper.scrollWidth;
    const start = this.#view.getScroll() * scale;
    return { start, stop: Math.min(this.heard.sound.seconds, start + this.wave.clientWidth * scale) };
  }

  #drawSpectrogram() {
    clearTimeout(this.#pending);
    this.#pending = setTimeout(() => {
      if (!this.heard) return;
      const { start, stop } = this.#visible;
      this.spectrogram.show(this.heard.file, start, stop).catch(complain);
      this.#showTime();
      this.#showMarks();
    }, 60);
  }

  #dragOnSpectrogram() {
    const timeAt = (share) => this.#visible.start + share * (this.#visible.stop - this.#visible.start);
    const show = (dragged) => {
      this.#dragged = dragged;
      this.#showMarks();
    };
    const isDrag = (from, to) => Math.abs(to - from) > 1 / 200;
    const edges = (from, to) => ({ start: timeAt(Math.min(from, to)), end: timeAt(Math.max(from, to)) });
    watchDrags(this.canvas, {
      moved: (from, to) => show(isDrag(from, to) ? edges(from, to) : null),
      released: (from, to) => {
        show(null);
        const { start, end } = edges(from, to);
        if (isDrag(from, to)) this.#add(start, end, this.#marking);
        else this.transport.seek(timeAt(to));
      },
      givenUp: () => show(null),
    });
  }

  #showMarks() {
    if (!this.heard) return;
    const regions = this.#regions.getRegions().filter(({ kind }) => kind === "loop" || this.#marking === "gaps");
    this.marks.show(this.#dragged ? [...regions, this.#dragged] : regions, this.#visible);
  }

  #add(start, end, kind, found = null) {
    const region = this.#regions.addRegion({ start: Math.max(0, start), end, color: colourOf(kind) });
    Object.assign(region, { kind, found });
    this.#regionCreated(region);
  }

  #regionCreated(region) {
    region.kind ??= this.#marking;
    region.setOptions({ color: colourOf(region.kind) });
    if (region.kind === "loop") {
      for (const other of this.#regions.getRegions()) if (other !== region && other.kind === "loop") other.remove();
    }
    this.#regionChanged(region);
  }

  #regionChanged(region) {
    this.#showMarks();
    if (this.#isSettingGaps) return; // all of them are told of at once
    if (region.kind === "gaps") this.dispatchEvent(new Event("gaps"));
    else if (this.transport.loop) this.transport.setLoop({ start: region.start, stop: region.end });
  }

  #showTime() {
    const { time } = this.transport;
    this.place.textContent = clock(time);
    if (!this.heard) return;
    this.#view.setTime(Math.min(time, this.heard.sound.seconds));
    const { start, stop } = this.#visible;
    this.cursor.style.left = `${(100 * (time - start)) / (stop - start)}%`;
    this.cursor.hidden = time < start || time > stop;
  }

  #showState() {
    this.playButton.textContent = this.transport.playing ? "Pause" : "Play";
  }

  #listTracks() {
    const rows = this.tracks.map((track, index) => {
      const button = h("button", {
        type: "button", className: "track", "aria-pressed": String(track === this.heard),
        onclick: () => this.hear(track).catch(complain),
      }, h("kbd", {}, index < 9 ? index + 1 : "·"), ` ${track.title}`, h("span", { className: "quiet" }, ` ${clock(track.sound.seconds)}`));
      const away = index > 0 && h("button", { type: "button", className: "small", "aria-label": `Take ${track.title} off the list`, onclick: () => this.remove(track) }, "×");
      return h("li", {}, h("div", { className: "row" }, button, away), track.strip);
    });
    place(this.list, rows);
    this.dispatchEvent(new Event("tracks"));
  }

  #key(event) {
    const typing = event.target.closest("input:not([type=range]):not([type=checkbox]), select, textarea, [role=tab]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !this.heard) return;
    const onButton = event.target.closest("button, a, summary");
    const onSlider = event.target.closest("input[type=range]");
    const digit = Number(event.key);
    if (event.key === " " && !onButton) this.toggle();
    else if (event.key === "ArrowLeft" && !onSlider) this.transport.seek(this.transport.time - STEP);
    else if (event.key === "ArrowRight" && !onSlider) this.transport.seek(this.transport.time + STEP);
    else if (event.key === "l") this.toggleLoop();
    else if (event.key === "x") this.#blind.hear();
    else if (event.key === "[") this.#from = this.transport.time;
    else if (event.key === "]" && this.#from !== null && this.transport.time > this.#from) {
      this.#add(this.#from, this.transport.time, this.#marking);
      this.#from = null;
    } else if (digit >= 1 && this.tracks[digit - 1]) this.hear(this.tracks[digit - 1]).catch(complain);
    else return;
    event.preventDefault();
  }

  #from = null;
}

export const player = new Player();
