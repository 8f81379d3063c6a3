"""A report as one HTML file that works without a network."""

from medgemma_dash.reports.html.page import html_page

__all__ = ["html_page"]
