"""The page: `ldrps serve` shows it in a browser. What it does is plain Python; only `page` and `look` know Gradio."""
