"""What is said and drawn of a result, the same for pages, command line and notebook.

A result becomes one `Report`, plain data; `reports.html` makes it one file.
"""
