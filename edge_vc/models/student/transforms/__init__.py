"""Transforms of trained students: look-ahead, inputs, another hop or mean, a postfilter."""
