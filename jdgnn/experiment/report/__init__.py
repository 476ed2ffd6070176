"""The report: one page that shows what one run did, or several beside each other."""
