"Everything comes from settings.ini, the one place for it."
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup

here = Path(__file__).parent
config = ConfigParser(delimiters=["="])
config.read(here/"settings.ini", encoding="utf-8")
cfg = config["DEFAULT"]

setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    long_description=(here/"README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author=cfg["author"],
    author_email=cfg["author_email"],
    url=cfg["git_url"],
    keywords=cfg["keywords"],
    license="Apache-2.0",
    packages=[*find_packages(include=["wd_lab", "wd_lab.*"]), "wd_lab.runs", "wd_lab.runs.ledger"],
    package_dir={"wd_lab.runs": "nbs/runs", "wd_lab.runs.ledger": "nbs/runs/ledger"},  # the recorded runs travel along, for a notebook opened alone
    package_data={"wd_lab": ["*.csv", "*.mplstyle", "py.typed"], "wd_lab.runs": ["*.json"], "wd_lab.runs.ledger": ["*.json"]},
    python_requires=f">={cfg['min_python']}",
    install_requires=cfg["requirements"].split(),
    extras_require={name: cfg[f"{name}_requirements"].split() for name in ("dask", "dev")},
    entry_points={"console_scripts": cfg["console_scripts"].split(), "nbdev": ["wd_lab=wd_lab._modidx:d"]},
    classifiers=["Development Status :: 3 - Alpha", "Intended Audience :: Developers", "Intended Audience :: Education",
                 "Topic :: Scientific/Engineering :: Artificial Intelligence"]
                + [f"Programming Language :: Python :: 3.{minor}" for minor in range(11, 14)],
    zip_safe=False,
)
