// What somebody has chosen, oldest first: items that are picked one after another.

import { element } from "../elements.js";

export function setUp({ find, call }) {
  const chosen = find("chosen");
  const list = find("history");
  const options = find("items");
  const ids = new Map(); // what people call an item, to its id
  let timer;

  async function suggest() {
    const named = await call(`choices/item?limit=20&search=${encodeURIComponent(chosen.value)}`);
    const same = new Map();
    for (const { name } of named) same.set(name, (same.get(name) ?? 0) + 1);
    options.replaceChildren(
      ...named.map(({ id, name }) => {
        const label = same.get(name) > 1 ? `${name} (${id})` : name;
        ids.set(label, id);
        return new Option("", label);
      }),
    );
  }

  function add(name) {
    const id = ids.get(name) ?? name;
    chosen.value = "";
    const remove = element("button", { type: "button" }, "×");
    remove.setAttribute("aria-label", `Remove ${name}`);
    const row = element("li", {}, element("span", {}, name), remove);
    row.dataset.id = id;
    remove.addEventListener("click", () => {
      row.remove();
      chosen.focus();
    });
    list.append(row);
  }

  const ask = () => suggest().catch(() => {});
  chosen.addEventListener("focus", ask);
  chosen.addEventListener("input", (event) => {
    clearTimeout(timer);
    // A suggestion that was picked, and not typed, is whole.
    const picked = event.inputType === "insertReplacementText" || !event.inputType;
    if (picked && ids.has(chosen.value)) add(chosen.value);
    else timer = setTimeout(ask, 150);
  });
  chosen.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !chosen.value.trim()) return;
    event.preventDefault();
    add(chosen.value.trim());
  });

  return function read() {
    if (chosen.value.trim()) add(chosen.value.trim());
    const history = [...list.children].map((row) => row.dataset.id);
    if (!history.length) throw new Error("Choose something first.");
    return { history };
  };
}
