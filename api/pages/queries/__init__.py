"""All SQL of the pages, a file for each page: few statements, each passed through the caller's scope."""
