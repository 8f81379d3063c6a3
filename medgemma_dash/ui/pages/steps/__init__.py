"""Step by Step: how is such a map made, and how is it made wrong?"""
