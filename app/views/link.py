"""How a tab opens the Landscape tab on its own run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr


@dataclass(frozen=True)
class LandscapeLink:
    """Opens the Landscape tab from another one, with that tab's run chosen."""

    tabs: gr.Tabs
    source: gr.Dropdown

    @property
    def outputs(self) -> list[Any]:
        """The outputs of an event that returns `opened(name)`."""
        return [self.tabs, self.source]

    def opened(self, name: str) -> list[Any]:
        return [gr.Tabs(selected="landscape"), gr.update(value=name)]
