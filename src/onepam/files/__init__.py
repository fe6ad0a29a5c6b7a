"""How files of the data folder are opened, read, replaced and locked, by whichever floor."""
