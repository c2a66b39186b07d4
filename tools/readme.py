"""Write README.md from nbs/index.ipynb: prose, code and text outputs, without Quarto. Run from the project's root."""
import json, re
from configparser import ConfigParser
from pathlib import Path

SKIP = re.compile(r"^#\|\s*(hide|export|default_exp)", re.M)


def text(x): return x if isinstance(x, str) else "".join(x)


def blocks(cells):
    for cell in cells:
        source = text(cell["source"])
        if cell["cell_type"] == "markdown": yield links(source)
        elif cell["cell_type"] == "code" and not SKIP.search(source):
            yield "```python\n" + "\n".join(l for l in source.splitlines() if not l.startswith("#|")) + "\n```"
            for out in cell["outputs"]:
                shown = text(out.get("text", "")) or text(out.get("data", {}).get("text/plain", ""))
                if shown: yield "\n".join("    " + line for line in shown.rstrip("\n").splitlines())


def links(source):
    "Pictures and chapters lie in nbs/, seen from the README, $GIT_URL is the repository's address and $SITE_URL the site's"
    config = ConfigParser(delimiters=["="])
    config.read("settings.ini", encoding="utf-8")
    settings = config["DEFAULT"]
    source = source.replace("$GIT_URL", settings["git_url"]).replace("$SITE_URL", settings["doc_host"] + settings["doc_baseurl"])
    source = re.sub(r"\]\((?!https?:|#|nbs/)([^)]+)\)", r"](nbs/\1)", source)
    return re.sub(r"(\]\([^)]+\))\{[^}]*\}", r"\1", source)


def main():
    cells = json.loads(Path("nbs/index.ipynb").read_text(encoding="utf-8"))["cells"]
    head = "<!-- Made from nbs/index.ipynb by tools/readme.py; edit the notebook. -->\n\n"
    Path("README.md").write_text(head + "\n\n".join(b.strip("\n") for b in blocks(cells)) + "\n", encoding="utf-8")


if __name__ == "__main__": main()
