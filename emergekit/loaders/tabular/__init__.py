"""How the reader of plain tables sees: files, names, numbers, layouts, units."""
