"""Reading, writing, measuring and describing audio; arrays are float32 ``[T]`` in [-1, 1]."""
