// A question to a recommender: a user of the data, or ratings of one's own, and maybe one item.

import { call } from "./api.js";

const form = document.getElementById("form");
const user = document.getElementById("user");
const rated = document.getElementById("rated");
const item = document.getElementById("item");
const list = document.getElementById("ratings");
const ids = new Map(); // what people call an item, to its id
let scale = [];

const whose = () => form.elements.whose.value;

async function suggest(field, options, search) {
  const choices = await call(`choices/${field}?limit=20&search=${encodeURIComponent(search)}`);
  const same = new Map();
  for (const { name } of choices) same.set(name, (same.get(name) ?? 0) + 1);
  options.replaceChildren(
    ...choices.map(({ id, name }) => {
      const told = same.get(name) > 1 ? `${name} (${id})` : name;
      ids.set(`${field} ${told}`, id);
      return new Option("", told);
    }),
  );
}

function suggesting(input, field, options) {
  let timer;
  const ask = () => suggest(field, options, input.value).catch(() => {});
  input.addEventListener("focus", ask);
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 150);
  });
}

function rate() {
  const name = rated.value;
  const id = ids.get(`item ${name}`);
  if (!id) return;
  rated.value = "";
  if ([...list.children].some((row) => row.dataset.id === id)) return;
  const row = document.createElement("li");
  row.dataset.id = id;
  const choice = document.createElement("select");
  choice.setAttribute("aria-label", `Rating of ${name}`);
  choice.append(...[...scale].reverse().map(({ id, name }) => new Option(`★ ${name}`, id)));
  const remove = document.createElement("button");
  remove.type = "button";
  remove.textContent = "×";
  remove.setAttribute("aria-label", `Remove ${name}`);
  remove.addEventListener("click", () => {
    row.remove();
    rated.focus();
  });
  const told = document.createElement("span");
  told.textContent = name;
  row.append(told, choice, remove);
  list.append(row);
}

export function setUp() {
  suggesting(user, "user", document.getElementById("users"));
  for (const input of [rated, item]) suggesting(input, "item", document.getElementById("items"));
  call("choices/rating?limit=100").then((found) => (scale = found), () => {});
  rated.addEventListener("change", rate);
  rated.addEventListener("input", (event) => {
    if (event.inputType === "insertReplacementText" || !event.inputType) rate();
  });
  rated.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    rate();
  });
  form.elements.whose.forEach((radio) =>
    radio.addEventListener("change", () => {
      for (const part of form.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== whose();
    }),
  );
}

function question() {
  if (whose() === "user") {
    if (!user.value.trim()) throw new Error("Name a user first.");
    return { user: ids.get(`user ${user.value}`) ?? user.value.trim() };
  }
  const ratings = [...list.children].map((row) => [row.dataset.id, Number(row.querySelector("select").value)]);
  if (!ratings.length) throw new Error("Rate something first.");
  return { ratings: Object.fromEntries(ratings) };
}

export function read() {
  const asked = question();
  const wanted = item.value.trim();
  return wanted ? { ...asked, item: ids.get(`item ${wanted}`) ?? wanted } : asked;
}
