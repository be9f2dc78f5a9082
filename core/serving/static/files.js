// A file that is chosen, dropped on the page, or pasted.

export function onFile(zone, chooser, use) {
  chooser.addEventListener("change", () => chooser.files[0] && use(chooser.files[0]));
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files[0]) use(event.dataTransfer.files[0]);
    });
  }
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files[0]) use(event.clipboardData.files[0]);
  });
}
