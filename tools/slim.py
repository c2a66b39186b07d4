"""Leave out of a built site's style sheets what none of its pages and scripts name: Bootstrap's two themes weigh a megabyte.
Then leave out of the icons' font what the style sheets don't name, and of the pages an empty link before each line of code.

usage: slim.py FOLDER      (after Quarto has rendered; in place)
"""
import logging, re, sys
from pathlib import Path

from fontTools import subset     # comes with matplotlib

CLASS = re.compile(r"\.(-?[A-Za-z_](?:[\w-]|\\.)*)")


def words_of(site):
    "Every word of the pages and scripts, and the beginnings from which a script may make a class"
    pages, scripts = ("".join(f.read_text(encoding="utf-8", errors="ignore") for f in site.rglob(pattern)) for pattern in ("*.html", "*.js"))
    words = set(re.findall(r"[\w-]+", pages + scripts))
    return words, tuple(word for word in set(re.findall(r"[\w-]+-(?=[\"'`$])", scripts)) if len(word) > 3)


def used(selector, words, begun):
    "A rule matters if all classes in its selector are words of the site; what stands in :not() may be missing"
    named = CLASS.findall(re.sub(r":(?:not|is|where)\((?:[^()]|\([^()]*\))*\)", "", selector))
    return all((name := escaped.split("\\")[0]) in words or name.startswith(begun) for escaped in named)


def blocks(css):
    "Pairs of what stands before a brace and within it; None within where there is no brace"
    at = 0
    while at < len(css):
        brace, end = css.find("{", at), css.find(";", at)
        if brace < 0 or 0 <= end < brace:
            stop = end + 1 if end >= 0 else len(css)
            yield css[at:stop], None
        else:
            depth, stop = 1, brace + 1
            while depth: depth, stop = depth + {"{": 1, "}": -1}.get(css[stop], 0), stop + 1
            yield css[at:brace], css[brace + 1:stop - 1]
        at = stop


def slimmed(css, words, begun):
    kept = []
    for before, within in blocks(css):
        name = before.strip()
        if within is None: kept.append(before)
        elif name.startswith(("@media", "@supports", "@layer", "@container")):
            if inner := slimmed(within, words, begun): kept.append(f"{name}{{{inner}}}")
        elif name.startswith("@"): kept.append(f"{name}{{{within}}}")
        else:
            selectors = [s for s in re.split(r",(?![^()]*\))", name) if used(s, words, begun)]
            if selectors: kept.append(f"{','.join(selectors)}{{{within}}}")
    return "".join(kept)


def slim_font(file, css):
    "The font with the signs of `css` alone"
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    options = subset.Options(flavor="woff")
    font, part = subset.load_font(file, options), subset.Subsetter(options)
    part.populate(unicodes=[int(code, 16) for code in re.findall(r'content: ?"\\(\w+)"', css)])
    part.subset(font)
    subset.save_font(font, file, options)


def main(site):
    site, before, after = Path(site), 0, 0
    words, begun = words_of(site)
    for file in site.glob("site_libs/bootstrap/*.css"):
        css = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.S)
        before += file.stat().st_size
        file.write_text(slimmed(css, words, begun), encoding="utf-8")
        after += file.stat().st_size
        if (font := file.with_suffix(".woff")).exists(): slim_font(font, file.read_text(encoding="utf-8"))
    for page in site.glob("*.html"):
        html = page.read_text(encoding="utf-8")
        page.write_text(re.sub(r'<a href="#cb[\d-]+" aria-hidden="true" tabindex="-1"></a>', "", html), encoding="utf-8")
    print(f"Style sheets: {before/1e3:.0f} kB, of which the pages use {after/1e3:.0f} kB")


if __name__ == "__main__": main(sys.argv[1])
