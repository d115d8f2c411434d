"""What a run leaves behind: results, tables, pages, other systems' books."""
