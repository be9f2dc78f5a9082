"""The page of a report, and the script of an answer, made of rows alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.answers.kind import Answers
from core.reporting.figures import figures_of_answers
from core.reporting.page import Mistake, Reported, page_of
from core.reporting.pictures import pictures_of

STATIC = Path(__file__).parents[3] / "core" / "serving" / "static"
# Enough of a document for `element`: what it makes is returned as [tag, attributes, children].
DOCUMENT = """
class Made {
  constructor(tag) {
    Object.assign(this, { tag, children: [], attributes: {}, style: {}, className: "" });
    this.classList = { add: (name) => (this.className += ` ${name}`) };
  }
  setAttribute(key, value) { this.attributes[key] = String(value); }
  append(...children) { this.children.push(...children); }
  replaceChildren(...children) { this.children = children; }
  querySelector(tag) {
    for (const child of this.children) {
      if (!(child instanceof Made)) continue;
      if (child.tag === tag) return child;
      const inner = child.querySelector(tag);
      if (inner) return inner;
    }
    return null;
  }
  scrollIntoView() { this.scrolled = true; }
  addEventListener() {}
  toJSON() { return [this.tag, { class: this.className, ...this.attributes }, this.children]; }
}
globalThis.document = {
  createElement: (tag) => new Made(tag),
  createElementNS: (_, tag) => new Made(tag),
  querySelector: () => null,
};
globalThis.requestAnimationFrame = (call) => call();
"""


def report_of(kind: type[Answers], rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], str]:
    """Return the figures of a report of rows, and its page."""
    answers = kind.from_rows(rows)
    figures = figures_of_answers(answers, {}, "rows")
    mistakes = [Mistake(rows[place], kind.shown(rows[place], {})) for place in figures["mistakes"]]
    reported = Reported(figures, pictures_of(figures, kind), kind, mistakes)
    # A report is written as JSON too.
    return json.loads(json.dumps(figures)), page_of([reported])


def shown_on_the_page(kind: type[Answers], answer: Mapping[str, Any], folder: Path) -> str:
    """Return what the script of a kind makes of an answer, as JSON."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js, which runs the page's scripts, is not installed")
    (folder / "answers").mkdir()
    (folder / "package.json").write_text('{"type": "module"}')
    for script in STATIC.glob("*.js"):
        shutil.copy(script, folder)
    shutil.copy(kind.file("page.js"), folder / "answers" / f"{kind.kind}.js")
    (folder / "run.js").write_text(
        DOCUMENT
        + f"const {{ shown }} = await import('./answers/{kind.kind}.js');\n"
        + f"console.log(JSON.stringify(shown({json.dumps(answer)})));\n"
    )
    finished = subprocess.run([node, "run.js"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def page_of_rows(
    kind: type[Answers], rows: Sequence[Mapping[str, Any]], examples: Sequence[Mapping[str, Any]]
) -> tuple[str, dict[str, Any], dict[str, bytes]]:
    """Return the page, the figures and the pictures of rows, whose examples are given beside them."""
    figures = figures_of_answers(kind.from_rows(rows), {}, "Answers")
    pictures = pictures_of(figures, kind)
    mistakes = [
        Mistake(rows[place], kind.shown(rows[place], examples[place])) for place in figures["mistakes"]
    ]
    return page_of([Reported(figures, pictures, kind, mistakes)]), figures, pictures
