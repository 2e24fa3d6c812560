import { h } from "./dom.js";
export function repairPanel() { return { id: "repair", title: "Repair", element: h("div", {}, "soon") }; }
