// Chains of effects: built here, tried on ten seconds, run on the whole, kept as a file.

import { get, post } from "./api.js";
import { complain, field, h, place, whileBusy } from "./dom.js";
import { controlsOf } from "./controls.js";
import { player } from "./player.js";
import { resultsOf } from "./results.js";
import { session } from "./session.js";

const KEPT = "chain";

export function chainPanel() {
  let effects = new Map();
  let chain = JSON.parse(localStorage.getItem(KEPT) ?? "[]"); // {effect, values}
  const choice = h("select", {});
  const list = h("ol", { id: "chain" });
  const add = h("button", { type: "button", onclick: () => change([...chain, { effect: choice.value, values: {} }]) }, "Add");

  function change(next, focused = null) {
    chain = next;
    keep();
    show();
    if (focused !== null) list.children[focused]?.querySelector(".grip").focus();
  }
  const keep = () => localStorage.setItem(KEPT, JSON.stringify(chain));
  const moved = (from, to) => {
    const next = [...chain];
    next.splice(to, 0, ...next.splice(from, 1));
    return next;
  };

  function show() {
    place(list, chain.map((link, index) => {
      const effect = effects.get(link.effect);
      if (!effect) return h("li", { className: "card" }, `${link.effect} is not installed.`, remove(index));
      const shift = (step) => {
        const to = index + step;
        if (to >= 0 && to < chain.length) change(moved(index, to), to);
      };
      const grip = h("button", {
        type: "button", className: "grip small", title: "Drag, or press the arrow keys, to change the order",
        "aria-label": `${effect.name}, ${index + 1} of ${chain.length}: arrow keys move it`,
        onkeydown: (event) => {
          const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
          if (!step) return;
          event.preventDefault();
          event.stopPropagation();
          shift(step);
        },
      }, "⠿");
      return h("li", {
        className: "card", draggable: true,
        ondragstart: (event) => (event.target.closest("input, select") ? event.preventDefault() : event.dataTransfer.setData("text/plain", String(index))),
        ondragover: (event) => event.preventDefault(),
        ondrop: (event) => {
          const from = Number(event.dataTransfer.getData("text/plain"));
          if (event.dataTransfer.files.length || !chain[from]) return;
          event.stopPropagation();
          event.preventDefault();
          change(moved(from, index));
        },
      }, h("div", { className: "row" }, h("span", { className: "row" }, grip, h("strong", {}, effect.name), h("small", {}, effect.summary)),
        h("span", { className: "actions" },
          h("button", { type: "button", className: "small", disabled: index === 0, "aria-label": `Move ${effect.name} up`, onclick: () => shift(-1) }, "↑"),
          h("button", { type: "button", className: "small", disabled: index === chain.length - 1, "aria-label": `Move ${effect.name} down`, onclick: () => shift(1) }, "↓"), remove(index))),
      effect.problem && h("p", { className: "complaint" }, effect.problem),
      h("div", { className: "form" }, controlsOf(effect.parameters, link.values, keep)));
    }));
  }
  const remove = (index) => h("button", { type: "button", className: "small", "aria-label": `Remove ${chain[index].effect}`, onclick: () => change(chain.filter((_link, other) => other !== index)) }, "×");

  const run = (event, settings) => whileBusy(event.currentTarget, async () => {
    if (!chain.length) throw new Error("Add an effect first.");
    await session.start("chain", { recording: session.recording, chain, ...settings });
  });
  const save = async () => {
    const { toml } = await post("chain", { chain });
    const address = URL.createObjectURL(new Blob([toml], { type: "application/toml" }));
    h("a", { href: address, download: "chain.toml" }).click();
    URL.revokeObjectURL(address);
  };
  get("effects").then((known) => {
    effects = new Map(known.map((effect) => [effect.name, effect]));
    const groups = Map.groupBy ? Map.groupBy(known, (effect) => effect.origin) : new Map([["effects", known]]);
    choice.replaceChildren(...[...groups].map(([origin, members]) => h("optgroup", { label: origin }, members.map((effect) => h("option", { value: effect.name }, effect.summary ? `${effect.name}: ${effect.summary}` : effect.name)))));
    show();
  }).catch(complain);

  return {
    id: "chain", title: "Chain", shown: show,
    element: h("div", {}, h("p", {}, "Effects of pedalboard and processors, one after the other."),
      h("div", { className: "form" }, field("Effect", choice), h("div", { className: "field button-field" }, add)), list,
      h("div", { className: "row start" },
        h("button", { type: "button", className: "primary", onclick: (event) => run(event, { excerpt_from: Math.max(0, Math.min(player.transport.time, session.sound.seconds - 1)) }) }, "Try ten seconds from here"),
        h("button", { type: "button", onclick: (event) => run(event, {}) }, "Process all of it"),
        h("button", { type: "button", onclick: () => save().catch(complain) }, "Save the chain (TOML)")),
      resultsOf(["chain"], titleOf)),
  };
}

function titleOf(job, file) {
  if (file.endsWith("/excerpt.wav")) return "The same ten seconds before";
  return job.recipe.settings.excerpt_from === undefined ? "Processed" : "Ten seconds, processed";
}
