// A file that is chosen, dropped on the page, or pasted. Of several zones the one is meant that the pointer or
// the focus is nearest to: in the same input, or else the first of the page.

const zones = [];

const holdsFiles = (data) => [...(data?.types ?? [])].includes("Files");

function meant(element) {
  const part = element?.closest?.(".input");
  return zones.find(({ zone }) => part && zone.closest(".input") === part) ?? zones[0];
}

function mark(here) {
  for (const { zone } of zones) zone.classList.toggle("over", zone === here);
}

document.addEventListener("dragover", (event) => {
  if (!zones.length || !holdsFiles(event.dataTransfer)) return;
  event.preventDefault();
  mark(meant(event.target).zone);
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) mark(null);
});
document.addEventListener("drop", (event) => {
  if (!zones.length || !holdsFiles(event.dataTransfer)) return;
  event.preventDefault();
  mark(null);
  if (event.dataTransfer.files[0]) meant(event.target).use(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => {
  const file = event.clipboardData.files[0];
  if (!zones.length || !file) return;
  event.preventDefault();
  meant(document.activeElement).use(file);
});

export function onFile(zone, chooser, use) {
  zones.push({ zone, use });
  chooser.addEventListener("change", () => chooser.files[0] && use(chooser.files[0]));
}
