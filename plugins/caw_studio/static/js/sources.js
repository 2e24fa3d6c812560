// Where a take comes from: a strip below it, in colours that stand for places of the recording.

import { get } from "./api.js";
import { clock, h } from "./dom.js";

const WIDTH = 600;

const colourOf = (place, seconds) => `hsl(${(330 * place) / seconds} 75% 55%)`;

/** The strip of the recording itself: which colour stands for which place. */
export function legendStrip(seconds, play) {
  const canvas = h("canvas", { width: WIDTH, height: 1, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  for (let x = 0; x < WIDTH; x += 1) {
    context.fillStyle = colourOf(x, WIDTH);
    context.fillRect(x, 0, 1, 1);
  }
  return h("button", {
    type: "button", className: "strip", tabIndex: -1, "aria-label": "Colours of places in the recording",
    onclick: (event) => play((event.offsetX / event.currentTarget.clientWidth) * seconds),
  }, canvas);
}

/**
 * A strip for a take of some length: hue by place in the recording, grey where nothing there resembles it.
 * A click plays the place that a moment comes from; Enter does so for the moment that is heard.
 */
export async function sourceStrip(file, seconds, recording, { now, play }) {
  const segments = await get("source-map", { file, recording: recording.file });
  const canvas = h("canvas", { width: WIDTH, height: 1, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  for (let x = 0; x < WIDTH; x += 1) {
    const place = placeAt((x / WIDTH) * seconds);
    context.fillStyle = place === null ? "#8886" : colourOf(place, recording.seconds);
    context.fillRect(x, 0, 1, 1);
  }

  /** The second of the recording that a moment of the take comes from. */
  function placeAt(time) {
    const segment = segments.find(([start, stop]) => start <= time && time < stop);
    return segment ? segment[2] + time - segment[0] : null;
  }

  const strip = h("button", {
    type: "button", className: "strip", "aria-label": "Where this take comes from: play that place of the recording",
    onmousemove: (event) => {
      const place = placeAt(timeOf(event));
      strip.title = place === null ? "Like nothing in the recording" : `From ${clock(place)} of the recording`;
    },
    onclick: (event) => {
      const place = placeAt(event.detail === 0 ? now() : timeOf(event)); // 0: by keyboard
      if (place !== null) play(place);
    },
  }, canvas);
  const timeOf = (event) => (event.offsetX / strip.clientWidth) * seconds;
  return strip;
}
