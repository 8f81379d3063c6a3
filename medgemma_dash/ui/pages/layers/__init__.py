"""Layers: where in the model?"""
