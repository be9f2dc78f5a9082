// A number within bounds; a whole one, such as a seed, may be left to chance.

const MANY = 2 ** 31;

export function setUp({ find, form, settings }) {
  const number = find("number");
  const low = settings.low ?? (settings.high === null ? 0 : settings.high - MANY + 1);
  const high = Math.min(settings.high ?? Infinity, low + MANY - 1);

  find("dice")?.addEventListener("click", () => {
    number.value = low + Math.floor(Math.random() * (high - low + 1));
    form.requestSubmit();
  });

  return function read() {
    const { valueMissing, badInput, rangeUnderflow, rangeOverflow, stepMismatch } = number.validity;
    if (valueMissing || badInput || number.value === "") throw new Error("Write a number first.");
    if (rangeUnderflow) throw new Error(`The number must be at least ${settings.low}.`);
    if (rangeOverflow) throw new Error(`The number must be at most ${settings.high}.`);
    if (stepMismatch) throw new Error("The number must be a whole one.");
    return Number(number.value);
  };
}
