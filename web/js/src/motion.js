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

/** Lets a copy of `element` leave: it rises from its place and fades. */
export function depart(element) {
  if (still.matches || document.hidden) return;
  const at = whereIs(element);
  const layer = document.getElementById("flights");
  if (!at || !layer) return;
  const ghost = element.cloneNode(true);
  ghost.removeAttribute("id");
  ghost.classList.add("ghost");
  const [left, top, width, height] = at;
  Object.assign(ghost.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  layer.append(ghost);
  ghost
    .animate([{ transform: "none", opacity: 0.9 }, { transform: "translateY(-34px) scale(.8)", opacity: 0 }], {
      duration: 620,
      easing: "ease-in",
    })
    .finished.then(() => ghost.remove(), () => ghost.remove());
}

/** Sends a packet along `path`, elements of the picture, `delay` ms from now. `fate` is how it ends:
    what arrived lets its goal swell, what did not stops in front of it. */
export function send(path, fate, delay) {
  if (still.matches || document.hidden) return;
  const layer = document.getElementById("flights");
  const points = path.map(whereIs).filter(Boolean).map(([x, y, w, h]) => [x + Math.min(w / 2, 60), y + Math.min(h / 2, 16)]);
  if (!layer || points.length < 1) return;
  if (points.length < 2) points.push([points[0][0] + 46, points[0][1]]);
  if (fate !== "arrived") {
    const [a, b] = points.slice(-2);
    points[points.length - 1] = [a[0] + (b[0] - a[0]) * 0.78, a[1] + (b[1] - a[1]) * 0.78];
  }
  const packet = document.createElement("i");
  packet.className = "packet";
  packet.dataset.fate = fate;
  layer.append(packet);
  const at = ([x, y]) => `translate(${x - 6}px, ${y - 6}px)`;
  const lengths = points.slice(1).map(([x, y], n) => Math.hypot(x - points[n][0], y - points[n][1]) + 60);
  const whole = lengths.reduce((a, b) => a + b);
  const frames = [{ transform: `${at(points[0])} scale(.3)`, opacity: 0 }];
  let gone = 0;
  points.forEach((point, n) => {
    frames.push({ transform: at(point), opacity: 1, offset: 0.08 + (0.74 * gone) / whole });
    gone += lengths[n] ?? 0;
  });
  const end = at(points.at(-1));
  frames.push({ transform: `${end} scale(${fate === "arrived" ? 0.4 : 1.7})`, opacity: fate === "arrived" ? 1 : 0.95, offset: 0.9 });
  frames.push({ transform: `${end} scale(${fate === "arrived" ? 0.2 : 1.7})`, opacity: 0 });
  packet
    .animate(frames, { delay, fill: "both", duration: Math.min(1900, 700 + whole * 1.1), easing: "ease-in-out" })
    .finished.then(
      () => {
        packet.remove();
        const goal = path.at(-1);
        if (fate === "arrived" && goal?.isConnected) pulse(goal);
      },
      () => packet.remove(),
    );
}

function flightMs(dx, dy) {
  return Math.min(720, 380 + Math.hypot(dx, dy) / 3);
}
