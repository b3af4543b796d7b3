"""Weights: a converted model -> what is shipped.

quantize.py has one function a scheme, listed in its table; codec.py lays the result out as bytes and cuts them into
chunks. A new scheme is a function and a table line; a new layout is codec.py and its twin in runtime/src.
"""

# Part of cache keys: whoever changes what is shipped for a model changes this.
FORMAT = "tfjs-1"
