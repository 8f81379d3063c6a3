"""Parts of pages that know no page."""
