// The elements that several kinds of answers are shown by.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

export const percent = (share) => `${(100 * share).toFixed(share < 0.0995 || share > 0.995 ? 2 : 1)}%`;

export function bars(rows) {
  const list = element("ul", { className: "bars" });
  for (const { name, share, text } of rows) {
    const fill = element("div", { className: "fill" });
    fill.style.width = `${Math.max(0, Math.min(100, 100 * share))}%`;
    list.append(
      element(
        "li",
        {},
        element("span", { className: "name" }, name),
        element("span", { className: "track", ariaHidden: "true" }, fill),
        element("span", { className: "number" }, text),
      ),
    );
  }
  return list;
}

// What is shown beside an answer that holds no picture of its input: it is still in the form, as a file or drawn.
export function pictureOfForm() {
  const preview = document.querySelector('#form img[id$="preview"]:not([hidden])');
  if (preview?.src) return preview.src;
  return document.querySelector('#form canvas[id$="canvas"]')?.toDataURL() ?? "";
}
