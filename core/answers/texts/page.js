// A text, also while it grows, and the other texts that were weighed.

import { element } from "../elements.js";

export function shown(answer) {
  const text = element("p", { className: "reading long" }, answer.text);
  if (answer.finished === false) text.append(element("span", { ariaHidden: "true" }, "▍"));
  const others = answer.alternatives ?? [];
  if (!others.length) return [text];
  const list = element("ol", { className: "ranked" });
  for (const other of others) {
    const score = typeof other.score === "number" ? other.score.toFixed(2) : "";
    list.append(
      element("li", {}, element("span", {}, other.text), element("span", { className: "number" }, score)),
    );
  }
  return [text, element("details", {}, element("summary", {}, "Other texts"), list)];
}
