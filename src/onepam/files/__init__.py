"""How files of the data folder are opened and read, by whichever floor."""
