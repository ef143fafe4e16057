"""Trained students made into others: a look-ahead, inputs, another hop or mean, a postfilter."""
