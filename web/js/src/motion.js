// Flights: a copy of a tile crosses the picture from where its story began to where it now is.
// The tile itself is already in place and merely waits to be seen, so nothing depends on this.

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Where an element is: [left, top, width, height], or undefined when it is not drawn. */
export function whereIs(element) {
  const box = element.getBoundingClientRect();
  return box.width ? [box.left, box.top, box.width, box.height] : undefined;
}

/** Flies a copy of `element` from `from` to its place, `delay` ms from now. */
export function fly(element, from, delay) {
  if (still.matches || document.hidden) return;
  const to = whereIs(element);
  const layer = document.getElementById("flights");
  if (!to || !layer) return;
  const ghost = element.cloneNode(true);
  ghost.removeAttribute("id");
  ghost.classList.add("ghost");
  // The element may be swelling into being: its layout size is the one it will have.
  const [width, height] = [element.offsetWidth, element.offsetHeight];
  Object.assign(ghost.style, {
    left: `${to[0] + (to[2] - width) / 2}px`,
    top: `${to[1] + (to[3] - height) / 2}px`,
    width: `${width}px`,
    height: `${height}px`,
  });
  layer.append(ghost);
  const dx = from[0] + from[2] / 2 - to[0] - to[2] / 2;
  const dy = from[1] + from[3] / 2 - to[1] - to[3] / 2;
  const lift = Math.min(36, Math.hypot(dx, dy) / 8);
  const timing = { delay, fill: "both", duration: flightMs(dx, dy), easing: "cubic-bezier(.3,.1,.2,1)" };
  element.animate([{ opacity: 0 }, { opacity: 0 }], { duration: delay + timing.duration });
  ghost.animate(
    [
      { transform: `translate(${dx}px, ${dy}px) scale(.7)`, opacity: 0 },
      { transform: `translate(${dx}px, ${dy}px) scale(.85)`, opacity: 1, offset: 0.12 },
      { transform: `translate(${dx * 0.45}px, ${dy * 0.45 - lift}px) scale(1)`, opacity: 1, offset: 0.6 },
      { transform: "none", opacity: 1 },
    ],
    timing,
  ).finished.then(() => ghost.remove(), () => ghost.remove());
}

/** Lets an element swell for a moment: it has just decided something. */
export function pulse(element) {
  if (still.matches || document.hidden) return;
  element.animate(
    [{ boxShadow: "0 0 0 0 var(--accent)" }, { boxShadow: "0 0 0 7px transparent" }],
    { duration: 520, easing: "ease-out" },
  );
}

function flightMs(dx, dy) {
  return Math.min(720, 380 + Math.hypot(dx, dy) / 3);
}
