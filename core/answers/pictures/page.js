// A picture beside that of the form, if any, to look at and to keep.

import { element, pictureOfForm } from "../elements.js";

function framed(src, name) {
  const image = element("img", { src, alt: name });
  // Pixels of a small picture stay pixels, and it is not shown as a stamp.
  Object.assign(image.style, { width: "100%", imageRendering: "pixelated" });
  return element("figure", {}, image, element("figcaption", { className: "by" }, name));
}

// Two pictures in one place, as much of each as a slider says.
function compared(before, after, name) {
  const under = element("img", { src: after, alt: name });
  const over = element("img", { src: before, alt: "your picture" });
  const frame = element("figure", {}, under, over);
  Object.assign(frame.style, { position: "relative" });
  Object.assign(under.style, { width: "100%", display: "block" });
  Object.assign(over.style, { position: "absolute", inset: 0, width: "100%", height: "100%" });
  const slider = element("input", { type: "range", id: "compared", min: 0, max: 100, value: 50 });
  const show = () => (over.style.clipPath = `inset(0 ${100 - slider.value}% 0 0)`);
  slider.addEventListener("input", show);
  show();
  return [frame, element("label", { className: "switch", htmlFor: "compared" }, "Before ", slider, " after")];
}

export function shown(answer) {
  const parts = [];
  const pictures = Object.entries(answer).filter(
    ([, value]) => typeof value === "string" && value.startsWith("data:image/"),
  );
  const rest = Object.entries(answer).filter(([, value]) => ["string", "number"].includes(typeof value));
  const input = pictureOfForm();
  if (input && pictures.length === 1) parts.push(...compared(input, pictures[0][1], pictures[0][0]));
  const row = element("div");
  Object.assign(row.style, { display: "grid", gap: "1rem", gridTemplateColumns: "repeat(auto-fit, minmax(9rem, 1fr))" });
  if (input) row.append(framed(input, "your picture"));
  for (const [name, src] of pictures) row.append(framed(src, name));
  parts.push(row);
  for (const [name, href] of pictures) {
    const type = href.slice("data:image/".length, href.indexOf(";"));
    parts.push(element("p", {}, element("a", { href, download: `${name}.${type}` }, `Download ${name}`)));
  }
  for (const [name, value] of rest) {
    if (name === "note" || String(value).startsWith("data:")) continue;
    parts.push(element("p", { className: "sure" }, `${name}: ${value}`));
  }
  return parts;
}
