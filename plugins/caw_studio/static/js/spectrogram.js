// The spectrogram of what is visible, made by the server and painted here.

import { fetched } from "./api.js";

const LONGEST = 120; // seconds that are made at once

/** From dark to light through blue, violet and orange; each colour brighter than the one before. */
const STOPS = [[8, 8, 22], [34, 28, 92], [112, 32, 130], [200, 62, 96], [246, 140, 50], [252, 226, 120], [255, 255, 238]];

const PALETTE = Uint8ClampedArray.from({ length: 256 * 4 }, (_, index) => {
  const place = ((index >> 2) / 255) * (STOPS.length - 1);
  const low = Math.min(Math.floor(place), STOPS.length - 2);
  const channel = index & 3;
  return channel === 3 ? 255 : STOPS[low][channel] + (place - low) * (STOPS[low + 1][channel] - STOPS[low][channel]);
});

export class SpectrogramView {
  #asked = "";

  constructor(canvas, note, axis) {
    Object.assign(this, { canvas, note, axis });
  }

  /** Show a part of a recording; only the last part that was asked for appears. */
  async show(file, start, stop) {
    const columns = Math.max(50, Math.min(2000, Math.round(this.canvas.clientWidth * Math.min(2, devicePixelRatio))));
    const asked = JSON.stringify([file, start, stop, columns]);
    if (asked === this.#asked) return;
    this.#asked = asked;
    const tooLong = stop - start > LONGEST;
    this.note.textContent = tooLong ? `Zoom in to less than ${LONGEST / 60} minutes to see the spectrogram.` : "";
    this.canvas.hidden = tooLong;
    this.axis.replaceChildren();
    if (tooLong) return;
    const response = await fetched("spectrogram", { file, start, stop, columns });
    const levels = new Uint8Array(await response.arrayBuffer());
    if (asked !== this.#asked) return;
    this.#paint(levels, columns);
    this.#label(Number(response.headers.get("x-lowest-hz")), Number(response.headers.get("x-highest-hz")));
  }

  #paint(levels, columns) {
    const rows = levels.length / columns;
    const image = new ImageData(columns, rows);
    const words = new Uint32Array(image.data.buffer);
    const palette = new Uint32Array(PALETTE.buffer);
    levels.forEach((level, index) => { words[index] = palette[level]; });
    Object.assign(this.canvas, { width: columns, height: rows });
    this.canvas.getContext("2d").putImageData(image, 0, 0);
  }

  #label(lowest, highest) {
    for (const hertz of [100, 300, 1000, 3000, 10000]) {
      if (hertz <= lowest * 1.2 || hertz >= highest * 0.8) continue;
      const label = document.createElement("span");
      label.textContent = hertz >= 1000 ? `${hertz / 1000}k` : hertz;
      label.style.bottom = `${(100 * Math.log(hertz / lowest)) / Math.log(highest / lowest)}%`;
      this.axis.append(label);
    }
  }
}
