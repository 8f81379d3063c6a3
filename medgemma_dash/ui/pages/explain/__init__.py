"""Explain: why this word?"""
