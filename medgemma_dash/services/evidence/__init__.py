"""Did a word need the image?"""
