"""A run's report as text, Markdown and HTML. All three read the same JSON object."""
