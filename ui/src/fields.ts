// What was typed or chosen in a list's filters before htmx heard it: it is heard now.
export function hearEarly(root: Element): void {
  for (const field of root.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input[hx-trigger], select[hx-trigger]")) {
    if (field.value !== given(field)) field.dispatchEvent(new Event(field instanceof HTMLSelectElement ? "change" : "input", { bubbles: true }));
  }
}

/** What the server wrote into it. */
function given(field: HTMLInputElement | HTMLSelectElement): string {
  if (field instanceof HTMLInputElement) return field.defaultValue;
  const options = [...field.options];
  return (options.find((one) => one.defaultSelected) ?? options[0])?.value ?? "";
}
