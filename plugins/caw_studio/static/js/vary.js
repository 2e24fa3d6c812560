import { h } from "./dom.js";
export function varyPanel() { return { id: "vary", title: "Vary", element: h("div", {}, "soon") }; }
