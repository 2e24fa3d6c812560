// What is marked, over the spectrogram as over the outline, and how it is marked there.

import { h } from "./dom.js";

export class MarksView {
  constructor(element) {
    this.element = element;
  }

  /** Show what lies in the visible part of some regions: {start, end}, in seconds. */
  show(regions, visible) {
    const share = (time) => 100 * Math.min(1, Math.max(0, (time - visible.start) / (visible.stop - visible.start)));
    const inSight = regions.filter(({ start, end }) => end > visible.start && start < visible.stop);
    this.element.replaceChildren(...inSight.map(({ start, end }) => {
      const mark = h("div", {});
      Object.assign(mark.style, { left: `${share(start)}%`, width: `${share(end) - share(start)}%` });
      return mark;
    }));
  }
}

/**
 * Watch the pointer on an element: moved(from, to) while it is dragged, in shares of the width, released(from, to) at
 * the end, where both are the same for a click, and given up without an end if the pointer turns out to scroll.
 */
export function watchDrags(element, { moved, released, givenUp }) {
  let from = null;
  const placeOf = (event) => {
    const box = element.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  element.addEventListener("pointerdown", (event) => {
    from = placeOf(event);
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => { if (from !== null) moved(from, placeOf(event)); });
  element.addEventListener("pointerup", (event) => {
    if (from !== null) released(from, placeOf(event));
    from = null;
  });
  element.addEventListener("pointercancel", () => {
    from = null;
    givenUp();
  });
}
