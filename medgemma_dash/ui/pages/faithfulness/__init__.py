"""Faithfulness: does the map tell the truth about the model?"""
