"""What `mkdocs build` makes besides the pages in this folder: references, figures, the README as home.

The references are never written down: they are what the commands, the schemas and the proto files say on
the day of the build.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
HOME = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
OUTSIDE = {
    "../examples/README.md": "examples/index.md",
    "../../examples/README.md": "../examples/index.md",
    "../benchmarks/results": "benchmarks.md",
}
EXAMPLES = ROOT / "examples"


def on_files(files: Any, *, config: Any) -> Any:
    """Add the generated pages, and what the pages link to outside of this folder."""
    from planner.reference import command_book, descriptors, document_book, figures_book, rpc_book

    pages = {target: _from_root((ROOT / source).read_text()) for source, target in HOME.items()}
    pages["examples/index.md"] = _from_examples((EXAMPLES / "README.md").read_text())
    pages["reference/commands.md"] = command_book()
    for kind in ("fleet", "assignment", "plan"):
        pages[f"reference/{kind}.md"] = document_book(kind)
    pages["reference/grpc.md"] = rpc_book(descriptors())
    pages["benchmarks.md"] = figures_book(ROOT / "benchmarks" / "results")
    for target, text in pages.items():
        files.append(File.generated(config, target, content=text))
    for path in sorted(EXAMPLES.rglob("*")):
        if path.suffix in {".yaml", ".csv", ".json", ".ipynb"}:
            target = f"examples/{path.relative_to(EXAMPLES).as_posix()}"
            files.append(File.generated(config, target, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Links that leave this folder in the checkout lead to the page's copy on the site."""
    for there, here in OUTSIDE.items():
        markdown = markdown.replace(f"]({there})", f"]({here})")
    return markdown


def _from_root(text: str) -> str:
    text = re.sub(r"\]\(docs/", "](", text)
    text = text.replace("](examples/README.md)", "](examples/index.md)").replace(
        "](benchmarks/results)", "](benchmarks.md)"
    )
    for source, target in HOME.items():
        text = text.replace(f"]({source})", f"]({target})")
    return re.sub(r"\[LICENSE\]\(LICENSE\)", "the file LICENSE", text)


def _from_examples(text: str) -> str:
    return text.replace("](../docs/", "](../")
