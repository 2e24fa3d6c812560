// The keys of the player, for whoever looks for them.

import { h } from "./dom.js";

const KEYS = [
  ["Space", "play, pause"],
  ["← →", "two seconds back, ahead"],
  ["1 to 9", "hear this track"],
  ["x", "hear track 1 or 2 without knowing which"],
  ["l", "play what is marked in a loop"],
  ["[ ]", "mark from here, to here"],
];

/** What they do wherever the focus is, but in a field. */
export const keysHelp = () => h("details", {}, h("summary", {}, "Keys"),
  h("dl", {}, KEYS.map(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)])));
