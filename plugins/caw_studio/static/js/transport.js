// Playing several tracks in step: all of them run, and only what is listened to is let through, so that a change of
// track is gapless and at the same place. Long recordings are streamed; they are in step within some milliseconds.

import { audioAddress, fetched } from "./api.js";

const LONGEST_BUFFERED = 600; // seconds
const FADE = 0.008; // seconds: no click when the track changes

class BufferTrack {
  constructor(context, gain, buffer) {
    Object.assign(this, { context, gain, buffer, source: null });
  }
  start(offset, when, loop) {
    this.stop();
    const source = this.context.createBufferSource();
    source.buffer = this.buffer;
    if (loop) Object.assign(source, { loop: true, loopStart: loop.start, loopEnd: Math.min(loop.stop, this.buffer.duration) });
    source.connect(this.gain);
    if (offset < this.buffer.duration) source.start(when, offset);
    this.source = source;
  }
  stop() {
    this.source?.disconnect();
    this.source = null;
  }
}

class StreamTrack {
  constructor(context, gain, file) {
    this.element = new Audio(audioAddress(file));
    this.element.preload = "auto";
    context.createMediaElementSource(this.element).connect(gain);
  }
  start(offset) {
    this.element.currentTime = offset;
    return this.element.play();
  }
  stop() {
    this.element.pause();
  }
  keepWithin(loop) {
    if (this.element.currentTime >= loop.stop) this.element.currentTime = loop.start;
  }
}

/** Tells "time" while it plays, and "state" when it starts, stops or changes track. */
export class Transport extends EventTarget {
  #context = null;
  #tracks = new Map();
  #loading = new Map();
  #mix = new Map();
  #began = 0;
  #offset = 0;
  playing = false;
  duration = 0;
  loop = null;

  /** Where it is, in seconds. */
  get time() {
    if (!this.playing) return this.#offset;
    const time = this.#offset + Math.max(0, this.#context.currentTime - this.#began);
    if (!this.loop || time < this.loop.stop) return time;
    return this.loop.start + ((time - this.loop.start) % (this.loop.stop - this.loop.start));
  }

  /** What comes out, for tests: the level of this moment. */
  get level() {
    if (!this.meter) return 0;
    const samples = new Float32Array(this.meter.fftSize);
    this.meter.getFloatTimeDomainData(samples);
    return Math.max(...samples.map(Math.abs));
  }

  /** Hear one track, or several at their gains: a map from file to gain. */
  async hear(mix) {
    this.#mix = mix instanceof Map ? mix : new Map([[mix, 1]]);
    this.#setGains();
    this.#tell("state");
    if (this.playing) await this.#loadAll();
  }

  /** Begin to load what will be listened to. */
  prepare(file, seconds) {
    const known = this.#loading.get(file);
    if (known) return known;
    const loading = this.#load(file, seconds).catch((error) => {
      this.#loading.delete(file);
      throw error;
    });
    this.#loading.set(file, loading);
    return loading;
  }

  async play() {
    this.#open();
    await this.#context.resume();
    await this.#loadAll();
    if (this.#offset >= this.duration - 0.01) this.#offset = 0;
    if (this.loop && !(this.#offset >= this.loop.start && this.#offset < this.loop.stop)) this.#offset = this.loop.start;
    this.#start();
  }

  pause() {
    this.#offset = Math.min(this.time, this.duration);
    this.playing = false;
    for (const track of this.#tracks.values()) track.stop();
    this.#tell("state");
  }

  async toggle() {
    if (this.playing) this.pause();
    else await this.play();
  }

  seek(seconds) {
    this.#offset = Math.min(Math.max(0, seconds), this.duration);
    if (this.playing) this.#start();
    this.#tell("time");
  }

  setLoop(loop) {
    const time = this.time;
    this.loop = loop;
    if (this.playing) {
      this.#offset = loop && !(time >= loop.start && time < loop.stop) ? loop.start : time;
      this.#start();
    }
  }

  /** Forget all tracks. */
  clear() {
    if (this.playing) this.pause();
    this.#tracks.clear();
    this.#loading.clear();
    this.#mix = new Map();
    this.#offset = 0;
    this.loop = null;
  }

  #open() {
    if (this.#context) return;
    this.#context = new AudioContext();
    this.meter = this.#context.createAnalyser();
    this.meter.connect(this.#context.destination);
  }

  async #loadAll() {
    await Promise.all([...this.#mix.keys()].map((file) => this.prepare(file, this.duration)));
  }

  async #load(file, seconds) {
    this.#open();
    const gain = this.#context.createGain();
    gain.gain.value = this.#mix.get(file) ?? 0;
    gain.connect(this.meter);
    let track;
    if (seconds > LONGEST_BUFFERED) track = new StreamTrack(this.#context, gain, file);
    else {
      const response = await fetched("audio", { file });
      track = new BufferTrack(this.#context, gain, await this.#context.decodeAudioData(await response.arrayBuffer()));
    }
    track.gain = gain;
    this.#tracks.set(file, track);
    this.#setGains();
    if (this.playing) track.start(this.time, this.#context.currentTime, this.loop);
  }

  #start() {
    const when = this.#context.currentTime + 0.01;
    for (const track of this.#tracks.values()) track.start(this.#offset, when, this.loop);
    this.#began = when;
    const wasPlaying = this.playing;
    this.playing = true;
    this.#tell("state");
    if (!wasPlaying) requestAnimationFrame(() => this.#tick());
  }

  #tick() {
    if (!this.playing) return;
    if (this.loop) for (const track of this.#tracks.values()) track.keepWithin?.(this.loop);
    else if (this.time >= this.duration) this.pause();
    this.#tell("time");
    requestAnimationFrame(() => this.#tick());
  }

  #setGains() {
    for (const [file, track] of this.#tracks) {
      track.gain.gain.setTargetAtTime(this.#mix.get(file) ?? 0, this.#context.currentTime, FADE);
    }
  }

  #tell(what) {
    this.dispatchEvent(new Event(what));
  }
}
