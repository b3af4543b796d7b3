"""sitegen: static sites of self-contained machine learning demos. docs/architecture.md shows the house."""

__version__ = "0.1.0"
