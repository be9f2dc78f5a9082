// One of some values.

export function setUp({ find, settings }) {
  const choice = find("choice");
  return function read() {
    return settings.values[choice.selectedIndex];
  };
}
