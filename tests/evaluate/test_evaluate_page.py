"""The page is one file that works in a browser, on a phone, and with names meant to break it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import Browser, running_browser
from evaluate_reports import keep_audio, made_report
from typer.testing import CliRunner

from edge_vc.evaluate.report.cli import app
from edge_vc.evaluate.report.page.choice import chosen_sentences
from edge_vc.evaluate.report.page.markup import Markup, tag
from edge_vc.evaluate.report.page.page import PageOptions, page_of, write_page
from edge_vc.evaluate.report.page.run_log import Log, RunFacts, StageFacts
from edge_vc.evaluate.report.report import EvaluationReport, Sentence
from edge_vc.settings.optional import EvaluationError

HOSTILE = "</script><script>alert(1)</script>'\"><img src=x onerror=alert(2)>&amp;"
RUN = RunFacts(
    "<b>run</b>",
    "finished",
    (StageFacts("distill", 12.0, {"mel_db<": 3.5}),),
    (Log(HOSTILE, (1.0, 2.0, 3.0), {HOSTILE: (3.0, None, 1.0)}),),
)


class Elements(HTMLParser):
    """Counts the elements of a page and keeps every attribute that could load something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.count: dict[str, int] = {}
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]


@pytest.fixture(scope="module")
def hostile() -> EvaluationReport:
    names = ("source", f"teacher {HOSTILE}", f"student {HOSTILE}")
    return made_report(names, HOSTILE, HOSTILE)


@pytest.fixture(scope="module")
def page(hostile: EvaluationReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    audio = keep_audio(hostile, folder / "audio")
    options = PageOptions(audio, 2, (RUN,))
    told: list[tuple[int, int]] = []
    path = write_page(hostile, folder / "page.html", options, lambda *n: told.append(n))
    assert told == [(1, 2), (2, 2)]
    return path


def test_strangers_texts_stay_texts(page: Path) -> None:
    elements = Elements(page.read_text())
    assert elements.count["script"] == 1
    assert elements.count["img"] == 2 * 4
    assert elements.count["audio"] == 2 * 4
    assert elements.handlers == []
    assert all(link.startswith(("data:", "#")) for link in elements.links)
    assert "alert(1)" in page.read_text()


def test_the_page_allows_itself_alone(page: Path) -> None:
    text = page.read_text()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert "default-src &#x27;none&#x27;" in policy[1]
    assert "unsafe" not in policy[1]
    assert 'name="viewport" content="width=device-width' in text
    assert not re.search(r"(?<!xmlns=\")https?://", text)


def test_the_same_evaluation_gives_the_same_page(hostile: EvaluationReport, page: Path) -> None:
    again = page_of(hostile, PageOptions(page.parent / "audio", 2, (RUN,)))
    assert again == page.read_text()


def test_figures_differences_and_curves_are_there() -> None:
    text = page_of(made_report(), PageOptions(runs=(RUN,)))
    assert "No audio was kept" in text
    texts = ("student-int8 against teacher", "babble 10 dB", "own recordings (topline)")
    for shown in (*texts, "mel_db&lt;", "MCD, dB ↓", "F0 error, % ↓"):
        assert shown in text
    assert 'class="delta good"' in text
    assert 'class="delta bad"' in text
    assert Elements(text).count["figure"] == 1


def test_missing_audio_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"u0\.flac: no such file; keep it"):
        page_of(made_report(), PageOptions(tmp_path))
    with pytest.raises(EvaluationError, match="0 sentences"):
        page_of(made_report(), PageOptions(sentences=0))
    with pytest.raises(EvaluationError, match="No such file or directory"):
        write_page(made_report(), tmp_path / "none" / "page.html")


def test_large_pages_stop_at_their_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = made_report()
    audio = keep_audio(report, tmp_path / "audio")
    whole = page_of(report, PageOptions(audio, 4))
    monkeypatch.setattr("edge_vc.evaluate.report.page.page.MOST_BYTES", len(whole) // 2)
    cut = page_of(report, PageOptions(audio, 4))
    assert 0 < Elements(cut).count["audio"] < Elements(whole).count["audio"]


def test_sentences_are_chosen_by_name_and_speaker() -> None:
    def said(speaker: str, number: int, sex: str, seconds: float, read: bool) -> Sentence:
        return Sentence(f"u{number}", speaker, sex, "a", seconds, "t", "a" if read else "b")

    sentences = [
        said("ann", 0, "F", 3.0, False),
        said("ann", 1, "F", 12.0, False),
        said("ann", 2, "F", 4.0, True),
        said("eve", 3, "F", 3.0, False),
        said("bob", 4, "M", 3.0, False),
    ]
    assert chosen_sentences(sentences, 99) == [2, 4, 3, 0, 1]
    assert chosen_sentences(sentences, 2) == [2, 4]


def test_markup_escapes_what_is_not_markup() -> None:
    made = tag("p", "<b>", Markup("<i>x</i>"), None, title='"&', class_="k", hidden=True, lang=None)
    assert made == '<p title="&quot;&amp;" class="k" hidden>&lt;b&gt;<i>x</i></p>'
    assert tag("img", src="data:,") == '<img src="data:,">'


def test_command_writes_the_page(tmp_path: Path) -> None:
    report = made_report()
    keep_audio(report, tmp_path / "audio")
    report.save(tmp_path / "evaluation.json")
    out = tmp_path / "page.html"
    arguments = [str(tmp_path / "evaluation.json"), "-o", str(out), "--sentences", "1"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "topline" in done.output
    assert Elements(out.read_text()).count["audio"] == 4
    replace(report, audio=None).save(tmp_path / "evaluation.json")
    again = CliRunner().invoke(app, [*arguments, "--audio", str(tmp_path / "audio")])
    assert again.exit_code == 0, again.output
    refused = CliRunner().invoke(app, [*arguments, "--run", str(tmp_path / "none")])
    assert refused.exit_code == 2
    assert "no such run" in refused.output


DECODE = """
(async () => {
  const context = new OfflineAudioContext(1, 16000, 16000);
  const found = [];
  for (const audio of document.querySelectorAll("audio")) {
    const bytes = Uint8Array.from(atob(audio.src.split(",")[1]), (c) => c.charCodeAt(0));
    const sound = await context.decodeAudioData(bytes.buffer);
    const peak = Math.max(...sound.getChannelData(0).map(Math.abs));
    found.push([sound.duration, peak]);
  }
  return found;
})()
"""
LOADED = """
Promise.all([...document.querySelectorAll("audio")].map((audio) => new Promise((done) => {
  const tell = () => done([audio.readyState, audio.duration, audio.error && audio.error.code]);
  if (audio.readyState >= 1) tell();
  audio.addEventListener("loadedmetadata", tell);
  audio.addEventListener("error", tell);
})))
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.mark.slow  # starts a browser
class TestInChromium:
    def test_players_play_and_nothing_complains(self, browser: Browser, page: Path) -> None:
        browser.open(page)
        assert browser.run("document.querySelectorAll('audio[controls]').length") == 8
        for state, seconds, error in browser.run(LOADED):
            assert state >= 1
            assert error is None
            assert seconds == pytest.approx(0.6, abs=0.02)
        for seconds, peak in browser.run(DECODE):
            assert seconds == pytest.approx(0.6, abs=0.02)
            assert peak > 0.1
        assert browser.run("[...document.images].every((i) => i.complete && i.naturalWidth > 100)")
        assert browser.complaints == []
        asked = {url.split(":")[0] for url in browser.requests}
        assert asked <= {"data", "file"}

    def test_one_version_sounds_at_a_time(self, browser: Browser, page: Path) -> None:
        browser.open(page)
        script = """
        (async () => {
          const [first, second] = document.querySelectorAll("audio");
          for (const audio of [first, second]) { audio.loop = true; await audio.play(); }
          await new Promise((done) => setTimeout(done, 200));
          return [first.paused, second.paused, second.currentTime > 0];
        })()
        """
        browser.call("Emulation.setFocusEmulationEnabled", enabled=True)
        answer = browser.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True,
            userGesture=True,
        )  # fmt: skip
        assert answer["result"]["value"] == [True, False, True]
        assert browser.complaints == []

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    @pytest.mark.parametrize("width", [320, 390, 1200])
    def test_nothing_hangs_over_the_edge(
        self, browser: Browser, page: Path, width: int, dark: bool
    ) -> None:
        browser.open(page, width, 844, dark)
        browser.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        wide, seen = browser.run("[document.documentElement.scrollWidth, innerWidth]")
        assert seen == width
        assert wide <= width
        ink, paper = browser.run(
            "['color', 'backgroundColor'].map((k) => getComputedStyle(document.body)[k])"
        )
        brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper)]
        assert (brightness[0] > brightness[1]) == dark
