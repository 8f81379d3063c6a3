"""DICOM files: decoded in a process of its own, and read for what they mean."""
