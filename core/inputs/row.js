// A row of a table: a field for each column.

export function setUp({ find, settings }) {
  const { columns } = settings;
  const fields = columns.map((_, place) => find(`column-${place}`));

  function value({ name, kind, choices }, field) {
    if (kind === "choice") return field.value === "" ? null : choices[Number(field.value)];
    if (field.validity.badInput) throw new Error(`${name} must be a number.`);
    if (field.value.trim() === "") return null;
    return kind === "number" ? Number(field.value) : field.value;
  }

  find("typical").addEventListener("click", () =>
    columns.forEach(({ kind, choices, typical }, place) => {
      fields[place].value = kind === "choice" ? choices.indexOf(typical) : (typical ?? "");
    }),
  );
  find("none").addEventListener("click", () => {
    for (const field of fields) field.value = "";
    fields[0]?.focus();
  });

  return function read() {
    const row = Object.fromEntries(columns.map((column, place) => [column.name, value(column, fields[place])]));
    if (Object.values(row).every((each) => each === null)) throw new Error("Fill in a field first.");
    return row;
  };
}
