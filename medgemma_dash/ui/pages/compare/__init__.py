"""Compare: do the methods agree?"""
