// Recommended items, best first; or the score of one.

import { element } from "../elements.js";
import { number, score, shown as scored } from "../answer.js";

export function shown(answer) {
  const rows = answer.recommendations;
  if (!rows) return scored(answer);
  if (!rows.length) return [element("p", { className: "empty" }, "There is nothing left to recommend.")];
  const list = element("ol", { className: "ranked" });
  for (const row of rows) {
    list.append(
      element(
        "li",
        {},
        element("span", {}, row.title ?? row.item),
        element("span", { className: "number" }, number(score(row)[1])),
      ),
    );
  }
  const note = answer.note ? [element("p", { className: "hint" }, `Note: ${answer.note}.`)] : [];
  return [element("p", { className: "sure" }, `Recommended, by ${score(rows[0])[0]}`), list, ...note];
}
