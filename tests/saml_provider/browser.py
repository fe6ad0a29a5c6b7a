"""As much of a browser as signing in needs: cookies, redirects, forms. What is for us is handed back."""

from dataclasses import dataclass
from urllib.parse import urljoin

import httpx2
from lxml import html


@dataclass(frozen=True, slots=True)
class Arrived:
    """The browser was sent to `url` of the service provider: by GET with its query, or with the `fields` of a POST."""

    url: str
    fields: dict[str, str]


class Browser:
    """One person's browser at the provider. What leads elsewhere is not followed but given back as `Arrived`."""

    def __init__(self, provider_url: str) -> None:
        self.provider_url = provider_url
        self.client = httpx2.Client(timeout=30.0)

    def close(self) -> None:
        self.client.close()

    def get(self, url: str, login: tuple[str, str] | None = None) -> Arrived:
        return self._go("GET", url, {}, login)

    def post(self, url: str, fields: dict[str, str], login: tuple[str, str] | None = None) -> Arrived:
        return self._go("POST", url, fields, login)

    def _go(self, method: str, url: str, fields: dict[str, str], login: tuple[str, str] | None) -> Arrived:
        for _ in range(20):
            if not url.startswith(self.provider_url):
                return Arrived(url, fields)
            answer = self.client.request(method, url, data=fields if method == "POST" else None)
            if answer.is_redirect:
                method, url, fields = "GET", urljoin(url, answer.headers["location"]), {}
                continue
            if answer.status_code != 200:
                raise AssertionError(f"{answer.status_code} at {url}: {_words(answer.text)}")
            forms = html.fromstring(answer.text).forms
            if not forms:
                raise AssertionError(f"no form at {url}: {_words(answer.text)}")
            form = next((each for each in forms if "password" in each.fields), forms[0])
            fields = {str(name): str(value or "") for name, value in form.form_values()}
            if "password" in form.fields:
                if login is None:
                    raise AssertionError("the provider asks for a password again")
                fields |= {"username": login[0], "password": login[1]}
            method, url = form.method.upper(), urljoin(url, form.action or "")
        raise AssertionError("the provider leads in circles")


def _words(page: str) -> str:
    return " ".join(str(html.fromstring(page).text_content()).split())[:1500]
