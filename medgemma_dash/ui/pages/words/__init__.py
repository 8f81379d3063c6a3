"""Target Words: where does the model look for these words?"""
