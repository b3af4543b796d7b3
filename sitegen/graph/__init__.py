"""Passes: GraphModel -> GraphModel, one a file. Each keeps the numbers of the outputs that remain."""
