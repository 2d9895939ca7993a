"""The Gradio interface: one file per tab, one per reusable view, no maths."""
