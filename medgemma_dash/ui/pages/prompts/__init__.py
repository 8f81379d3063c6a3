"""Prompt Sensitivity: does the phrasing change the answer or the map?"""
