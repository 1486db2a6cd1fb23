"""Minutes as files: a document in, bytes out. No database; what there is stands in `registry`."""
