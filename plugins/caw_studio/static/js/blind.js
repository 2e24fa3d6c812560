// A/B/X: one of the first two tracks is played without saying which; guesses are counted.

import { complain, h } from "./dom.js";

export class BlindTest {
  #hidden = null;
  #right = 0;
  #guesses = 0;

  constructor(player) {
    this.player = player;
    this.result = h("span", { role: "status" });
    this.answers = h("span", { hidden: true }, "X is ", ...[0, 1].map((index) =>
      h("button", { type: "button", className: "small", onclick: () => this.#guess(index) }, `track ${index + 1}`)));
    this.button = h("button", { type: "button", title: "Key x: hear track 1 or 2 without knowing which", onclick: () => this.hear() }, "X?");
    this.element = h("span", { className: "blind" }, this.button, this.answers, this.result);
    player.addEventListener("tracks", () => { this.element.hidden = player.tracks.length < 2; });
  }

  /** Play track 1 or 2; which of them stays hidden until a guess. */
  hear() {
    if (this.player.tracks.length < 2) return;
    this.#hidden ??= Math.random() < 0.5 ? 0 : 1;
    this.answers.hidden = false;
    this.result.textContent = "";
    this.player.hearMix(new Map([[this.player.tracks[this.#hidden].file, 1]])).catch(complain);
  }

  #guess(index) {
    const isRight = index === this.#hidden;
    this.#guesses += 1;
    this.#right += Number(isRight);
    this.answers.hidden = true;
    this.result.textContent = `${isRight ? "Right" : `No, it was track ${this.#hidden + 1}`}: ${this.#right} of ${this.#guesses}`;
    this.player.hear(this.player.tracks[this.#hidden]).catch(complain);
    this.#hidden = null;
  }
}
