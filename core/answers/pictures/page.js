// A picture beside that of the form, if any, to look at and to keep.

import { element, pictureOfForm } from "../elements.js";

function framed(src, name) {
  const image = element("img", { src, alt: name });
  // Pixels of a small picture stay pixels, and it is not shown as a stamp.
  Object.assign(image.style, { width: "100%", imageRendering: "pixelated" });
  return element("figure", {}, image, element("figcaption", { className: "by" }, name));
}

export function shown(answer) {
  const parts = [];
  const pictures = Object.entries(answer).filter(
    ([, value]) => typeof value === "string" && value.startsWith("data:image/"),
  );
  const rest = Object.entries(answer).filter(([, value]) => ["string", "number"].includes(typeof value));
  const input = pictureOfForm();
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
