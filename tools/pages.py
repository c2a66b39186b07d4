"""Process the notebooks into the site's pages, as nbdev does but without running them: what Quarto or the preview then builds.

usage: pages.py FOLDER      (needs nbs/, wd_lab/ and settings.ini in the current folder; FOLDER is made anew)
"""
import base64, importlib, inspect, io, json, re, shutil, sys
from pathlib import Path

import lesson, yaml
from execnb.nbio import mk_cell, read_nb, write_nb
from fastcore.docments import docments
from nbdev.config import get_config
from nbdev.process import Processor
from nbdev.processors import FilterDefaults
from nbdev.quarto import refresh_quarto_yml
from PIL import Image

COPIED = "*.qmd", "*.yml", "*.lua", "*.css", "*.scss", "*.bib", "*.csl", "images/*", "explorer/*", "sweep/*"

EXPLORER = '''```{=html}
<link rel="stylesheet" href="explorer/explorer.css">
<script type="module" src="explorer/explorer.js"></script>
```'''


def anchors():
    "Chapter's page and anchor of each name of the library, from nbdev's own index"
    index = importlib.import_module("wd_lab._modidx").d["syms"]
    return {name: where.split("/")[-1] for module in index.values() for name, (where, _) in module.items()}


def text_of(annotation):
    if annotation is inspect.Parameter.empty: return ""
    return annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else str(annotation).replace("typing.", "")


def in_a_row(text):
    "Text for a row of a pipe table: bars stay in code alone"
    return re.sub(r"(`[^`]*`)|\|", lambda match: match[1] or ", ", text)


def arguments(obj):
    "A row for each argument that is commented in the source: name, type, default, meaning"
    try: notes = docments(obj, full=True, returns=False)
    except (ValueError, TypeError, AttributeError): return
    for name, note in notes.items():
        if name in ("self", "cls") or not (note.docment or "").strip(): continue
        default = "" if note.default is inspect.Parameter.empty else f"`{note.default!r}`"
        if len(default) > 40: default = ""
        kind = text_of(note.anno)
        yield f"| `{name}` | {f'`{kind}`' if kind else ''} | {default} | {in_a_row(note.docment.strip())} |"


def broken(call):
    "A long call with each argument in a line of its own"
    depth, lines, inside = 0, [""], call[1:call.rindex(")")]
    for sign in inside:
        depth += (sign in "([{") - (sign in ")]}")
        lines[-1] += sign
        if sign == "," and not depth: lines.append("")
    lines = [re.sub(r"\(.*\)", "(...)", line) if len(line) > 85 else line for line in map(str.strip, lines)]
    return "(\n" + "\n".join(f"    {line}" for line in lines) + "\n" + call[call.rindex(")"):]


def documentation(obj, title, anchor):
    "Heading, call, docstring and arguments of a name whose source the page does not show"
    if isinstance(obj, property): return f"#### {title.replace('_', chr(92) + '_')} {{#{anchor} .unlisted}}\n\n{inspect.getdoc(obj)}"
    try: call = re.sub(r"<[^>]* object at 0x\w+>", "...", str(inspect.signature(obj)))
    except (TypeError, ValueError): call = ""
    call = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z])", "", call)                       # Callable, not collections.abc.Callable
    if len(title + call) > 90: call = broken(call)
    rows = list(arguments(obj))
    table = ["", "::: {.arguments}", "| argument | type | default | meaning |", "|-----|-----|---|------------|", *rows, ":::"] if rows else []
    return "\n".join([f"#### {title.replace('_', chr(92) + '_')} {{#{anchor} .unlisted}}", "", f"```python\n{title}{call}\n```", "",
                      inspect.getdoc(obj) or "", *table])


class Documented(Processor):
    "An anchor before each function that the page shows, and the documentation of each that it doesn't"
    def begin(self):
        where, module, linked = anchors(), None, set()
        for cell in self.nb.cells:
            if "default_exp" in cell.directives_: module = f"wd_lab.{cell.directives_['default_exp'][0]}"
        for cell in reversed(list(self.nb.cells)):
            if cell.cell_type == "code" and "reproduced(" in cell.source:                                   # a row's cell can be linked
                said = "".join("".join(out.get("text", "")) for out in cell.get("outputs", []))
                rows = [row for row in dict.fromkeys(re.findall(r"^([A-Z]\d\d) ", said, flags=re.M)) if row not in linked]
                linked |= set(rows)
                self.nb.cells.insert(self.nb.cells.index(cell), mk_cell("".join(f"[]{{#{row}}}" for row in rows), cell_type="markdown"))
            kind = {"export", "exports", "exporti"} & cell.directives_.keys()
            if cell.cell_type != "code" or not kind or module is None: continue
            names = re.findall(r"^(?:def|class) (\w+)", cell.source, flags=re.M)
            for name in reversed(names):
                owner = re.search(rf"def {name}\((?:self|cls):\s*\(?\"?(\w+)", cell.source)
                path = f"{owner[1]}.{name}" if owner else name
                anchor = where.get(f"{module}.{path}", "#").split("#")[1]
                obj = importlib.import_module(module)
                try:
                    for part in path.split("."): obj = getattr(obj, part)
                except AttributeError: continue
                if not anchor or ("exports" not in kind and (path[0] == "_" or not inspect.getdoc(obj))): continue
                inside = [a.split("#")[1] for n, a in where.items() if n.startswith(f"{module}.{path}.") and f"    def {n.split('.')[-1]}(" in cell.source]
                shown = f"[]{{#{anchor}}}" if "exports" in kind else documentation(obj, path, anchor)
                shown += "".join(f"\n[]{{#{a}}}" for a in inside)
                self.nb.cells.insert(self.nb.cells.index(cell) + ("exports" not in kind), mk_cell(shown, cell_type="markdown"))


HEADING = re.compile(r"^#{1,6} +(.*?)(?: *\{#([\w.-]+)[^}]*\})?$", re.M)

def own_anchors(nb):
    "No id twice on a page: an anchor goes where a heading or an earlier one has its id; a captioned table's is its frame's alone"
    texts = [cell for cell in nb.cells if cell.cell_type == "markdown"]
    taken = {given or re.sub(r"^[^a-z]+|[^\w\s.-]", "", said.lower()).strip().replace(" ", "-")
             for cell in texts for said, given in HEADING.findall(re.sub(r"^```.*?^```", "", cell.source, flags=re.M | re.S))}
    def once(match):
        new = match[1] not in taken
        taken.add(match[1])
        return match[0] if new else ""
    for cell in texts: cell.source = re.sub(r"\[\]\{#([\w.-]+)\}", once, cell.source)
    for cell in nb.cells:
        for out in cell.get("outputs", []):
            if "<caption" in (whole := "".join(out.get("data", {}).get("text/html", ""))):
                out["data"]["text/html"] = re.sub(r'<table id="(\w+)">(.*?)</table>', r'<div id="\1"><table>\2</table></div>', whole, flags=re.S)


class Pages(FilterDefaults):
    "nbdev's processors; in place of those that run cells, our own"
    def base_procs(self):
        left_out = {"add_fold", "add_show_docs", "exec_show_docs", "clean_show_doc", "mv_exports"}
        procs = [p for p in super().base_procs() if p.__name__ not in left_out]
        return procs[:2] + [Documented] + procs[2:]


def lighter(nb):
    "Pictures of more than 15 kB with 128 colours, which plots do not miss"
    for cell in nb.cells:
        for out in cell.get("outputs", []):
            whole = "".join(out.get("data", {}).get("image/png", ""))
            if len(whole) < 20_000: continue
            picture = Image.open(io.BytesIO(base64.b64decode(whole))).convert("RGB")
            picture.quantize(128, dither=Image.Dither.NONE).save(small := io.BytesIO(), "png", optimize=True)
            if len(small.getvalue()) < 0.6*len(whole): out["data"]["image/png"] = base64.b64encode(small.getvalue()).decode()


def unbroken(nb):
    "Numbers and short words of a table stay on one line: browsers break 2e-07 after its hyphen"
    for cell in nb.cells:
        for out in cell.get("outputs", []):
            if whole := out.get("data", {}).get("text/html"):
                out["data"]["text/html"] = re.sub(r"<(t[dh])( [^>]*)?>([^<>]{1,10})</", r'<\1\2 style="white-space: nowrap">\3</', "".join(whole))


def light(colour): return sum(w*((v/255 + 0.055)/1.055)**2.4 for w, v in zip((0.2126, 0.7152, 0.0722), bytes.fromhex(colour)))


def readable(nb):
    "Black or white on the coloured cells of a table, whichever stands out (pandas has light grey on middle blues); none on empty ones"
    def better(match):
        if match[2] == "000000": return "color: inherit"                                     # pandas' colour of an empty cell
        return f"{match[1]}{match[2]}{match[3]}{'#000000' if light(match[2]) > 0.179 else '#ffffff'}"
    for cell in nb.cells:
        for out in cell.get("outputs", []):
            if whole := out.get("data", {}).get("text/html"):
                out["data"]["text/html"] = re.sub(r"(background-color: #)(\w{6})(;\s+color: )#\w{6}", better, "".join(whole))


def meaning(module, name):
    "First sentence of a name's docstring; of a constant the comment in its line, and its value where that is short"
    value = module
    for part in name.split("."): value = getattr(value, part)
    if callable(value) or isinstance(value, property): return re.split(r"(?<=[\w)`])\. (?=[A-Z`])", " ".join((inspect.getdoc(value) or "").split()))[0]
    comment = re.search(rf"^{name} = [^#\n]*(?:# *(.*))?$", inspect.getsource(module), re.M)
    said, short = (comment and comment[1]) or "", f"`{value!r}`" if len(repr(value)) < 60 else "`" + ", ".join(map(str, value)) + "`"
    return f"{said}: {short}" if said else short


def public_names(module, where):
    "What the module lists, and the documented methods that its chapter shows"
    listed = getattr(module, "__all__", [])
    inside = [name.removeprefix(f"{module.__name__}.") for name in where if name.startswith(f"{module.__name__}.")]
    methods = [name for name in inside if name.count(".") == 1 and name.split(".")[0] in listed and "._" not in name]
    return sorted(listed) + sorted(name for name in methods if meaning(module, name))


def reference(pages):
    "The page of all public names, from the modules' own lists"
    lines = ["---", "title: All names", "description: Every public name of the library, with what it does and the chapter that builds it.", "toc: false",
             "output-file: reference.html", "---", "", "::: {.names}", "", "| name | what it does | module |", "|-----------|--------------------|--------|"]
    where = anchors()
    for file in sorted(Path("wd_lab").glob("[a-z]*.py")):
        module = importlib.import_module(f"wd_lab.{file.stem}")
        page = next(target.split("#")[0] for name, target in where.items() if name.startswith(f"wd_lab.{file.stem}."))
        for name in public_names(module, where):
            target = where.get(f"wd_lab.{file.stem}.{name}", page)
            lines.append(f"| [`{name}`]({target}) | {in_a_row(meaning(module, name))} | `wd_lab.{file.stem}` |")
    (pages/"reference.qmd").write_text("\n".join(lines) + "\n\n:::\n", encoding="utf-8")


def course_map(nb, took):
    "Minutes in the tables of chapters, and their sum at the head of each part"
    for cell in nb.cells:
        if cell.cell_type != "markdown": continue
        parts = re.split(r"^(?=### )", cell.source, flags=re.M)
        for i, part in enumerate(parts):
            rows = re.findall(r"^\|.*\]\((\w+\.ipynb)\) \|", part, flags=re.M)
            if not rows: continue
            part = re.sub(r"^(\|.*\]\((\w+\.ipynb)\)) \|", lambda m: f"{m[1]}, {lesson.told(*took[m[2]])} |", part, flags=re.M)
            read, run = (sum(took[row][k] or 0 for row in rows) for k in (0, 1))
            more = "" if all(took[row][1] for row in rows) else "more than "                        # a chapter's run was not timed
            parts[i] = re.sub(r"^### .*", lambda m: f"{m[0]}\n\n{lesson.told(read, run, more=more)}", part, count=1)
        cell.source = "".join(parts)


def main(pages):
    pages = Path(pages).resolve()
    shutil.rmtree(pages, ignore_errors=True)
    refresh_quarto_yml()
    settings = get_config()
    site = settings["doc_host"] + settings["doc_baseurl"] + "/"
    timed, needs = Path("nbs/seconds.json"), yaml.safe_load(Path("nbs/chapters.yml").read_text(encoding="utf-8"))
    seconds = json.loads(timed.read_text(encoding="utf-8")) if timed.exists() else {}
    known = lesson.papers("nbs/references.bib")
    for pattern in COPIED:
        for file in Path("nbs").glob(pattern):
            target = pages/file.relative_to("nbs")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    took = {}
    for path in sorted(Path("nbs").glob("*.ipynb"), key=lambda p: p.name == "index.ipynb"):           # it tells of all the others
        nb = read_nb(path)
        Pages()(nb)
        for cell in nb.cells:                                                 # links to our own pages need no host
            if cell.cell_type != "markdown": continue
            cell.source = cell.source.replace(f"]({site}", "](").replace("]($SITE_URL)", "](index.html)").replace("]($SITE_URL/", "](")
            cell.source = cell.source.replace("$GIT_URL", settings["git_url"]).replace("$SITE_URL", site.rstrip("/"))
            cell.source = re.sub(r"(<summary>\d+)\. ", r"\1\\. ", cell.source)                 # a question's number, no list of one
        took[path.name] = lesson.minutes(nb, seconds.get(path.name))
        if path.name == "index.ipynb": course_map(nb, took)
        lesson.reproduced_first(nb)
        lesson.head(nb, path.name, settings["git_url"], took[path.name], needs.get(path.stem))
        lesson.cited(nb, known)
        if any(".explorer " in c.source for c in nb.cells if c.cell_type == "markdown"): nb.cells.append(mk_cell(EXPLORER, cell_type="markdown"))
        lighter(nb)
        readable(nb)
        unbroken(nb)
        own_anchors(nb)
        write_nb(nb, pages/path.name)
    reference(pages)


if __name__ == "__main__":
    sys.path.insert(0, ".")
    main(sys.argv[1])
