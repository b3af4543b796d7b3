"""Passes over graphs, one a file; each keeps the numbers of the outputs that remain.

Some change a GraphDef, TensorFlow's own, before it is optimized: ssd, expand, einsum, reshape, batch, norms,
depth. aside is what they look at one through. Others
make a GraphModel of a GraphModel, after it: bias, functions, cut, fold. models/convert.py calls them in their order.
"""
