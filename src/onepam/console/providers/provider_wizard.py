"""Connecting a provider in steps: its vendor, our addresses there, its own here, then the proposal; changing one."""

import asyncio
import json
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.responses import Response

from onepam.app.providers.propose_provider import propose_provider
from onepam.console.frame.page import Context
from onepam.console.frame.rendering import Flash
from onepam.console.frame.visit import Visit
from onepam.console.providers import provider_form as forms
from onepam.console.providers.provider_vendors import Vendor, vendor_of, vendors
from onepam.console.providers.provider_words import addresses
from onepam.console.providers.providers_page import ProviderFormPage, ProviderNewPage
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.setting import Provider
from onepam.domain.signing_in.rules import FRESH_FACTOR
from onepam.egress.fetch import Fetched
from onepam.identity.oidc.settings import OidcSettings
from onepam.identity.providers import keys_secret, open_secret, read_keys, sealed_secret
from onepam.identity.saml import metadata
from onepam.identity.saml.keys import SpKey, new_key
from onepam.identity.saml.settings import idp_mapping
from onepam.kernel.canonical import NotCanonical, encode
from onepam.kernel.errors import Fault, Refused
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from onepam.store.read import providers as rows

MAX_SECRET_CHARACTERS = 4_000
MAX_METADATA_BYTES = 1024 * 1024
_PROVIDER = re.compile(r"idp_[a-z2-7]{16}", re.ASCII)


async def new(visit: Visit) -> Response:
    """The vendors; then, for one of them or for a provider that is there already, its form."""
    asked = visit.request.query_params
    base = await _base(visit, asked.get("provider", ""), asked.get("change", ""))
    if base is None and (asked.get("provider") or asked.get("change")):
        return visit.refusal(Refused("provider.unknown", "There is no such provider.", "/providers"), 404)
    if stale(visit):
        return step_up(visit)
    if base is not None:
        return _form(visit, vendor_of(base.kind, asked.get("preset", "")), base.provider, forms.form_of(base), base)
    vendor = vendor_of(ProviderKind.SAML if asked.get("kind") == "saml" else ProviderKind.OIDC, asked.get("preset", ""))
    if not asked.get("preset"):
        return visit.page(ProviderNewPage(vendors=vendors()))
    return _form(visit, vendor, new_id("idp", visit.services.random), vendor.form(), None)


async def propose(visit: Visit) -> Response:
    """Reads what was typed, asks the provider whether it is so, and lays it before another administrator."""
    typed, provider = forms.typed(visit.form), visit.form.get("provider", "")
    kind = ProviderKind.SAML if visit.form.get("kind") == "saml" else ProviderKind.OIDC
    vendor = vendor_of(kind, visit.form.get("preset", ""))
    replaces = visit.form.get("replaces", "")
    if _PROVIDER.fullmatch(provider) is None:
        return visit.refusal(Refused("provider.unknown", "This form has lapsed.", "/providers/new"), 422)
    base = await _base(visit, provider, replaces)
    if base is not None and (base.provider != provider or base.kind is not kind):
        base = None
    secret = await _secret(visit, kind, provider, base)
    if isinstance(secret, Refused):
        return _form(visit, vendor, provider, typed, base, secret)
    made = await _made(visit, kind, provider, typed, base, secret)
    if isinstance(made, Refused):
        return _form(visit, vendor, provider, typed, base, made, secret)
    refused = await propose_provider(visit.services.ledger, visit.me.actor, made, replaces or None)
    if refused is not None:
        return _form(visit, vendor, provider, typed, base, refused, made.secret)
    note = "Test it now; it takes effect once another administrator approves it."
    return visit.go(f"/providers/proposed/{made.change}", Flash("done", "Proposed.", note))


def stale(visit: Visit) -> bool:
    """Whether the reader's second factor is too old to set anything about providers."""
    shown = visit.me.facts.mfa_at
    return shown is None or shown + FRESH_FACTOR <= visit.now


def step_up(visit: Visit) -> Response:
    """To the second factor, and back here."""
    url = visit.request.url
    here = url.path + (f"?{url.query}" if url.query else "")
    return visit.go("/step-up?" + urlencode({"next": here}))


async def _base(visit: Visit, provider: str, change: str) -> Provider | None:
    """What the form begins with: an earlier proposal, or the provider in force."""
    if change:
        return await visit.services.reader(rows.by_change, None, change)
    found = await visit.services.reader(rows.provider, None, provider) if provider else None
    return found.provider if found is not None else None


async def _made(
    visit: Visit, kind: ProviderKind, provider: str, typed: dict[str, str], base: Provider | None, secret: str | None
) -> Provider | Refused:
    """The provider as typed, its settings judged by its protocol, and the provider itself asked."""
    services = visit.services
    if kind is ProviderKind.OIDC:
        found: dict[str, Any] | Refused = forms.oidc_settings(typed)
    else:
        found = await _saml(visit, typed, base)
    if isinstance(found, Refused):
        return found
    try:
        text = encode(found).decode("utf-8")
    except NotCanonical:
        return Refused("provider.settings", "The settings have characters that cannot be kept.", "Type them again.")
    change = new_id("chg", services.random)
    made = Provider(change, provider, kind, typed["name"], text, forms.rule(typed), secret)
    settings = services.providers.settings(made)
    if isinstance(settings, OidcSettings):
        answers = await services.openid.discovered(settings, visit.wall)
        return answers if isinstance(answers, Refused) else made
    return settings if isinstance(settings, Refused) else made


async def _secret(visit: Visit, kind: ProviderKind, provider: str, base: Provider | None) -> str | Refused | None:
    """The sealed secret: typed now, typed before a form was shown again, or the one that is there."""
    seal, held = visit.services.envelope, base.secret if base is not None else None
    kept = visit.form.get("kept_secret", "")
    if kept:
        try:
            open_secret(kept, provider, seal)
        except (Fault, ValueError):
            return Refused("provider.secret", "The secret has lapsed.", "Type it once more.")
        held = kept
    if kind is ProviderKind.OIDC:
        text = visit.form.get("secret", "").strip()[:MAX_SECRET_CHARACTERS]
        if visit.form.get("no_secret") == "on":
            return None
        return sealed_secret(Secret(text.encode("utf-8")), provider, seal) if text else held
    keys: tuple[SpKey, ...] = read_keys(open_secret(held, provider, seal)) if held is not None else ()
    how = visit.form.get("our_key", "keep")
    if keys and (how == "keep" or kept):
        return held
    if keys and how == "switch":
        keys = keys[-1:]
    else:
        host = urlsplit(visit.services.origin).hostname or "onepam"
        keys = (*keys[:1], await asyncio.to_thread(new_key, host, visit.wall, visit.services.random))
    return sealed_secret(keys_secret(keys), provider, seal)


async def _saml(visit: Visit, typed: dict[str, str], base: Provider | None) -> dict[str, Any] | Refused:
    """The settings with the provider's metadata: pasted, read at its address, or as they are."""
    document, url = visit.form.get("metadata", "").strip().encode("utf-8", "replace"), typed["metadata_url"]
    known = json.loads(base.settings) if base is not None and base.kind is ProviderKind.SAML else {}
    if not document and not url and not known:
        return Refused("saml.metadata", "The provider's metadata is missing.", "Give its address, or paste the file.")
    if not document and url and (url != known.get("metadata_url") or visit.form.get("read_again") == "on"):
        fetched = await visit.services.fetch.get(url, limit_bytes=MAX_METADATA_BYTES)
        if isinstance(fetched, Refused):
            return Refused(fetched.code, f"The metadata could not be read: {fetched.message}", fetched.hint)
        if fetched.status != 200:
            return _no_metadata(url, fetched)
        document = fetched.body
    if not document:
        return forms.saml_settings(typed, known["idp"])
    read = metadata.read(document, visit.wall)
    return read if isinstance(read, Refused) else forms.saml_settings(typed, idp_mapping(read))


def _no_metadata(url: str, fetched: Fetched) -> Refused:
    host = urlsplit(url).hostname
    return Refused("saml.metadata", f"{host} has no metadata there: it answers with status {fetched.status}.")


def _form(
    visit: Visit,
    vendor: Vendor,
    provider: str,
    typed: dict[str, str],
    base: Provider | None,
    refused: Refused | None = None,
    sealed: str | None = None,
) -> Response:
    error: Context | None = None
    if refused is not None:
        link = refused.hint if refused.hint.startswith("/") else ""
        error = {"message": refused.message, "hint": "" if link else refused.hint, "link": link, "code": refused.code}
    waits = base is not None and visit.request.query_params.get("change") == base.change
    console = visit.services.origin
    return visit.page(
        ProviderFormPage(
            vendor=vendor.context(console, provider),
            provider=provider,
            kind=vendor.kind.value,
            addresses=addresses(vendor.kind, console, provider),
            form=typed,
            changes=base is not None,
            called=base.name if base is not None else vendor.name,
            has_secret=base is not None and base.secret is not None,
            kept_secret=sealed or "",
            replaces=visit.form.get("replaces", "") or (base.change if waits and base is not None else ""),
            error=error,
        ),
        422 if refused is not None else 200,
    )
