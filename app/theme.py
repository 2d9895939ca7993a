"""Colours and type of the stock components; the rest is in the style sheets beside the views, on the same variables."""

from __future__ import annotations

import gradio as gr

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Liberation Sans", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace")
INK = gr.themes.Color(
    "#f8f7f4", "#efede8", "#e2dfd8", "#cbc7be", "#a19d94", "#77746c", "#57554f", "#403f3a", "#2a2a28", "#1d1e1f", "#131415"
)
BLUE = gr.themes.Color(
    "#edf4fa", "#d8e7f4", "#b3d0e9", "#85b4db", "#5695c9", "#2f77b0", "#1f6199", "#1a4f7d", "#184062", "#15324c", "#0f2335"
)

THEME = gr.themes.Base(
    primary_hue=BLUE,
    secondary_hue=BLUE,
    neutral_hue=INK,
    font=SANS,
    font_mono=MONO,
    text_size="md",
    radius_size="sm",
    spacing_size="sm",
)
