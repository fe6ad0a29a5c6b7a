"""`verify.html` in Chromium, from `file:`: the same answers as `verify.py`, and nothing leaves the machine."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from onepam.evidence.verifiers import PROGRAM, digest_of, path_of
from scripts.verifier_page import DIGEST, line, named
from tests.evidence.altered import altered_packs
from tests.evidence.company import LOG, ORIGIN, PART, WITNESS, History
from tests.evidence.forge import Forge
from tests.evidence.verify_page import FILE, VerifyPage, chromium

KEYS = ([LOG.vkey()], [WITNESS.vkey()])
IN_THE_BROWSER = 40
"""Of the two hundred altered packs; all of them in `make conformance`."""

SOURCES = sorted((Path(__file__).parents[2] / "ui/src/verify").glob("*.[th][st]*"))
GOES = re.compile(
    r"\b(location|window\.open|navigation)\b|\.href\s*=(?!\s*URL\.createObjectURL\()|http-equiv=.?refresh"
)
"""What takes a page to another address, and no policy refuses."""

CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const paint = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((x) => x / 255)
      .map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
      .reduce((sum, x, at) => sum + x * [0.2126, 0.7152, 0.0722][at], 0);
  };
  const ground = (one) => {
    const layers = [];
    for (let at = one; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
    return ["white", ...layers].map(paint).pop();
  };
  const bad = [];
  for (const one of document.querySelectorAll("body *")) {
    const words = [...one.childNodes].some((each) => each.nodeType === 3 && each.data.trim());
    if (!words || !one.checkVisibility() || one.closest("script, .visually-hidden, .skip-link, :disabled")) continue;
    const [a, b] = [ground(one), paint(getComputedStyle(one).color)].sort((x, y) => x - y);
    if ((b + 0.05) / (a + 0.05) < 4.5) bad.push(`${(b + 0.05) / (a + 0.05)} ${one.outerHTML.slice(0, 80)}`);
  }
  return bad;
}"""
"""Texts that are not read on their ground (WCAG 2.2, 1.4.3: 4.5 to 1)."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def opened(browser: Browser) -> VerifyPage:
    return VerifyPage(browser)


@pytest.fixture
def page(opened: VerifyPage) -> Iterator[VerifyPage]:
    """The one page, as it was left; an error of a script or a refusal of its policy fails the test."""
    opened.said.clear()
    yield opened
    assert opened.said == []


def test_an_honest_pack_is_verified_and_nothing_is_asked_of_anybody(page: VerifyPage, honest: bytes) -> None:
    told = page.verify(honest, *KEYS)
    assert (told.code, told.headline) == (PART, "Nothing wrong was found, and not all was judged.")
    assert told.verdict.endswith(". NOT ALL WAS JUDGED; nothing wrong was found in the rest")
    assert told.lines["history"].startswith(f"anchored and intact: entries 0 to 317 of {ORIGIN}")
    assert set(told.lines) == {"history", "lawful", "recordings"}
    assert {url.partition(":")[0] for url in page.asked} <= {"file", "data", "blob"}


def test_the_page_says_what_verify_py_says(page: VerifyPage, honest: bytes, tmp_path: Path) -> None:
    told = page.verify(honest, *KEYS)
    (tmp_path / "pack.zip").write_bytes(honest)
    command = [sys.executable, "-I", str(path_of(PROGRAM)), str(tmp_path / "pack.zip"), "--json"]
    command += ["--log-key", LOG.vkey(), "--witness-key", WITNESS.vkey()]
    due = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=120).stdout)
    assert (told.code, told.verdict) == (due["exit"], due["verdict"])
    assert told.lines == {name: due[name] for name in ("history", "lawful", "recordings")}
    shown = page.page.locator(".answer-list li").all_text_contents()
    assert sorted(shown) == sorted(text for each in due.values() if isinstance(each, list) for text in each)


@pytest.mark.claim(
    "sends a pack nowhere: its policy refuses every connection",
    altered="the policy of the page allowed connections; its script went to another address",
)
def test_the_page_cannot_reach_anybody(page: VerifyPage) -> None:
    tried = "url => fetch(url).then(() => 'reached', () => 'refused')"
    for url in (FILE.as_uri(), "data:text/plain,x", "http://127.0.0.1:9/"):
        assert page.page.evaluate(tried, url) == "refused"
        assert any("violates the following Content Security Policy directive" in each for each in page.said), page.said
        page.said.clear()
    policy = page.page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content") or ""
    assert policy.startswith("default-src 'none'; ")
    assert "connect-src" not in policy
    assert "unsafe-inline" not in policy
    assert not re.search(r"https?:|'self'|\*", policy)
    for source in SOURCES:
        assert not GOES.search(source.read_text("utf-8")), source


def test_the_release_names_the_digest_of_this_page_and_the_page_that_of_its_verify_py() -> None:
    content = FILE.read_bytes()
    assert named(content) == digest_of(PROGRAM)
    assert DIGEST.read_text("ascii") == line(content), "make generated"


def test_the_report_can_be_kept(page: VerifyPage, honest: bytes) -> None:
    page.verify(honest, *KEYS, name="q1.zip")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Save the report").click()
    assert download.value.suggested_filename == "q1.zip.verification.txt"
    text = download.value.path().read_text("utf-8")
    assert f"SHA-256     {sha256(honest).hexdigest()}" in text
    assert f"verify.py   SHA-256 {digest_of(PROGRAM)}" in text
    assert f"--log-key={LOG.vkey()} --witness-key={WITNESS.vkey()}" in text
    assert "\nhistory     anchored and intact: " in text
    assert "\nNOT PROVED\n  - " in text


def test_which_signatures_are_checked_can_be_chosen(page: VerifyPage, honest: bytes) -> None:
    page.page.get_by_text("Which signatures are checked").click()
    for all_of_them, seed, code, said in (
        (True, "", PART, "31 of 31 batch signatures checked"),
        (False, "0" * 32, PART, "31 of 31 batch signatures checked"),
        (True, "0" * 32, 2, "nothing is drawn with --all-signatures"),
        (False, "none", 2, "--draw: needs the seed of a verdict"),
    ):
        page.page.get_by_label("All signatures of batches").set_checked(all_of_them)
        page.page.get_by_label("Seed of another verdict").fill(seed)
        told = page.verify(honest, *KEYS)
        assert (told.code, said in told.verdict + told.lines.get("history", "")) == (code, True), told
    page.page.get_by_label("All signatures of batches").set_checked(True)
    page.page.get_by_label("Seed of another verdict").fill("")
    page.verify(honest, *KEYS)
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Save the report").click()
    assert "--all-signatures" in download.value.path().read_text("utf-8")
    page.clear()


def test_a_kept_checkpoint_is_an_anchor(page: VerifyPage, company: History, honest: bytes) -> None:
    page.page.get_by_text("A checkpoint that was kept elsewhere").click()
    kept = FilePayload(name="kept <b>.txt", mimeType="text/plain", buffer=company.checkpoint(witnesses=()))
    page.page.set_input_files("#checkpoints", [kept, kept])
    told = page.verify(honest, [LOG.vkey()])
    page.page.set_input_files("#checkpoints", [])
    assert told.code == PART, told.verdict
    assert "the checkpoint kept <b>.txt" in told.lines["history"]
    page.page.fill("#size", "10")
    page.page.fill("#root", "ab" * 32)
    assert "it was rewritten" in page.verify(honest, [LOG.vkey()]).verdict
    page.page.fill("#size", "")
    told = page.verify(honest, [LOG.vkey()])
    page.page.fill("#root", "")
    assert (told.code, told.lines) == (2, {})


def test_a_strangers_words_are_text(page: VerifyPage, company: History, honest: bytes) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\">"
    forge = Forge(company, honest)
    forge.edit("manifest.json", lambda m: m["system"].update(environment=evil))
    for name in ("access", "requests", "sessions"):
        forge.envelope(name, lambda e: e["system"].update(environment=evil))
    told = page.verify(forge.seal(), *KEYS, name=f"{evil}.zip")
    assert evil in told.verdict
    assert page.page.locator("img").count() == 0
    assert "owned" not in page.page.title()


def test_by_keyboard_alone(page: VerifyPage, honest: bytes, tmp_path: Path) -> None:
    (tmp_path / "pack.zip").write_bytes(honest)
    page.clear()
    page.page.keyboard.press("Tab")
    expect(page.page.locator(".skip-link")).to_be_focused()
    page.page.keyboard.press("Tab")
    expect(page.page.locator("#pack")).to_be_focused()
    page.chosen_by("Enter").set_files(tmp_path / "pack.zip")
    page.page.keyboard.press("Tab")
    page.page.keyboard.type(LOG.vkey())
    page.page.keyboard.press("Tab")
    page.page.keyboard.type(WITNESS.vkey())
    for _ in range(3):
        page.page.keyboard.press("Tab")
    expect(page.page.locator("#verify")).to_be_focused()
    page.page.keyboard.press("Enter")
    assert page.told().code == PART
    expect(page.page.locator("#answer")).to_be_focused()


def test_a_dropped_pack_is_taken_and_never_opened_in_place_of_the_page(page: VerifyPage, honest: bytes) -> None:
    drop = """(bytes) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(bytes)], "dropped.zip"));
      const event = new DragEvent("drop", { dataTransfer: data, cancelable: true, bubbles: true });
      return !document.body.dispatchEvent(event);
    }"""
    assert page.page.evaluate(drop, list(honest)) is True
    expect(page.page.locator("#pack-name")).to_have_text("dropped.zip")


def test_a_verification_can_be_cancelled_and_another_begun(page: VerifyPage, honest: bytes) -> None:
    page.take(honest)
    page.page.evaluate("document.getElementById('verify').click(); document.getElementById('cancel').click()")
    page.ready()
    assert page.verify(honest, *KEYS).code == PART


def test_a_pack_too_large_for_a_browser_is_not_begun(page: VerifyPage, tmp_path: Path) -> None:
    with (tmp_path / "huge.zip").open("wb") as file:
        file.truncate(256_000_001)
    page.take(tmp_path / "huge.zip")
    expect(page.page.locator("#pack-hint")).to_contain_text("run verify.py at a terminal")
    expect(page.page.locator("#verify")).to_be_disabled()


def test_every_word_is_read_in_every_state(page: VerifyPage, honest: bytes) -> None:
    """At a desk and on a phone, light and dark: what was chosen, anchored, not anchored, not judged, refused."""
    answers: tuple[tuple[bytes, tuple[list[str], list[str]], int], ...] = (
        (honest, KEYS, PART),
        (honest, ([], []), 3),
        (honest, ([WITNESS.vkey()], []), 2),
        (honest[:-1], KEYS, 1),
    )
    for pack, keys, code in answers:
        assert page.verify(pack, *keys).code == code
        for width, theme in product((1440, 390), ("light", "dark")):
            page.page.set_viewport_size({"width": width, "height": 900})
            page.page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
            expect(page.page.locator("html")).to_have_attribute("data-bs-theme", theme)
            assert page.page.evaluate(CONTRAST) == [], (theme, code)
            assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, code)


def agree(page: VerifyPage, company: History, honest: bytes, count: int) -> None:
    """The browser gives the code that is due, and names what was altered."""
    for pack in altered_packs(company, honest, count):
        told = page.verify(pack.data, pack.log_keys, pack.witness_keys)
        assert told.code == pack.code, (pack.name, told)
        assert re.search(pack.names, told.verdict), (pack.name, pack.names, told)


def test_altered_packs_get_the_same_answer(page: VerifyPage, company: History, honest: bytes) -> None:
    agree(page, company, honest, IN_THE_BROWSER)


@pytest.mark.conformance
def test_two_hundred_altered_packs_get_the_same_answer(page: VerifyPage, company: History, honest: bytes) -> None:
    agree(page, company, honest, 200)
