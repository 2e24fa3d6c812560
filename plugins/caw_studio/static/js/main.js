// The page: its parts, put together.

import { h, complain } from "./dom.js";
import { jobsPart } from "./jobs.js";
import { libraryPart } from "./library.js";
import { player } from "./player.js";
import { session } from "./session.js";
import { chainPanel } from "./chain.js";
import { generatePanel } from "./generate.js";
import { pluginPanels } from "./panels.js";
import { repairPanel } from "./repair.js";
import { showStates } from "./results.js";
import { trainPanel } from "./train.js";
import { varyPanel } from "./vary.js";

const REPAIRS = ["inpaint", "denoise", "bwe"];

/** The panel that shows the results of a job. */
const panelOf = (job) => (job.kind === "panel" ? `plugin-${job.recipe.settings.panel}` : REPAIRS.includes(job.kind) ? "repair" : job.kind);

function openTabs(panels) {
  const strip = document.getElementById("tabs");
  const place = document.getElementById("panel");
  const tabs = panels.map((panel) => h("button", {
    type: "button", role: "tab", id: `tab-${panel.id}`, "aria-controls": "panel", onclick: () => choose(panel),
  }, panel.title));

  function choose(panel) {
    panels.forEach((each, index) => {
      const chosen = each === panel;
      tabs[index].setAttribute("aria-selected", String(chosen));
      tabs[index].tabIndex = chosen ? 0 : -1;
      if (chosen) tabs[index].scrollIntoView({ block: "nearest", inline: "nearest" });
    });
    place.setAttribute("aria-labelledby", `tab-${panel.id}`);
    place.replaceChildren(panel.element);
    showStates();
    player.mark(panel.marks ?? "loop");
    panel.shown?.();
    sessionStorage.setItem("tab", panel.id);
  }

  strip.append(...tabs);
  strip.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length;
    choose(panels[next]);
    tabs[next].focus();
    event.preventDefault();
  });
  session.addEventListener("show", ({ detail: job }) => {
    const index = panels.findIndex((panel) => panel.id === panelOf(job));
    if (index < 0) return; // of a plugin that is gone
    choose(panels[index]);
    place.scrollIntoView({ block: "nearest" });
    tabs[index].focus();
  });
  choose(panels.find((panel) => panel.id === sessionStorage.getItem("tab")) ?? panels[0]);
}

window.studio = { player, session }; // for the console of whoever is curious, and for tests
const others = pluginPanels().catch((error) => {
  complain(error);
  return [];
});
player.open(document.getElementById("player"));
libraryPart(document.getElementById("library"));
jobsPart(document.getElementById("jobs"));
openTabs([trainPanel(), generatePanel(), repairPanel(), varyPanel(), chainPanel(), ...(await others)]);
await session.open().catch(complain);
