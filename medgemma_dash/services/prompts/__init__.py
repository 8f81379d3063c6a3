"""Does the phrasing change the answer or the map?"""
