// <div data-island="passkey" data-mode="authenticate|register" data-options="…" data-verify="…" data-csrf="…">
// POST options -> WebAuthn options as JSON; POST verify {credential, name?} -> {"redirect": "/path"} or {"error", "hint"}.
import {
  browserSupportsWebAuthn,
  startAuthentication,
  startRegistration,
  WebAuthnError,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser";

interface Answer {
  redirect?: string;
  error?: string;
  hint?: string;
}

export function mount(host: HTMLElement): void {
  const button = host.querySelector<HTMLButtonElement>("button[data-passkey]");
  const said = host.querySelector<HTMLElement>("[data-said]");
  if (!button || !said) return;
  const say = (words: string): void => {
    said.textContent = words;
    said.hidden = words === "";
  };
  if (!browserSupportsWebAuthn()) {
    say("This browser cannot use passkeys. Use an authenticator app, or open this page by the console's own name over https.");
    return;
  }
  button.disabled = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    say("");
    run(host)
      .then((answer) => {
        if (answer.redirect?.startsWith("/") && !answer.redirect.startsWith("//")) location.assign(answer.redirect);
        else say([answer.error ?? "The passkey was not accepted.", answer.hint ?? ""].join(" ").trim());
      })
      .catch((error: unknown) => say(words(error)))
      .finally(() => (button.disabled = false));
  });
}

async function run(host: HTMLElement): Promise<Answer> {
  const { mode, options = "", verify = "", csrf = "" } = host.dataset;
  const name = host.querySelector<HTMLInputElement>("input[name=passkey_name]")?.value;
  const offered = await post(options, csrf, {});
  if ("error" in offered) return offered as Answer;
  const credential =
    mode === "register"
      ? await startRegistration({ optionsJSON: offered as unknown as PublicKeyCredentialCreationOptionsJSON })
      : await startAuthentication({ optionsJSON: offered as unknown as PublicKeyCredentialRequestOptionsJSON });
  return (await post(verify, csrf, { credential, name })) as Answer;
}

async function post(path: string, csrf: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", "x-csrf-token": csrf },
    body: JSON.stringify(body),
  });
  const type = answer.headers.get("content-type") ?? "";
  if (!type.includes("application/json")) throw new Error(`the console answered ${answer.status}`);
  return (await answer.json()) as Record<string, unknown>;
}

function words(error: unknown): string {
  if (error instanceof WebAuthnError && error.code === "ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED") {
    return "This device already holds a passkey of yours.";
  }
  if (error instanceof Error && (error.name === "NotAllowedError" || error.name === "AbortError")) {
    return "Cancelled, or it took too long. Try again.";
  }
  return `That did not work: ${error instanceof Error ? error.message : String(error)}.`;
}
