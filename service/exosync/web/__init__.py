"""The page and the JSON API: they show what the state knows, ask nobody, and change nothing.

FastAPI and uvicorn take most of a second to load, so `serve` alone imports this package.
"""
