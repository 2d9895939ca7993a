"""What the wheel holds: the library, and below its name the app, the embedded models, the results and the words."""

from setuptools import find_packages, setup

APP = find_packages(include=["app", "app.*"])

setup(
    packages=[
        *find_packages(include=["landscape_core", "landscape_core.*"]),
        *(f"landscape_core.{name}" for name in APP),
        "landscape_core.assets",
        "landscape_core.results",
        "landscape_core.docs",
    ],
    package_dir={
        **{f"landscape_core.{name}": name.replace(".", "/") for name in APP},
        "landscape_core.assets": "assets",
        "landscape_core.results": "results",
        "landscape_core.docs": "docs",
    },
    package_data={
        "": ["py.typed", "*.js", "*.css", "*.html", "*.jinja"],
        "landscape_core.assets": ["**/*.json", "**/*.safetensors", "examples/*"],
        "landscape_core.results": ["*.json", "*.png"],
        "landscape_core.docs": ["words.md"],  # the app's explanations are read from there
    },
)
