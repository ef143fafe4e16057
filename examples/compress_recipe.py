"""Compress with a recipe from Python: python examples/compress_recipe.py [CORPUS]"""

import sys
from dataclasses import replace

from edge_vc.compress import compress, load_recipe

recipe = load_recipe("quick")
if len(sys.argv) > 1:
    recipe = replace(recipe, data=replace(recipe.data, corpus=sys.argv[1]))
result = compress(recipe, "build/from-python", until="data")  # omit `until` to get the bundle
print(result.metrics["data"])
