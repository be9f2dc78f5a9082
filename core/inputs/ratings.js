// A question to a recommender: a user of the data, or ratings of one's own, and maybe one item.

export function setUp({ find, form, call }) {
  const user = find("user");
  const rated = find("rated");
  const item = find("item");
  const list = find("ratings");
  const ids = new Map(); // what people call an item, to its id
  let scale = [];

  const choices = form.querySelectorAll(`[name="${find("user").id.slice(0, -4)}whose"]`);
  const whose = () => [...choices].find((radio) => radio.checked).value;

  async function suggest(field, options, search) {
    const named = await call(`choices/${field}?limit=20&search=${encodeURIComponent(search)}`);
    const same = new Map();
    for (const { name } of named) same.set(name, (same.get(name) ?? 0) + 1);
    options.replaceChildren(
      ...named.map(({ id, name }) => {
        const label = same.get(name) > 1 ? `${name} (${id})` : name;
        ids.set(`${field} ${label}`, id);
        return new Option("", label);
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
    const title = document.createElement("span");
    title.textContent = name;
    row.append(title, choice, remove);
    list.append(row);
  }

  suggesting(user, "user", find("users"));
  for (const input of [rated, item]) suggesting(input, "item", find("items"));
  call("choices/rating?limit=100").then((ratings) => (scale = ratings), () => {});
  rated.addEventListener("change", rate);
  rated.addEventListener("input", (event) => {
    if (event.inputType === "insertReplacementText" || !event.inputType) rate();
  });
  rated.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    rate();
  });
  choices.forEach((radio) =>
    radio.addEventListener("change", () => {
      for (const part of form.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== whose();
    }),
  );

  function question() {
    if (whose() === "user") {
      if (!user.value.trim()) throw new Error("Name a user first.");
      return { user: ids.get(`user ${user.value}`) ?? user.value.trim() };
    }
    const ratings = [...list.children].map((row) => [row.dataset.id, Number(row.querySelector("select").value)]);
    if (!ratings.length) throw new Error("Rate something first.");
    return { ratings: Object.fromEntries(ratings) };
  }

  return function read() {
    const asked = question();
    const wanted = item.value.trim();
    return wanted ? { ...asked, item: ids.get(`item ${wanted}`) ?? wanted } : asked;
  };
}
