"""What every run's zip holds."""

FILES = {
    "README.md", "run.json", "repeat.py", "measures.csv", "loss.svg", "sheet.png", "run.gif", "run.mp4", "latents.safetensors",
}  # fmt: skip
