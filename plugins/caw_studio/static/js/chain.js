import { h } from "./dom.js";
export function chainPanel() { return { id: "chain", title: "Chain", element: h("div", {}, "soon") }; }
