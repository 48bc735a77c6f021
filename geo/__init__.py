"""The earth: positions, areas, cells, places. Knows no person and no alert; imports neither micic nor alerts."""
