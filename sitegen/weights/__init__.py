"""Weights: a converted model -> what is shipped.

quantize.py has one function a scheme, listed in its table; container.py is the file that a page fetches, entropy.py and
range.py the coding of integers in it; codec.py puts a model into such a file and cuts that into chunks; engine.py
has the engine that pages ship compute with such files. A new scheme is a function and a table line; a new layout is
container.py, its twin in runtime/src/weights, and docs/weights-format.md.
"""

# Part of cache keys: whoever changes what is shipped for a model changes this.
FORMAT = "container-4, gate-2, names-2"
