// A form that is on its way to an identity provider sends itself; without script, its button does.
export function mount(host: HTMLElement): void {
  if (host instanceof HTMLFormElement) host.submit();
}
