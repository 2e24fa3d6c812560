"use strict";

// One transport for all tracks: a moment in time that every track is at, and the track that is heard.
// Tracks are decoded into memory, so that another one goes on at the very sample, without a pause.

const FADE_SECONDS = 0.01;
const ZOOMS = [1, 2, 4, 8];

const byId = (id) => document.getElementById(id);
const sections = [...document.querySelectorAll(".track")];
const tracks = sections.map((section) => ({
  section,
  name: section.dataset.name,
  seconds: Number(section.dataset.seconds),
  button: section.querySelector(".select"),
  scroller: section.querySelector(".scroller"),
  timeline: section.querySelector(".timeline"),
  frequencies: section.querySelector(".spectrogram svg"),
  playhead: section.querySelector(".playhead"),
  sources: section.querySelector(".sources"),
  audio: section.querySelector("audio"),
  decoded: null,
}));
const longest = Math.max(...tracks.map((track) => track.seconds), 0);
const recording = tracks.find((track) => track.section.dataset.role === "recording");

let context = null;
let active = tracks[0];
let playing = null; // {source, gain, began, offset}: offset seconds into the track at time `began` of the context
let resting = 0; // the moment, while nothing plays
let wanted = 0; // counts requests to play: one that has been overtaken while it decoded is dropped
let zoom = 0;

function now() {
  return playing ? playing.offset + Math.max(0, context.currentTime - playing.began) : resting;
}

function decoded(track) {
  if (!track.decoded) {
    const bytes = Uint8Array.from(atob(track.audio.src.split(",")[1]), (character) => character.charCodeAt(0));
    track.decoded = context.decodeAudioData(bytes.buffer);
  }
  return track.decoded;
}

function silence() {
  if (!playing) return;
  const { source, gain } = playing;
  const end = context.currentTime + FADE_SECONDS;
  gain.gain.setValueAtTime(1, context.currentTime);
  gain.gain.linearRampToValueAtTime(0, end);
  source.stop(end);
  playing = null;
}

async function play(track, moment) {
  const request = ++wanted;
  context ??= new AudioContext();
  context.resume();
  let buffer;
  try {
    buffer = await decoded(track);
  } catch {
    say(`${track.name}: this browser cannot decode the audio of this page`);
    return;
  }
  if (request !== wanted) return;
  const offset = moment ?? now();
  silence();
  const source = new AudioBufferSourceNode(context, { buffer });
  const gain = new GainNode(context, { gain: 0 });
  source.connect(gain).connect(context.destination);
  const began = context.currentTime;
  gain.gain.setValueAtTime(0, began);
  gain.gain.linearRampToValueAtTime(1, began + FADE_SECONDS);
  source.start(began, offset);
  playing = { source, gain, began, offset };
  activate(track);
  requestAnimationFrame(follow);
  tracks.forEach((other) => decoded(other).catch(() => {})); // ready when they are switched to
}

function pause() {
  wanted++;
  resting = now();
  silence();
  show();
}

function toggle() {
  if (playing) pause();
  else play(active, resting < active.seconds ? resting : 0);
}

function select(track) {
  if (playing) play(track, now() < track.seconds ? undefined : 0);
  else activate(track);
}

function seek(moment, track = active) {
  const inside = Math.min(Math.max(moment, 0), track.seconds);
  if (playing) {
    play(track, inside);
  } else {
    resting = inside;
    reveal(inside);
    activate(track);
  }
}

function activate(track) {
  active = track;
  for (const each of tracks) each.button.setAttribute("aria-pressed", String(each === track));
  show();
}

function follow() {
  if (!playing) return;
  if (now() >= active.seconds) {
    pause();
    resting = 0;
  }
  reveal(now());
  show();
  requestAnimationFrame(follow);
}

function show() {
  const moment = now();
  for (const track of tracks) {
    track.playhead.hidden = moment > track.seconds;
    track.playhead.style.left = `${(100 * moment) / track.seconds}%`;
  }
  byId("position").value = moment;
  byId("time").textContent = `${moment.toFixed(1)} s`;
  byId("play").textContent = playing ? "❚❚" : "▶";
  byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  say(describe(moment));
}

function segmentAt(moment) {
  return active.sources && [...active.sources.querySelectorAll("rect")].find(
    (rect) => Number(rect.dataset.start) <= moment && moment < Number(rect.dataset.stop));
}

function describe(moment) {
  const segment = segmentAt(moment);
  return segment && active !== recording
    ? `${active.name}: here from ${sourceAt(segment, moment).toFixed(1)} s of the recording`
    : active.name;
}

function say(text) {
  if (byId("status").textContent !== text) byId("status").textContent = text;
}

function sourceAt(segment, moment) {
  return Number(segment.dataset.source) + moment - Number(segment.dataset.start);
}

function playSource() {
  const moment = now();
  const segment = segmentAt(moment);
  if (segment && recording) play(recording, sourceAt(segment, moment));
}

function momentAt(track, event) {
  const box = track.timeline.getBoundingClientRect();
  return ((event.clientX - box.left) / box.width) * track.seconds;
}

function setZoom(level, track = active, moment = now()) {
  zoom = Math.min(Math.max(level, 0), ZOOMS.length - 1);
  for (const each of tracks) {
    each.timeline.style.width = `${(100 * ZOOMS[zoom] * each.seconds) / longest}%`;
    const at = (each.timeline.clientWidth * moment) / each.seconds;
    each.scroller.scrollLeft = at - each.scroller.clientWidth / 2;
  }
  byId("zoom-out").disabled = zoom === 0;
  byId("zoom-in").disabled = zoom === ZOOMS.length - 1;
}

function reveal(moment) {
  if (zoom === 0) return;
  for (const { timeline, scroller, seconds } of tracks) {
    const at = (timeline.clientWidth * moment) / seconds - scroller.scrollLeft;
    if (at < 0 || at > scroller.clientWidth) scroller.scrollLeft += at - scroller.clientWidth / 10;
  }
}

function onClick(track, event) {
  const segment = event.target.closest(".sources rect");
  if (segment && recording) play(recording, sourceAt(segment, momentAt(track, event)));
  else seek(momentAt(track, event), track);
}

function onKey(event) {
  const typing = event.target.matches("input:not([type=range]), textarea, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const onControl = event.target.matches("button, input, summary");
  const step = event.shiftKey ? 5 : 1;
  const actions = {
    " ": onControl ? null : toggle,
    ArrowLeft: () => seek(now() - step),
    ArrowRight: () => seek(now() + step),
    Home: () => seek(0),
    r: playSource,
    "+": () => setZoom(zoom + 1),
    "-": () => setZoom(zoom - 1),
  };
  const number = /^[1-9]$/.test(event.key) ? tracks[Number(event.key) - 1] : undefined;
  const action = number ? () => select(number) : actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

if (tracks.length) {
  document.documentElement.classList.add("scripted");
  document.querySelectorAll(".transport, .keys").forEach((part) => { part.hidden = false; });
  byId("position").max = longest;
  byId("position").addEventListener("input", (event) => seek(Number(event.target.value)));
  byId("play").addEventListener("click", toggle);
  byId("zoom-in").addEventListener("click", () => setZoom(zoom + 1));
  byId("zoom-out").addEventListener("click", () => setZoom(zoom - 1));
  document.addEventListener("keydown", onKey);
  for (const track of tracks) {
    track.button.addEventListener("click", () => (track === active ? toggle() : select(track)));
    track.scroller.addEventListener("scroll", () => { // labels stay in view
      track.frequencies.style.transform = `translateX(${track.scroller.scrollLeft}px)`;
    });
    track.timeline.addEventListener("click", (event) => onClick(track, event));
    track.timeline.addEventListener("dblclick", (event) =>
      setZoom(zoom === ZOOMS.length - 1 ? 0 : zoom + 1, track, momentAt(track, event)));
  }
  setZoom(0);
  activate(active);
}
