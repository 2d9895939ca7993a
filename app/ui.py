"""The whole app: header, tabs, and how it is served."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from app import limits
from app.admission import Admission
from app.complete import tab as complete
from app.defence import tab as defence
from app.defence.pictures import Defences
from app.features import tab as features
from app.features.models import Features
from app.guard import Guard
from app.invert import tab as invert
from app.landscape import tab as landscape
from app.landscape.form import source_field
from app.optional import section
from app.playground import tab as playground
from app.pose import tab as pose
from app.refusing import edged
from app.results import tab as results
from app.runs.models import Models
from app.scratch import Room
from app.theme import THEME
from app.train import tab as train
from app.train.queue import Trainings
from app.views.glossary import glossary
from app.views.page import Page, address_view
from app.views.view import APP, ROUTE, TEMPLATES, Scripts, modules, style_sheets
from app.views.wiring import limit_lanes, share_cores
from landscape_core.storage.zoo import RESULTS

TITLE = "Loss-landscape laboratory"
TABS = [tab.NAME for tab in (invert, playground, complete, landscape, pose, features, defence, train, results)]
SEEN_FIRST = ("views/address", "views/note", "target/picker", "invert/race", "invert/many", "invert/follow", "editing/editing")
HEAD = "\n".join(
    [
        f'<script type="module" src="{ROUTE}/views/page.js"></script>',
        *(f'<link rel="modulepreload" fetchpriority="low" href="{ROUTE}/{name}.js">' for name in modules(*SEEN_FIRST)),
    ]
)
ROOT = APP.parent


def build_app(
    models: Models, defences: Defences | None = None, inverters: Features | None = None, trainings: Trainings | None = None
) -> gr.Blocks:
    """The interface on the given models, and on the defences and autoencoders in assets/ unless others are given; without
    `trainings` nothing is trained. Serve it with `demo.launch(**launch_options())`."""
    share_cores()
    with gr.Blocks(title=TITLE, fill_width=True, delete_cache=(3600, 3600), analytics_enabled=False) as demo:
        gr.HTML(TEMPLATES.get_template("views/header.html").render(glossary=glossary()), elem_id="header")
        address = address_view(TABS)
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            names = [tab.NAME for tab in (invert, complete, pose, features, defence)]
            page = Page(demo, tabs, models, source_field(names), address)
            with _tab(invert.NAME):
                page.sources[invert.NAME] = invert.build(page)
            with _tab(playground.NAME), section(playground.NAME):
                playground.build(page)
            with _tab(complete.NAME), section(complete.NAME):
                page.sources[complete.NAME] = complete.build(page)
            drawn = _tab(landscape.NAME)  # laid out last, when all runs it can draw are known
            with _tab(pose.NAME), section(pose.NAME):
                page.sources[pose.NAME] = pose.build(page, None if trainings is None else trainings.models.poses)
            with _tab(features.NAME), section(features.NAME):
                page.sources[features.NAME] = features.build(page, inverters)
            with _tab(defence.NAME), section(defence.NAME):
                page.sources[defence.NAME] = defence.build(page, defences)
            with drawn, section(landscape.NAME):
                landscape.build(page)
            with _tab(train.NAME), section(train.NAME):
                train.build(page, trainings)
            with _tab(results.NAME), section(results.NAME):
                results.build(page)

    edged(demo)
    _without_progress(demo)
    limit_lanes(demo)
    demo.queue(max_size=limits.WAITING, default_concurrency_limit=limits.RUNS_AT_ONCE)
    return demo


def _without_progress(demo: gr.Blocks) -> None:
    """Gradio's page looks up every output of all events each time that one begins or ends, to show the progress in it: seconds
    while a page opens. An event that shows none is to show it nowhere."""
    for event in demo.fns.values():
        if event.show_progress == "hidden":
            event.show_progress_on = []


def _tab(name: str) -> gr.Tab:
    tab = gr.Tab(name, id=name.lower())
    tab.select(None, js=f"() => window.dispatchEvent(new CustomEvent('lab-tab', {{detail: '{name.lower()}'}}))")
    return tab


def launch_options(*, host: str = "127.0.0.1", port: int | None = None, names: Sequence[str] = ()) -> dict[str, Any]:
    """Arguments of `launch`: local by default, nothing shared, no server path readable, our look and scripts. `names` are host
    names by which the server may be called."""
    return {
        "server_name": host,
        "server_port": port,
        "_frontend": False,  # Gradio would give up where the first page takes three seconds, as on a busy machine
        "share": False,
        "blocked_paths": [str(ROOT)],
        "max_file_size": limits.UPLOAD_FILE,
        "state_session_capacity": limits.PAGES,
        "enable_monitoring": False,
        "strict_cors": True,
        "ssr_mode": False,
        "run_history": False,
        "footer_links": [],
        "theme": THEME,
        "css_paths": style_sheets(),
        "head": HEAD,
        "app_kwargs": {"routes": _routes(), "middleware": _middleware(names), "docs_url": None, "redoc_url": None},
    }


def _middleware(names: Sequence[str]) -> list[Middleware]:
    """In the order that a request passes them."""
    return [
        Middleware(Guard, names=names),
        Middleware(GZipMiddleware, compresslevel=4),
        Middleware(Room),
        Middleware(Admission),
    ]


def _routes() -> list[Any]:
    """Our scripts and plotly.js under one relative address, so that no file route of Gradio has to be opened."""
    plotly = str(files("plotly") / "package_data" / "plotly.min.js")

    async def plotly_js(request: Request) -> FileResponse:
        return FileResponse(plotly, media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})

    return [
        Route(f"/{ROUTE}/plotly.min.js", plotly_js),
        Mount(f"/{ROUTE}", Scripts()),
        Mount(f"/{results.ADDRESS}", StaticFiles(directory=RESULTS)),
    ]
