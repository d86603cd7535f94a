"""What MkDocs adds to the pages of docs: the README as the first one, functions by package, files that pages link to.

On GitHub the pages lead to files of the project beside them (../config/cases/edge_T4.yaml). A site holds copies of
those under repository/, so that it opens without a network.
"""

import ast
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
COPIES = "repository"
PACKAGES = (
    "crystal",
    "elasticity",
    "evaluate",
    "preflight",
    "training",
    "operators",
    "mismatch",
    "coupling",
    "estimate",
    "refine",
    "analysis",
    "figures",
    "models",
    "plan",
    "export",
    "storage",
    "adaptive",
)
"""Those whose functions have a page: what a case computes, in the order in which it does."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Pages of the packages in the navigation."""
    reference = next(part["Reference"] for part in config.nav or [] if "Reference" in part)
    reference += [{f"qmfront.{package}": f"functions/{package}.md"} for package in PACKAGES]
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """The first page, pages of the packages, and copies of what pages link to outside docs."""
    pages = {"index.md": _from_root((ROOT / "README.md").read_text(encoding="utf-8"))}
    pages |= {f"functions/{package}.md": _functions(package) for package in PACKAGES}
    for page, text in pages.items():
        files.append(File.generated(config, page, content=text))
    texts = {page: (ROOT / "docs", text) for page, text in pages.items()}
    texts |= {file.src_uri: _source(file) for file in files.documentation_pages() if file.abs_src_path}
    copied: set[Path] = set()
    waiting = [target for page, (folder, text) in texts.items() for target in _outside(folder, text)]
    while waiting:
        target = waiting.pop()
        if target in copied or not target.is_file():
            continue
        copied.add(target)
        name = f"{COPIES}/{target.relative_to(ROOT).as_posix()}"
        if target.suffix == ".md":
            text = target.read_text(encoding="utf-8")
            files.append(File.generated(config, name, content=_moved(text, target.parent, f"{COPIES}/x")))
            waiting += _outside(target.parent, text)
        else:
            files.append(File.generated(config, name, content=target.read_bytes()))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Links out of docs lead to the copies, and the picture of the layers is a list: its script needs a network."""
    if page.file.abs_src_path is None:
        return markdown
    markdown = re.sub(r"```mermaid\n(.*?)```", lambda picture: _listed(picture[1]), markdown, flags=re.DOTALL)
    return _moved(markdown, Path(page.file.abs_src_path).parent, page.file.src_uri)


def _listed(picture: str) -> str:
    """The boxes of a flow chart from top to bottom."""
    labels = re.findall(r'\["(.*?)"\]', picture)
    return "\n".join(f"{number}. {label.replace('<br/>', ', ')}" for number, label in enumerate(labels, 1))


def _source(file: File) -> tuple[Path, str]:
    path = Path(str(file.abs_src_path))
    return path.parent, path.read_text(encoding="utf-8")


def _outside(folder: Path, text: str) -> list[Path]:
    """Files of the project outside docs that a text links to."""
    targets = [(folder / link[1]).resolve() for link in LINK.findall(text) if "://" not in link[1]]
    return [path for path in targets if path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "docs")]


def _moved(text: str, folder: Path, page: str) -> str:
    """Links of a page, relative to the folder of its source, as they are in the site."""
    up = "../" * page.count("/")

    def lead(match: re.Match[str]) -> str:
        target = (folder / match[2]).resolve()
        if "://" in match[2] or not target.is_relative_to(ROOT):
            return match[0]
        if target == ROOT / "README.md":
            return f"{match[1]}{up}index.md{match[3]}"
        if target.is_relative_to(ROOT / "docs"):
            return f"{match[1]}{up}{target.relative_to(ROOT / 'docs').as_posix()}{match[3]}"
        return f"{match[1]}{up}{COPIES}/{target.relative_to(ROOT).as_posix()}{match[3]}"

    return LINK.sub(lead, text)


def _from_root(text: str) -> str:
    return _moved(text, ROOT, "index.md")


def _functions(package: str) -> str:
    """A page with the public names of a package, file by file."""
    folder = ROOT / "qmfront" / package
    parts = [
        f"# qmfront.{package}\n",
        ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or "",
    ]
    for path in sorted(folder.rglob("*.py")):
        if path.name != "__init__.py":
            parts.append(f"::: {'.'.join(path.relative_to(ROOT).with_suffix('').parts)}\n")
    return "\n\n".join(parts)
