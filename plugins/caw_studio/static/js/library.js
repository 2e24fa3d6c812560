// The recordings to choose from, and the place to drop another.

import { post } from "./api.js";
import { complain, h, lastPart, offerUndo, place } from "./dom.js";
import { session, whenever } from "./session.js";

export function libraryPart(element) {
  const picker = h("input", { type: "file", accept: "audio/*,.flac,.caf,.w64,.aiff", multiple: true, hidden: true, onchange: () => take(picker.files) });
  const drop = h("button", { type: "button", className: "drop", onclick: () => picker.click() }, "Drop a recording here, or choose a file");
  const lists = h("div", {});
  element.append(drop, picker, lists);

  async function take(files) {
    for (const file of files) {
      drop.textContent = `Taking in ${file.name} …`;
      try {
        await file.slice(0, 1).arrayBuffer().catch(() => { throw new Error(`${file.name} cannot be read: drop files, not folders.`); });
        const { name } = await post("upload", file, { name: file.name });
        await session.readFiles();
        await session.choose(name);
      } catch (error) {
        complain(error);
      }
    }
    drop.textContent = "Drop a recording here, or choose a file";
    picker.value = "";
  }

  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.toggle("over", event.dataTransfer.types.includes("Files"));
  });
  document.addEventListener("dragleave", () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files);
  });

  async function remove(name) {
    const isChosen = name === session.recording;
    const act = async (action) => {
      await post(`uploads/${action}`, { file: name });
      await session.readFiles();
      if (isChosen) await session.choose(action === "remove" ? session.recordings()[0] : name);
    };
    await act("remove");
    offerUndo(`${lastPart(name)} is removed.`, () => act("put-back"));
  }

  whenever(["files", "recording"], () => {
    const { recordings, uploads, built_in: clips, is_complete: isComplete } = session.files;
    place(lists, [
      group("In the folder", recordings, isComplete === false && "There is more than is listed."),
      group("Dropped here", uploads, null, remove), group("Built-in clips", clips),
    ].filter(Boolean));
    showChosen(lists);
  });
}

/** Scroll its list, and not the page, to the chosen recording. */
function showChosen(lists) {
  const chosen = lists.querySelector("[aria-current]");
  const list = chosen?.closest("ul");
  if (list) list.scrollTop = chosen.offsetTop - list.offsetTop - list.clientHeight / 2;
}

/** Recordings of one kind; those that can be removed have a button for it. */
function group(title, names, note, remove = null) {
  if (!names.length) return null;
  const items = names.map((name) => h("li", {}, h("button", {
    type: "button", title: name, "aria-current": name === session.recording && "true",
    onclick: () => session.choose(name).catch(complain),
  }, title === "In the folder" ? name : lastPart(name)),
  remove && h("button", { type: "button", className: "small", "aria-label": `Remove ${lastPart(name)}`, onclick: () => remove(name).catch(complain) }, "×")));
  return h("section", {}, h("h2", {}, title), h("ul", {}, items), note && h("small", {}, note));
}
