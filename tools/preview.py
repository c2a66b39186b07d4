"""A plain preview of the site by pandoc, where Quarto is not to be had: the same processed pages, order and links, to read.

usage: preview.py PAGES FOLDER      (PAGES from pages.py; FOLDER is made anew)
"""
import base64, html, json, re, shutil, sys
from pathlib import Path

import pypandoc, yaml

NOTE = "This is the plain preview of the course. With <a href='https://quarto.org'>Quarto</a> on the PATH, <code>make course</code> builds the site, which can be searched."
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>{title}{site}</title><meta name="description" content="{description}">
<link rel="icon" href="images/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="styles.css"><link rel="stylesheet" href="preview.css">
<script>if (matchMedia("(prefers-reduced-motion: no-preference)").matches)
addEventListener("DOMContentLoaded", () => document.querySelectorAll(".film").forEach(film => film.open = true))</script>
</head>
<body>
<a class="skip" href="#the-text">Skip to the text</a>
<header><a href="index.html">wd_lab</a><details class="menu"><summary>Chapters</summary><nav aria-label="Chapters">{menu}</nav></details></header>
<main id="the-text">
<h1>{title}</h1>
{lead}{toc}
{body}
<nav class="turn" aria-label="Previous and next chapter">{before}{after}</nav>
</main>
<footer><p>{note}</p></footer>
</body>
</html>
"""
CODE = r"<code>\1</code>"


def front(text):
    "The settings at the head of a page"
    match = re.match(r"\s*---\n(.*?)\n---", text, re.S)
    return yaml.safe_load(match[1]) if match else {}


def listed(contents):
    "Files of the sidebar in order, with the part that each is in"
    for entry in contents:
        if isinstance(entry, str): yield "", entry
        else: yield from ((entry["section"], file) for file in entry["contents"])


def film(match):
    "A GIF that plays on a click and rests on its last frame, as film.lua has it"
    alt = html.escape(match[3] or match[1])
    return (f'<details class="film"><summary><span class="play">▶ play</span><span class="pause">■ stop</span>'
            f'<img class="still" src="{match[2]}.png" alt="{alt} (last frame)"></summary><img src="{match[2]}.gif" loading="lazy" alt="{alt}"></details>')


def raw(text): return f"\n\n`````{{=html}}\n{text}\n`````\n\n"


def picture(cell, data, kind, alt, folder, stem):
    number = len(list(folder.glob(f"{stem}-*"))) + 1
    file = folder/f"{stem}-{number}.{kind.split('/')[1].split('+')[0]}"
    content = "".join(data[kind])
    file.write_bytes(content.encode() if kind.endswith("xml") else base64.b64decode(content))
    return raw(f'<p><img src="{folder.name}/{file.name}" loading="lazy" alt="{html.escape(alt)}"></p>')


def outputs(cell, alt, folder, stem):
    for out in cell["outputs"]:
        data = out.get("data", {})
        kind = next((k for k in ("image/svg+xml", "image/png", "image/jpeg") if k in data), None)
        if kind: yield picture(cell, data, kind, alt, folder, stem)
        elif "text/html" in data:
            shown = "".join(data["text/html"])
            light = " light" if "background" in shown else ""
            yield raw(f'<div class="cell-output-display{light}">{shown}</div>')   # its colours were chosen for white
        else:
            text = "".join(out.get("text", "") or data.get("text/plain", "") or out.get("traceback", ""))
            if text.strip(): yield raw(f'<div class="cell-output"><pre tabindex="0">{html.escape(text)}</pre></div>')


def code(cell, folder, stem):
    "A code cell and its outputs, with the cell's own options"
    lines = "".join(cell["source"]).split("\n")
    try: options = yaml.safe_load("\n".join(l[3:] for l in lines if l.startswith("#| "))) or {}
    except yaml.YAMLError: options = {}          # its picture then has no text, which tests/test_site.py finds
    source = "\n".join(l for l in lines if not l.startswith("#|")).strip("\n")
    def word(name): return str(options.get(name, "")).strip()
    shown = f"\n\n`````python\n{source}\n`````\n\n" if source and word("echo") != "False" else ""
    if shown and word("code-fold") == "True":
        shown = raw(f"<details class='fold'><summary>{html.escape(word('code-summary') or 'Code')}</summary>") + shown + raw("</details>")
    return shown + "".join(outputs(cell, word("fig-alt"), folder, stem))


def markdown(path, folder):
    "A page as one text for pandoc, with its settings"
    if path.suffix == ".qmd":
        text = path.read_text(encoding="utf-8")
        return front(text), re.sub(r"^---\n.*?\n---\n", "", text, count=1, flags=re.S)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    settings = next((front("".join(c["source"])) for c in cells if c["cell_type"] == "raw"), {})
    parts = [code(c, folder, path.stem) if c["cell_type"] == "code" else "".join(c["source"]) for c in cells if c["cell_type"] != "raw"]
    text = "\n\n".join(parts)
    return settings, re.sub(r"!\[([^\]]*)\]\(([^)\s]+)\.gif\)(?:\{fig-alt=\"([^\"]*)\"\})?", lambda m: raw(film(m)), text)


def finish(body, pages, settings):
    "Links between chapters, addresses from settings.ini, and scrolling by keyboard"
    body = body.replace("$GIT_URL", settings["repo-url"]).replace("$SITE_URL", settings["site-url"])
    body = re.sub(r'href="([^":#]+\.(?:ipynb|qmd))(#[^"]*)?"', lambda m: f'href="{pages.get(m[1], m[1])}{m[2] or ""}"', body)
    body = re.sub(r"<pre(?! tabindex)", '<pre tabindex="0"', body)
    body = body.replace('<math display="block"', '<math tabindex="0" display="block"')
    return re.sub(r"<table.*?</table>", lambda m: f'<div class="wide" tabindex="0" role="group" aria-label="Table">{m[0]}</div>', body, flags=re.S)


def render(text, head, source):
    template = "$if(toc)$<details class='toc'><summary>On this page</summary>$toc$</details>$endif$<!--cut-->$body$"
    file = Path(sys.argv[2])/"template.html"
    file.write_text(template, encoding="utf-8")
    extra = ["--mathml", f"--template={file}", "--wrap=none"] + (["--toc", "--toc-depth=2"] if head.get("toc", True) else [])
    if "::: {#refs}" in text:
        extra += ["--citeproc", f"--bibliography={source/'references.bib'}", f"--csl={source/'numbers.csl'}", "-Mlink-citations=true"]
        if "nocite" in head: text = f"---\nnocite: '{head['nocite'].strip()}'\n---\n\n{text}"
    return pypandoc.convert_text(text, "html5", "markdown-tex_math_single_backslash", extra_args=extra).split("<!--cut-->")


def main(source, site):
    source, site = Path(source), Path(site)
    shutil.rmtree(site, ignore_errors=True)
    (site/"pictures").mkdir(parents=True)
    for name in ("images", "explorer", "sweep"):
        if (source/name).is_dir(): shutil.copytree(source/name, site/name)
    for name in ("styles.css", "references.bib"): shutil.copy(source/name, site)
    shutil.copy(Path(__file__).with_name("preview.css"), site)
    settings = yaml.safe_load((source/"nbdev.yml").read_text(encoding="utf-8"))["website"]
    order = list(listed(yaml.safe_load((source/"sidebar.yml").read_text(encoding="utf-8"))["website"]["sidebar"]["contents"]))
    texts = {file: markdown(source/file, site/"pictures") for _, file in order}
    pages = {file: head.get("output-file", Path(file).stem + ".html") for file, (head, _) in texts.items()}
    title = {file: head.get("title", "wd_lab") for file, (head, _) in texts.items()}
    for i, (part, file) in enumerate(order):
        head, text = texts[file]
        toc, body = render(text, head, source)
        link = lambda k, word: f'<a href="{pages[order[k][1]]}">{word}{html.escape(title[order[k][1]])}</a>' if 0 <= k < len(order) else ""
        menu, last = "", ""
        for section, other in order:
            if section != last: menu += f"<p>{html.escape(section)}</p>"
            here = " aria-current=page" if other == file else ""
            menu += f'<a href="{pages[other]}"{here}>{html.escape(title[other])}</a>'
            last = section
        said = html.escape(" ".join(head.get("description", "").split()))
        lead = f'<p class="lead">{re.sub("`(.+?)`", CODE, said)}</p>' if said else ""
        page = PAGE.format(title=html.escape(title[file]), site="" if title[file] == settings["title"] else " · wd_lab", description=said.replace("`", ""),
                           menu=menu, lead=lead, toc=toc, body=finish(body, pages, settings), before=link(i - 1, "← "), after=link(i + 1, "→ "), note=NOTE)
        (site/pages[file]).write_text(page, encoding="utf-8")
    (site/"template.html").unlink()
    print(f"{len(order)} pages of the preview are in {site}")


if __name__ == "__main__": main(*sys.argv[1:])
