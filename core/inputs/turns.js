// A dialogue: what was said so far, and a field for the next turn. The server remembers nothing of it.

import { element } from "../elements.js";

const NAMES = { user: "You", assistant: "Model", system: "Setting" };

export function setUp({ find, form, settings }) {
  const list = find("turns");
  const field = find("turn");
  // The server takes so many turns; an odd number of the last ones begins with the user's.
  const most = settings.turns - ((settings.turns + 1) % 2);
  let turns = [];
  let asked = null;

  function add(role, text) {
    turns.push({ role, text });
    const who = element("span", { className: "who" }, NAMES[role]);
    list.append(element("li", { className: role }, who, element("span", { className: "said" }, text)));
    list.scrollTop = list.scrollHeight;
  }

  field.addEventListener("keydown", (event) => {
    // While a word is composed, as in Japanese, Enter ends the word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  find("anew").addEventListener("click", () => {
    turns = [];
    asked = null;
    list.replaceChildren();
    field.value = "";
    field.focus();
  });

  return {
    read() {
      const text = field.value.trim();
      if (!text) throw new Error("Write your turn first.");
      asked = text;
      return [...turns, { role: "user", text }].slice(-most);
    },
    answered(answer) {
      if (asked === null) return; // started anew meanwhile
      add("user", asked);
      add("assistant", answer.text ?? answer.label ?? JSON.stringify(answer));
      if (field.value.trim() === asked) field.value = "";
      asked = null;
    },
  };
}
